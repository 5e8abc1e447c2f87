#!/usr/bin/env bash
# langgraph 1.2.24
#
# Behaviour: Command(resume=...) for a thread that has no checkpoint runs the graph from START, on an empty state.
# Surprise: There is nothing to resume; invoke(None) on the same thread raises EmptyInputError, and one expects the
#   same here.
# Seen:
#   None:   EmptyInputError
#   resume: {'note': 'charged'} - the node saw [{}]
set -euo pipefail
cd "$(mktemp -d)"
trap 'rm -rf "$PWD"' EXIT
python3 -m venv venv
venv/bin/pip install -q --no-compile --disable-pip-version-check langgraph==1.2.24 langgraph-checkpoint==4.3.2
venv/bin/python - <<'PY'
from typing import TypedDict

from langgraph.checkpoint.memory import InMemorySaver
from langgraph.errors import EmptyInputError
from langgraph.graph import START, StateGraph
from langgraph.types import Command


class State(TypedDict):
    note: str


seen = []


def charge(state):
    seen.append(dict(state))
    return {"note": "charged"}


graph = StateGraph(State).add_node("charge", charge).add_edge(START, "charge").compile(checkpointer=InMemorySaver())
thread = {"configurable": {"thread_id": "nobody's"}}
try:
    graph.invoke(None, thread)
except EmptyInputError as error:
    print("None:  ", type(error).__name__)
print("resume:", graph.invoke(Command(resume="yes"), thread), "- the node saw", seen)
if seen != [{}]:
    raise SystemExit("changed: a resume of an unknown thread does not run the graph")
PY
