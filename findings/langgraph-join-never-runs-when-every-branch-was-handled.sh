#!/usr/bin/env bash
# langgraph 1.2.24
#
# Behaviour: A node's error_handler takes the place of the node's static edges. If each branch of a Send fan-out
#   fails and is handled, nothing leads to the join: it never runs, and the run ends without an error. One healthy
#   branch is enough for it to run.
# Surprise: A handled error looks like a finished branch; whether the join runs should not depend on a sibling's
#   luck.
# Seen:
#   one of two fails:  ['line', 'handled', 'join']
#   both fail:         ['handled', 'handled']
set -euo pipefail
cd "$(mktemp -d)"
trap 'rm -rf "$PWD"' EXIT
python3 -m venv venv
venv/bin/pip install -q --no-compile --disable-pip-version-check langgraph==1.2.24 langgraph-checkpoint==4.3.2
venv/bin/python - <<'PY'
import operator
from typing import Annotated, TypedDict

from langgraph.graph import START, StateGraph
from langgraph.types import Send


class State(TypedDict):
    ran: Annotated[list, operator.add]


def line(payload):
    if payload["broken"]:
        raise ValueError("out of stock")
    return {"ran": ["line"]}


def run(*broken):
    graph = (
        StateGraph(State)
        .add_node("line", line, error_handler=lambda s: {"ran": ["handled"]})
        .add_node("join", lambda s: {"ran": ["join"]})
        .add_conditional_edges(START, lambda s: [Send("line", {"broken": b}) for b in broken], ["line"])
        .add_edge("line", "join")
        .compile()
    )
    return graph.invoke({"ran": []})["ran"]


one, both = run(False, True), run(True, True)
print("one of two fails: ", one)
print("both fail:        ", both)
if "join" not in one or "join" in both:
    raise SystemExit("changed: the join runs after handled branches")
PY
