#!/usr/bin/env bash
# langgraph 1.2.24
#
# Behaviour: Two tasks of an entrypoint run side by side and both ask with interrupt. The result and get_state show
#   the first question only, but Command(resume=answer) to it is refused, since several interrupts are pending.
# Surprise: What one question calls for is one answer: a caller who is shown one question has no way to know that it
#   must be named by its id. A graph with two branches that ask shows both questions.
# Seen:
#   result:    ['Refund 90 EUR?']
#   get_state: ['Refund 90 EUR?']
#   one answer: RuntimeError: When there are multiple pending interrupts, you must specify the interrupt id when resuming.
#   by its id, the second question comes up: ['Send a voucher?']
set -euo pipefail
cd "$(mktemp -d)"
trap 'rm -rf "$PWD"' EXIT
python3 -m venv venv
venv/bin/pip install -q --no-compile --disable-pip-version-check langgraph==1.2.24 langgraph-checkpoint==4.3.2
venv/bin/python - <<'PY'
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.func import entrypoint, task
from langgraph.types import Command, interrupt


@task
def ask(question):
    return interrupt(question)


@entrypoint(checkpointer=InMemorySaver())
def review(order):
    answers = [ask("Refund 90 EUR?"), ask("Send a voucher?")]
    return [answer.result() for answer in answers]


config = {"configurable": {"thread_id": "1"}}
questions = review.invoke("A-1", config)["__interrupt__"]
shown = [question.value for question in questions]
kept = [question.value for question in review.get_state(config).interrupts]
try:
    refused = review.invoke(Command(resume="yes"), config)
except RuntimeError as error:
    refused = f"RuntimeError: {error}".split(" Docs:")[0]
then = [q.value for q in review.invoke(Command(resume={questions[0].id: "yes"}), config)["__interrupt__"]]
print("result:   ", shown)
print("get_state:", kept)
print("one answer:", refused)
print("by its id, the second question comes up:", then)
if shown != ["Refund 90 EUR?"] or kept != shown or "multiple pending" not in str(refused):
    raise SystemExit("changed: both questions are shown, or one answer is taken")
PY
