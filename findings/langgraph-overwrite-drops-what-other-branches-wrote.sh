#!/usr/bin/env bash
# langgraph 1.2.24
#
# Behaviour: If one of two parallel nodes writes Overwrite(...) to a key with a reducer, the other's ordinary write
#   of the same step is dropped, whichever comes first. Nothing is raised.
# Surprise: Two Overwrites of one key in a step raise InvalidUpdateError; losing a sibling's ordinary write, which
#   is the worse case, is silent.
# Seen:
#   overwrite beside a write: ['reset']
#   the other way round:      ['reset']
set -euo pipefail
cd "$(mktemp -d)"
trap 'rm -rf "$PWD"' EXIT
python3 -m venv venv
venv/bin/pip install -q --no-compile --disable-pip-version-check langgraph==1.2.24 langgraph-checkpoint==4.3.2
venv/bin/python - <<'PY'
import operator
from typing import Annotated, TypedDict

from langgraph.graph import START, StateGraph
from langgraph.types import Overwrite


class State(TypedDict):
    log: Annotated[list, operator.add]


def run(first, second):
    graph = (
        StateGraph(State)
        .add_node("a", lambda s: {"log": first})
        .add_node("b", lambda s: {"log": second})
        .add_edge(START, "a")
        .add_edge(START, "b")
        .compile()
    )
    return graph.invoke({"log": ["input"]})["log"]


one, two = run(Overwrite(["reset"]), ["paid"]), run(["paid"], Overwrite(["reset"]))
print("overwrite beside a write:", one)
print("the other way round:     ", two)
if not (one == two == ["reset"]):
    raise SystemExit("changed: the write is kept, or refused")
PY
