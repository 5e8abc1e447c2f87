#!/usr/bin/env bash
# langgraph 1.2.24
#
# Behaviour: A router that returns a name that no node has ends the run as if it were done; goto with such a name
#   does the same. There is a line in the log, no error.
# Surprise: A misspelt name in add_edge is refused at compile time, so one expects an unknown destination at run
#   time to raise.
# Seen:
#   router: {'ran': ['order']}
#   goto:   {'ran': ['order']}
set -euo pipefail
cd "$(mktemp -d)"
trap 'rm -rf "$PWD"' EXIT
python3 -m venv venv
venv/bin/pip install -q --no-compile --disable-pip-version-check langgraph==1.2.24 langgraph-checkpoint==4.3.2
venv/bin/python - <<'PY'
import operator
from typing import Annotated, TypedDict

from langgraph.graph import START, StateGraph
from langgraph.types import Command


class State(TypedDict):
    ran: Annotated[list, operator.add]


def graph(result):
    return (
        StateGraph(State)
        .add_node("order", lambda s: result)
        .add_node("charge", lambda s: {"ran": ["charge"]})
        .add_edge(START, "order")
    )


routed = graph({"ran": ["order"]}).add_conditional_edges("order", lambda s: "chrage").compile().invoke({"ran": []})
jumped = graph(Command(goto="chrage", update={"ran": ["order"]})).compile().invoke({"ran": []})
print("router:", routed)
print("goto:  ", jumped)
if not (routed == jumped == {"ran": ["order"]}):
    raise SystemExit("changed: an unknown destination is told")
PY
