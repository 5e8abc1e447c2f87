#!/usr/bin/env bash
# langgraph 1.2.24
#
# Behaviour: The question was answered with yes. Resuming again from the checkpoint at which it was asked, with
#   Command(resume='no'), runs the node with yes: the new answer is dropped without an error, also when it names the
#   interrupt's id.
# Surprise: A checkpoint in the config is how one goes back in time, and the documentation says that interrupts fire
#   again there. One expects the new answer to count on a new branch, or a refusal; here the call returns a result that
#   somebody else's decision made. Only an invoke(None) in between asks again.
# Seen:
#   first answer, yes:       refund yes
#   from its checkpoint, no: refund yes
#   by the interrupt's id:   refund yes
#   after invoke(None), no:  refund no
set -euo pipefail
cd "$(mktemp -d)"
trap 'rm -rf "$PWD"' EXIT
python3 -m venv venv
venv/bin/pip install -q --no-compile --disable-pip-version-check langgraph==1.2.24 langgraph-checkpoint==4.3.2
venv/bin/python - <<'PY'
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import START, StateGraph
from langgraph.types import Command, interrupt
from typing_extensions import TypedDict


class State(TypedDict):
    refund: str


graph = (
    StateGraph(State)
    .add_node("approve", lambda state: {"refund": interrupt("Refund 90 EUR?")})
    .add_edge(START, "approve")
    .compile(checkpointer=InMemorySaver())
)
config = {"configurable": {"thread_id": "1"}}
question = graph.invoke({"refund": ""}, config)["__interrupt__"][0]
asked = graph.get_state(config).config

seen = [graph.invoke(Command(resume="yes"), config)["refund"]]
seen.append(graph.invoke(Command(resume="no"), asked)["refund"])
seen.append(graph.invoke(Command(resume={question.id: "no"}), asked)["refund"])
graph.invoke(None, asked)
seen.append(graph.invoke(Command(resume="no"), config)["refund"])
labels = ("first answer, yes:", "from its checkpoint, no:", "by the interrupt's id:", "after invoke(None), no:")
for label, refund in zip(labels, seen):
    print(f"{label:24} refund {refund}")
if seen != ["yes", "yes", "yes", "no"]:
    raise SystemExit("changed: the new answer counts, or is refused")
PY
