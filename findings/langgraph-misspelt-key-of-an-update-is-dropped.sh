#!/usr/bin/env bash
# langgraph 1.2.24
#
# Behaviour: A node's update may carry keys that the state does not have: they are dropped without a word, and
#   update_state takes them too.
# Surprise: An update that is no dict raises InvalidUpdateError, and so does a key that two nodes write at once; a
#   key that does not exist is the easiest of these mistakes.
# Seen:
#   the node's update: {'total': 95}
#   update_state:      {'total': 95}
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
    total: int
    discount: int


graph = (
    StateGraph(State)
    .add_node("price", lambda s: {"total": 95, "discuont": 5})
    .add_edge(START, "price")
    .compile(checkpointer=InMemorySaver())
)
thread = {"configurable": {"thread_id": "1"}}
result = graph.invoke({"total": 100}, thread)
graph.update_state(thread, {"discuont": 5})
print("the node's update:", result)
print("update_state:     ", graph.get_state(thread).values)
if result != {"total": 95}:
    raise SystemExit("changed: an unknown key is told or kept")
PY
