#!/usr/bin/env bash
# langgraph-checkpoint 4.3.2 (under langgraph 1.2.24)
#
# Behaviour: A dataclass in the state is made anew from its fields at each read of a checkpoint, so its __post_init__
#   works on values that it has worked on before; a pydantic model's validators likewise. A price that __post_init__
#   turned from euros into cents is a hundred times as much after one pause, and, handed on by a node, ten thousand
#   times after two.
# Surprise: copy and pickle bring an object back without running its __post_init__, and a checkpoint is meant to
#   bring back the state that was. The amount is wrong by a factor that depends on how often the thread was paused,
#   with no error.
# Seen:
#   in the run:         Price(amount=1900) Line(label='* chair')
#   after one pause:    Price(amount=190000) Line(label='* * chair')
#   after two pauses:   Price(amount=19000000) Line(label='* * * chair')
set -euo pipefail
cd "$(mktemp -d)"
trap 'rm -rf "$PWD"' EXIT
python3 -m venv venv
venv/bin/pip install -q --no-compile --disable-pip-version-check langgraph==1.2.24 langgraph-checkpoint==4.3.2 pydantic==2.14.4
venv/bin/python - <<'PY'
from dataclasses import dataclass

from langgraph.checkpoint.memory import InMemorySaver
from langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer
from langgraph.graph import START, StateGraph
from langgraph.types import Command, interrupt
from pydantic import BaseModel, field_validator
from typing_extensions import TypedDict


@dataclass
class Price:
    amount: int

    def __post_init__(self):
        self.amount *= 100


class Line(BaseModel):
    label: str

    @field_validator("label")
    @classmethod
    def mark(cls, label):
        return f"* {label}"


class State(TypedDict):
    price: Price
    line: Line


def wait(state):
    interrupt("go on?")
    return {"price": state["price"], "line": state["line"]}


graph = (
    StateGraph(State)
    .add_node("first", wait)
    .add_node("second", wait)
    .add_edge(START, "first")
    .add_edge("first", "second")
    .compile(checkpointer=InMemorySaver(serde=JsonPlusSerializer(allowed_msgpack_modules=[Price, Line])))
)
config = {"configurable": {"thread_id": "1"}}
seen = [graph.invoke({"price": Price(19), "line": Line(label="chair")}, config)]
seen += [graph.invoke(Command(resume=True), config), graph.invoke(Command(resume=True), config)]
seen = [f"{values['price']!r} {values['line']!r}" for values in seen]
for label, values in zip(("in the run:", "after one pause:", "after two pauses:"), seen):
    print(f"{label:19} {values}")
amounts = [values.split(")")[0] for values in seen]
if amounts != ["Price(amount=1900", "Price(amount=190000", "Price(amount=19000000"]:
    raise SystemExit("changed: the fields come back as they were")
PY
