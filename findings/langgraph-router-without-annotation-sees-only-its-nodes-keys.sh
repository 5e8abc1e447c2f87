#!/usr/bin/env bash
# langgraph 1.2.24
#
# Behaviour: The router of a conditional edge, when its parameter has no annotation, gets only the keys that the
#   node before it declared as its input: the rest of the state is not there.
# Surprise: The edge belongs to the graph and not to the node; annotating a node's parameter should not change what
#   another function sees.
# Seen:
#   after a node of the whole state: ['limit', 'total']
#   after a node of one key:         ['total']
set -euo pipefail
cd "$(mktemp -d)"
trap 'rm -rf "$PWD"' EXIT
python3 -m venv venv
venv/bin/pip install -q --no-compile --disable-pip-version-check langgraph==1.2.24 langgraph-checkpoint==4.3.2
venv/bin/python - <<'PY'
from typing import TypedDict

from langgraph.graph import END, START, StateGraph


class State(TypedDict):
    total: int
    limit: int


class Total(TypedDict):
    total: int


def narrow(state: Total):
    return {"total": 2}


def wide(state: State):
    return {"total": 2}


def keys(node):
    seen = []
    graph = (
        StateGraph(State)
        .add_node("node", node)
        .add_edge(START, "node")
        .add_conditional_edges("node", lambda state: seen.extend(sorted(state)) or END, [END])
        .compile()
    )
    graph.invoke({"total": 1, "limit": 9})
    return seen


print("after a node of the whole state:", keys(wide))
print("after a node of one key:        ", keys(narrow))
if keys(narrow) != ["total"]:
    raise SystemExit("changed: the router sees the whole state")
PY
