#!/usr/bin/env bash
# langgraph-checkpoint 4.3.2 (under langgraph 1.2.24)
#
# Behaviour: An Enum that is defined within another class, Order.Status, comes back from a checkpoint as its plain
#   value. The serializer writes the name of the class and not the qualified name, does not find it in the module, and
#   falls back to the value. A dataclass within a class comes back as a dict.
# Surprise: pickle keeps nested classes, and the same Enum at the top of the module comes back as it was. After a
#   pause status is Order.Status.PAID is false without an error, so the branch for orders that are not paid is taken.
# Seen:
#   in the run:          <Status.PAID: 'paid'> is PAID: True
#   from the checkpoint: 'paid' is PAID: False
set -euo pipefail
cd "$(mktemp -d)"
trap 'rm -rf "$PWD"' EXIT
python3 -m venv venv
venv/bin/pip install -q --no-compile --disable-pip-version-check langgraph==1.2.24 langgraph-checkpoint==4.3.2
venv/bin/python - <<'PY'
import logging
from enum import Enum

from langgraph.checkpoint.memory import InMemorySaver
from langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer
from langgraph.graph import START, StateGraph
from typing_extensions import TypedDict

logging.disable()


class Order:
    class Status(Enum):
        PAID = "paid"


class State(TypedDict):
    status: Order.Status


graph = (
    StateGraph(State)
    .add_node("keep", lambda state: {})
    .add_edge(START, "keep")
    .compile(checkpointer=InMemorySaver(serde=JsonPlusSerializer(allowed_msgpack_modules=[Order.Status])))
)
config = {"configurable": {"thread_id": "1"}}

ran = graph.invoke({"status": Order.Status.PAID}, config)["status"]
kept = graph.get_state(config).values["status"]
print("in the run:         ", repr(ran), "is PAID:", ran is Order.Status.PAID)
print("from the checkpoint:", repr(kept), "is PAID:", kept is Order.Status.PAID)
if ran is not Order.Status.PAID or kept != "paid":
    raise SystemExit("changed: the member comes back")
PY
