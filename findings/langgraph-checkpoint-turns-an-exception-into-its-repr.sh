#!/usr/bin/env bash
# langgraph-checkpoint 4.3.2 (under langgraph 1.2.24)
#
# Behaviour: An exception in the state is written to the checkpoint as the text of its repr, without a warning. The
#   nodes of one run still see the exception; after an interrupt they see a string.
# Surprise: Other values that can't be serialised raise TypeError (a Fraction does), so the change of type is not
#   expected; isinstance checks fail only in runs that were interrupted.
# Seen:
#   straight through: ValueError no stock
#   after a resume:   str ValueError('no stock')
#   a Fraction:       Type is not msgpack serializable: Fraction
set -euo pipefail
cd "$(mktemp -d)"
trap 'rm -rf "$PWD"' EXIT
python3 -m venv venv
venv/bin/pip install -q --no-compile --disable-pip-version-check langgraph==1.2.24 langgraph-checkpoint==4.3.2
venv/bin/python - <<'PY'
from fractions import Fraction
from typing import Any, TypedDict

from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import START, StateGraph
from langgraph.types import Command, interrupt


class State(TypedDict):
    problem: Any


def run(ask):
    seen = []
    graph = (
        StateGraph(State)
        .add_node("fail", lambda s: {"problem": ValueError("no stock")})
        .add_node("ask", lambda s: interrupt("go on?") and None if ask else None)
        .add_node("look", lambda s: seen.append(s["problem"]))
        .add_edge(START, "fail")
        .add_edge("fail", "ask")
        .add_edge("ask", "look")
        .compile(checkpointer=InMemorySaver())
    )
    thread = {"configurable": {"thread_id": "1"}}
    graph.invoke({}, thread)
    if ask:
        graph.invoke(Command(resume="yes"), thread)
    return seen[0]


straight, resumed = run(False), run(True)
print("straight through:", type(straight).__name__, straight)
print("after a resume:  ", type(resumed).__name__, resumed)
graph = StateGraph(State).add_node("n", lambda s: {"problem": Fraction(1, 3)}).add_edge(START, "n")
try:
    graph.compile(checkpointer=InMemorySaver()).invoke({}, {"configurable": {"thread_id": "1"}})
except TypeError as error:
    print("a Fraction:      ", error)
if not isinstance(resumed, str):
    raise SystemExit("changed: the exception comes back as one")
PY
