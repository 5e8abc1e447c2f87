#!/usr/bin/env bash
# langgraph 1.2.24
#
# Behaviour: What nodes of one step write is folded into the state in the alphabetical order of the nodes' names:
#   not in the order of the edges, nor in that of finishing. With a dict merge the last name wins.
# Surprise: A name reads as a label; renaming a node changes the result.
# Seen:
#   list_price, offer: {'log': ['first', 'second'], 'price': {'A': 'second'}}
#   quote, offer:      {'log': ['second', 'first'], 'price': {'A': 'first'}}
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
    price: Annotated[dict, operator.or_]


def write(text):
    return lambda state: {"log": [text], "price": {"A": text}}


def run(first, second):
    graph = StateGraph(State).add_node(first, write("first")).add_node(second, write("second"))
    return graph.add_edge(START, first).add_edge(START, second).compile().invoke({"log": [], "price": {}})


one, two = run("list_price", "offer"), run("quote", "offer")
print("list_price, offer:", one)
print("quote, offer:     ", two)
if (one["log"], two["log"]) != (["first", "second"], ["second", "first"]):
    raise SystemExit("changed: the order does not depend on names")
PY
