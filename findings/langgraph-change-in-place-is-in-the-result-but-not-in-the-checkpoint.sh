#!/usr/bin/env bash
# langgraph 1.2.24
#
# Behaviour: A node that changes a value of the state in place and does not return it changes it for the nodes after
#   it and in the result of invoke, but the checkpoint keeps the old value.
# Surprise: Either the state is a copy, or the change is there: invoke and get_state disagree about one finished
#   run, and a resume goes on with other data than the run that was not interrupted.
# Seen:
#   invoke:    {'order': {'discount': 5}, 'total': 95}
#   get_state: {'order': {}, 'total': 95}
set -euo pipefail
cd "$(mktemp -d)"
trap 'rm -rf "$PWD"' EXIT
python3 -m venv venv
venv/bin/pip install -q --no-compile --disable-pip-version-check langgraph==1.2.24 langgraph-checkpoint==4.3.2
venv/bin/python - <<'PY'
from typing import TypedDict

from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import START, StateGraph


class State(TypedDict):
    order: dict
    total: int


def discount(state):
    state["order"]["discount"] = 5
    return {"total": 95}


graph = StateGraph(State).add_node(discount).add_edge(START, "discount").compile(checkpointer=InMemorySaver())
thread = {"configurable": {"thread_id": "1"}}
result = graph.invoke({"order": {}}, thread)
kept = graph.get_state(thread).values
print("invoke:   ", result)
print("get_state:", kept)
if result["order"] == kept["order"]:
    raise SystemExit("changed: both say the same")
PY
