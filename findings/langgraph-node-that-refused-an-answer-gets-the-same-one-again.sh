#!/usr/bin/env bash
# langgraph 1.2.24
#
# Behaviour: When a node raises because of what interrupt() returned, the answer stays with the task. Every later
#   Command(resume=...) is ignored in favour of the first answer.
# Surprise: The natural reaction to a bad answer is to raise, and to let the person answer again; the second answer
#   is accepted without an error and is never seen.
# Seen:
#   answered 'three': invalid literal for int() with base 10: 'three'
#   answered '3': invalid literal for int() with base 10: 'three'
#   the node saw ['three', 'three']
set -euo pipefail
cd "$(mktemp -d)"
trap 'rm -rf "$PWD"' EXIT
python3 -m venv venv
venv/bin/pip install -q --no-compile --disable-pip-version-check langgraph==1.2.24 langgraph-checkpoint==4.3.2
venv/bin/python - <<'PY'
from typing import TypedDict

from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import START, StateGraph
from langgraph.types import Command, interrupt


class State(TypedDict):
    quantity: int


seen = []


def ask(state):
    answer = interrupt("how many?")
    seen.append(answer)
    return {"quantity": int(answer)}


graph = StateGraph(State).add_node("ask", ask).add_edge(START, "ask").compile(checkpointer=InMemorySaver())
thread = {"configurable": {"thread_id": "1"}}
graph.invoke({"quantity": 0}, thread)
for answer in ("three", "3"):
    try:
        graph.invoke(Command(resume=answer), thread)
    except ValueError as error:
        print(f"answered {answer!r}: {error}")
print("the node saw", seen)
if seen != ["three", "three"]:
    raise SystemExit("changed: a later answer reaches the node")
PY
