#!/usr/bin/env bash
# langgraph 1.2.24
#
# Behaviour: A join over two branches (add_edge with a list) keeps the branch that already came in the thread's
#   checkpoint, across runs. A later run on the same thread that goes through the other branch only fires the join.
# Surprise: Each invocation with new input reads as a run of its own; one would expect a join to count the branches
#   of the run that it is in.
# Seen:
#   run 1, stock only:             ['stock']
#   run 2, credit only:            ['credit', 'ship']
#   credit only on a fresh thread: ['credit']
set -euo pipefail
cd "$(mktemp -d)"
trap 'rm -rf "$PWD"' EXIT
python3 -m venv venv
venv/bin/pip install -q --no-compile --disable-pip-version-check langgraph==1.2.24 langgraph-checkpoint==4.3.2
venv/bin/python - <<'PY'
import operator
from typing import Annotated, TypedDict

from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import START, StateGraph


class State(TypedDict):
    way: str
    ran: Annotated[list, operator.add]


graph = (
    StateGraph(State)
    .add_node("stock", lambda s: {"ran": ["stock"]})
    .add_node("credit", lambda s: {"ran": ["credit"]})
    .add_node("ship", lambda s: {"ran": ["ship"]})
    .add_conditional_edges(START, lambda s: s["way"], ["stock", "credit"])
    .add_edge(["stock", "credit"], "ship")
    .compile(checkpointer=InMemorySaver())
)
thread = {"configurable": {"thread_id": "1"}}
first = graph.invoke({"way": "stock"}, thread)["ran"]
second = graph.invoke({"way": "credit"}, thread)["ran"][len(first):]
alone = graph.invoke({"way": "credit"}, {"configurable": {"thread_id": "2"}})["ran"]
print("run 1, stock only:            ", first)
print("run 2, credit only:           ", second)
print("credit only on a fresh thread:", alone)
if (first, second, alone) != (["stock"], ["credit", "ship"], ["credit"]):
    raise SystemExit("changed: the join no longer counts a branch of an earlier run")
PY
