#!/usr/bin/env bash
# langchain-core 1.8.3
#
# Behaviour: A tool's parameter named callbacks is left out of the schema that the model sees. If the caller sends
#   it all the same, the function gets a CallbackManager in its place.
# Surprise: The annotation says list[str], the name is a plain word of customer service, and nothing is said when
#   the tool is made.
# Seen:
#   the model may send: ['order']
#   the function gets:  CallbackManager
set -euo pipefail
cd "$(mktemp -d)"
trap 'rm -rf "$PWD"' EXIT
python3 -m venv venv
venv/bin/pip install -q --no-compile --disable-pip-version-check langchain-core==1.8.3
venv/bin/python - <<'PY'
from langchain_core.tools import tool


@tool
def book(order: str, callbacks: list[str]) -> str:
    """Book the times at which the customer wants to be called back."""
    return type(callbacks).__name__


schema = list(book.tool_call_schema.model_json_schema()["properties"])
got = book.invoke({"order": "1", "callbacks": ["Mon 9:00"]})
print("the model may send:", schema)
print("the function gets: ", got)
if (schema, got) != (["order"], "CallbackManager"):
    raise SystemExit("changed: the parameter is an ordinary one")
PY
