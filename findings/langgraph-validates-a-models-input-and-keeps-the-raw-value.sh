#!/usr/bin/env bash
# langgraph 1.2.24
#
# Behaviour: With a Pydantic state each node gets a validated model, but the state keeps what was sent: in the
#   result a coerced number is still the string, and a field that was left to its default is missing.
# Surprise: Validation is expected to happen where the value comes in, once, so that what is stored is the model.
# Seen:
#   the node saw: State(quantity=3, currency='EUR')
#   the result:   {'quantity': '3'}
set -euo pipefail
cd "$(mktemp -d)"
trap 'rm -rf "$PWD"' EXIT
python3 -m venv venv
venv/bin/pip install -q --no-compile --disable-pip-version-check langgraph==1.2.24 langgraph-checkpoint==4.3.2 pydantic==2.14.4
venv/bin/python - <<'PY'
from langgraph.graph import START, StateGraph
from pydantic import BaseModel


class State(BaseModel):
    quantity: int
    currency: str = "EUR"


seen = []
graph = StateGraph(State).add_node("n", lambda s: seen.append(s)).add_edge(START, "n").compile()
result = graph.invoke({"quantity": "3"})
print("the node saw:", repr(seen[0]))
print("the result:  ", result)
if result != {"quantity": "3"}:
    raise SystemExit("changed: the state holds the validated values")
PY
