#!/usr/bin/env bash
# langgraph-checkpoint 4.3.2 (under langgraph 1.2.24)
#
# Behaviour: A set of tuples comes back from a checkpoint as a list of lists: the tuples are read as lists, a set of
#   lists cannot be made, and the serializer falls back to the raw data. A set of texts comes back as a set.
# Surprise: Sets are supported, tuples can be put in one, and the state is typed as a set. A union with another set
#   raises a TypeError after a pause, and {(sku, size)} in seen is not found any more.
# Seen:
#   in the run:          {('A', 1)}
#   from the checkpoint: [['A', 1]]
#   a set of texts:      {'A'}
set -euo pipefail
cd "$(mktemp -d)"
trap 'rm -rf "$PWD"' EXIT
python3 -m venv venv
venv/bin/pip install -q --no-compile --disable-pip-version-check langgraph==1.2.24 langgraph-checkpoint==4.3.2
venv/bin/python - <<'PY'
import logging

from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import START, StateGraph
from typing_extensions import TypedDict

logging.disable()


class State(TypedDict):
    seen: set


graph = (
    StateGraph(State).add_node("keep", lambda state: {}).add_edge(START, "keep").compile(checkpointer=InMemorySaver())
)
config = {"configurable": {"thread_id": "1"}}

ran = graph.invoke({"seen": {("A", 1)}}, config)["seen"]
kept = graph.get_state(config).values["seen"]
graph.invoke({"seen": {"A"}}, config)
texts = graph.get_state(config).values["seen"]
print("in the run:         ", ran)
print("from the checkpoint:", kept)
print("a set of texts:     ", texts)
if ran != {("A", 1)} or kept != [["A", 1]] or texts != {"A"}:
    raise SystemExit("changed: the set comes back as one")
PY
