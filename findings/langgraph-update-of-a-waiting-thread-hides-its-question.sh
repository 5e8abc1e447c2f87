#!/usr/bin/env bash
# langgraph 1.2.24
#
# Behaviour: A thread waits at an interrupt. After update_state, even with an empty update, get_state shows no
#   interrupt any more, and the task has none. The node is still next, and Command(resume=...) still gives it an answer
#   to the question that no longer shows.
# Surprise: A note on the order is not an answer: a list of open questions, made from get_state, loses this one until
#   the graph happens to run again, and the answer to a question that is not there is taken and not refused.
# Seen:
#   before: next ('approve',), questions ['Refund 90 EUR?']
#   after:  next ('approve',), questions []
#   an answer to it: refund yes
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


class State(TypedDict, total=False):
    refund: str
    note: str


graph = (
    StateGraph(State)
    .add_node("look", lambda state: {})
    .add_node("approve", lambda state: {"refund": interrupt("Refund 90 EUR?")})
    .add_edge(START, "look")
    .add_edge("look", "approve")
    .compile(checkpointer=InMemorySaver())
)
config = {"configurable": {"thread_id": "1"}}


def questions():
    state = graph.get_state(config)
    return state.next, [q.value for q in state.interrupts] + [q.value for t in state.tasks for q in t.interrupts]


graph.invoke({"refund": ""}, config)
before = graph.get_state(config)
print(f"before: next {before.next}, questions {[q.value for q in before.interrupts]}")
graph.update_state(config, {"note": "customer called"})
after = questions()
print(f"after:  next {after[0]}, questions {after[1]}")
refund = graph.invoke(Command(resume="yes"), config)["refund"]
print("an answer to it: refund", refund)
if not before.interrupts or after != (("approve",), []) or refund != "yes":
    raise SystemExit("changed: the question stays, or the answer is refused")
PY
