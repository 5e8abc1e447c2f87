#!/usr/bin/env bash
# langgraph 1.2.24
#
# Behaviour: A compiled graph used as a node of a graph with the same state returns its whole state as its update. A
#   list with operator.add is therefore added to itself: what was there before the subgraph is there twice.
# Surprise: The subgraph added one item, as a function in its place would have; only reducers that know ids, like
#   add_messages, hide it.
# Seen:
#   a function: ['order', 'paid', 'ship']
#   a subgraph: ['order', 'paid', 'order', 'paid', 'ship']
set -euo pipefail
cd "$(mktemp -d)"
trap 'rm -rf "$PWD"' EXIT
python3 -m venv venv
venv/bin/pip install -q --no-compile --disable-pip-version-check langgraph==1.2.24 langgraph-checkpoint==4.3.2
venv/bin/python - <<'PY'
import operator
from typing import Annotated, TypedDict

from langgraph.graph import START, StateGraph


class State(TypedDict):
    log: Annotated[list, operator.add]


def note(state):
    return {"log": ["ship"]}


subgraph = StateGraph(State).add_node("note", note).add_edge(START, "note").compile()
results = []
for node in (note, subgraph):
    graph = StateGraph(State).add_node("ship", node).add_edge(START, "ship").compile()
    results.append(graph.invoke({"log": ["order", "paid"]})["log"])
print("a function:", results[0])
print("a subgraph:", results[1])
if results[1] != ["order", "paid", "order", "paid", "ship"]:
    raise SystemExit("changed: only what is new is written")
PY
