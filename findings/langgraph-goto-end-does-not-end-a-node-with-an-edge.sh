#!/usr/bin/env bash
# langgraph 1.2.24
#
# Behaviour: A node with a static edge that returns Command(goto=END) goes on along the edge: END is added to the
#   edge and does not replace it.
# Surprise: goto=END reads as stop here; an error handler's goto does replace the edge.
# Seen:
#   ran: ['check', 'charge']
set -euo pipefail
cd "$(mktemp -d)"
trap 'rm -rf "$PWD"' EXIT
python3 -m venv venv
venv/bin/pip install -q --no-compile --disable-pip-version-check langgraph==1.2.24 langgraph-checkpoint==4.3.2
venv/bin/python - <<'PY'
import operator
from typing import Annotated, TypedDict

from langgraph.graph import END, START, StateGraph
from langgraph.types import Command


class State(TypedDict):
    ran: Annotated[list, operator.add]


graph = (
    StateGraph(State)
    .add_node("check", lambda s: Command(goto=END, update={"ran": ["check"]}))
    .add_node("charge", lambda s: {"ran": ["charge"]})
    .add_edge(START, "check")
    .add_edge("check", "charge")
    .compile()
)
ran = graph.invoke({"ran": []})["ran"]
print("ran:", ran)
if ran != ["check", "charge"]:
    raise SystemExit("changed: goto=END ends it")
PY
