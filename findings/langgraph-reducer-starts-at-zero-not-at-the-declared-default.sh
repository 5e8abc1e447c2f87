#!/usr/bin/env bash
# langgraph 1.2.24
#
# Behaviour: A state key with a reducer starts at its type's empty value (int() is 0, list() is []), and the reducer
#   folds even the first input into that. The default that a Pydantic state declares for it is ignored. So a product
#   is 0 for ever, and a minimum of positive prices is 0.
# Surprise: One would expect the first value to be taken as it is, or the model's default to be the start.
# Seen:
#   declared defaults: {'product': 1, 'price': 1000000000}
#   3 × 5 and min(9, 7): {'product': 0, 'price': 0}
set -euo pipefail
cd "$(mktemp -d)"
trap 'rm -rf "$PWD"' EXIT
python3 -m venv venv
venv/bin/pip install -q --no-compile --disable-pip-version-check langgraph==1.2.24 langgraph-checkpoint==4.3.2 pydantic==2.14.4
venv/bin/python - <<'PY'
from operator import mul
from typing import Annotated

from langgraph.graph import START, StateGraph
from pydantic import BaseModel


def lowest(a: int, b: int) -> int:
    return min(a, b)


class State(BaseModel):
    product: Annotated[int, mul] = 1
    price: Annotated[int, lowest] = 10**9


graph = StateGraph(State).add_node("n", lambda s: {"product": 5, "price": 7}).add_edge(START, "n").compile()
result = graph.invoke({"product": 3, "price": 9})
print("declared defaults:", State().model_dump())
print("3 × 5 and min(9, 7):", result)
if result != {"product": 0, "price": 0}:
    raise SystemExit("changed: a reducer starts elsewhere")
PY
