#!/usr/bin/env bash
# langchain-core 1.8.3
#
# Behaviour: convert_to_openai_tool, which bind_tools and with_structured_output use, takes a JSON Schema with a title
#   for a tool. If the schema is a union at its top (oneOf, anyOf), the tool has a name and no parameters at all.
# Surprise: The schema is valid, and pydantic's TypeAdapter makes it for a choice of two models. A schema without a
#   title is refused with a clear error; this one loses what it says, and the model is free to answer anything.
# Seen:
#   the schema has: ['$defs', 'discriminator', 'oneOf', 'title']
#   the tool is:    {'type': 'function', 'function': {'name': 'Decision'}}
set -euo pipefail
cd "$(mktemp -d)"
trap 'rm -rf "$PWD"' EXIT
python3 -m venv venv
venv/bin/pip install -q --no-compile --disable-pip-version-check langchain-core==1.8.3 pydantic==2.14.4
venv/bin/python - <<'PY'
from typing import Annotated, Literal

from langchain_core.utils.function_calling import convert_to_openai_tool
from pydantic import BaseModel, Field, TypeAdapter


class Refund(BaseModel):
    kind: Literal["refund"]
    amount: int


class Replace(BaseModel):
    kind: Literal["replace"]
    sku: str


decision = TypeAdapter(Annotated[Refund | Replace, Field(discriminator="kind", title="Decision")])
schema = decision.json_schema()
tool = convert_to_openai_tool(schema)
print("the schema has:", sorted(schema))
print("the tool is:   ", tool)
if tool != {"type": "function", "function": {"name": "Decision"}}:
    raise SystemExit("changed: the parameters are kept, or the schema is refused")
PY
