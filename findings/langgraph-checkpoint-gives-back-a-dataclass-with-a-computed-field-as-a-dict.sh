#!/usr/bin/env bash
# langgraph-checkpoint 4.3.2 (under langgraph 1.2.24)
#
# Behaviour: A dataclass with a field(init=False), which its __post_init__ works out, comes back from a checkpoint as
#   a dict: all fields are handed to the constructor, which does not take that one. A line in the log says so; no error
#   is raised.
# Surprise: field(init=False) is the standard way to have a total in a dataclass, and dataclasses are among the types
#   that checkpoints support. order.total works until the thread pauses and is an AttributeError after.
# Seen:
#   in the run:          Order(price=19, pieces=2, total=38)
#   from the checkpoint: {'price': 19, 'pieces': 2, 'total': 38}
set -euo pipefail
cd "$(mktemp -d)"
trap 'rm -rf "$PWD"' EXIT
python3 -m venv venv
venv/bin/pip install -q --no-compile --disable-pip-version-check langgraph==1.2.24 langgraph-checkpoint==4.3.2
venv/bin/python - <<'PY'
import logging
from dataclasses import dataclass, field

from langgraph.checkpoint.memory import InMemorySaver
from langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer
from langgraph.graph import START, StateGraph
from typing_extensions import TypedDict

logging.disable()


@dataclass
class Order:
    price: int
    pieces: int
    total: int = field(init=False)

    def __post_init__(self):
        self.total = self.price * self.pieces


class State(TypedDict):
    order: Order


graph = (
    StateGraph(State)
    .add_node("keep", lambda state: {})
    .add_edge(START, "keep")
    .compile(checkpointer=InMemorySaver(serde=JsonPlusSerializer(allowed_msgpack_modules=[Order])))
)
config = {"configurable": {"thread_id": "1"}}

ran = graph.invoke({"order": Order(19, 2)}, config)["order"]
kept = graph.get_state(config).values["order"]
print("in the run:         ", ran)
print("from the checkpoint:", kept)
if not isinstance(ran, Order) or kept != {"price": 19, "pieces": 2, "total": 38}:
    raise SystemExit("changed: the dataclass comes back as one")
PY
