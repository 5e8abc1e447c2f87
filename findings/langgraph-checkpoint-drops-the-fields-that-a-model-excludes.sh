#!/usr/bin/env bash
# langgraph-checkpoint 4.3.2 (under langgraph 1.2.24)
#
# Behaviour: A checkpoint keeps of a pydantic model what model_dump shows: a field with exclude=True comes back as
#   its default, and a model of a derived class, held by a field of the base class, comes back as one of the base class
#   without the derived fields.
# Surprise: exclude=True says what is left out when the model is shown to others, such as a language model; pickle
#   keeps it. Nothing fails, the pause just forgets: the key of the customer is empty and the gift has no message.
# Seen:
#   in the run:          key='c-77' line=Gift(sku='A', message='Happy birthday')
#   from the checkpoint: key='' line=Line(sku='A')
set -euo pipefail
cd "$(mktemp -d)"
trap 'rm -rf "$PWD"' EXIT
python3 -m venv venv
venv/bin/pip install -q --no-compile --disable-pip-version-check langgraph==1.2.24 langgraph-checkpoint==4.3.2 pydantic==2.14.4
venv/bin/python - <<'PY'
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer
from langgraph.graph import START, StateGraph
from pydantic import BaseModel, Field
from typing_extensions import TypedDict


class Line(BaseModel):
    sku: str


class Gift(Line):
    message: str


class Order(BaseModel):
    key: str = Field("", exclude=True)
    line: Line


class State(TypedDict):
    order: Order


graph = (
    StateGraph(State)
    .add_node("keep", lambda state: {})
    .add_edge(START, "keep")
    .compile(checkpointer=InMemorySaver(serde=JsonPlusSerializer(allowed_msgpack_modules=[Line, Gift, Order])))
)
config = {"configurable": {"thread_id": "1"}}

ran = graph.invoke({"order": Order(key="c-77", line=Gift(sku="A", message="Happy birthday"))}, config)["order"]
kept = graph.get_state(config).values["order"]
print("in the run:         ", ran)
print("from the checkpoint:", kept)
if ran.key != "c-77" or type(ran.line) is not Gift or kept.key != "" or type(kept.line) is not Line:
    raise SystemExit("changed: the checkpoint keeps the whole model")
PY
