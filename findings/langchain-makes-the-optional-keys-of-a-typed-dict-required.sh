#!/usr/bin/env bash
# langchain-core 1.8.3
#
# Behaviour: convert_to_openai_tool makes a tool of a TypedDict in which every key is required, also those of a class
#   with total=False. NotRequired raises a TypeError out of typing.
# Surprise: Optional keys are what total=False is for, and the model must now make up a value for each. The pydantic
#   model and the function of the same fields are taken rightly.
# Seen:
#   total=False: required ['order', 'amount', 'reason']
#   NotRequired: TypeError: NotRequired accepts only a single type. Got (<class 'str'>,).
#   function:    required ['order']
set -euo pipefail
cd "$(mktemp -d)"
trap 'rm -rf "$PWD"' EXIT
python3 -m venv venv
venv/bin/pip install -q --no-compile --disable-pip-version-check langchain-core==1.8.3
venv/bin/python - <<'PY'
from typing import NotRequired, TypedDict

from langchain_core.utils.function_calling import convert_to_openai_tool


class Refund(TypedDict, total=False):
    """Refund an order."""

    order: int
    amount: int
    reason: str


class Return(TypedDict):
    """Take an order back."""

    order: int
    reason: NotRequired[str]


def refund(order: int, amount: int = 0, reason: str = ""):
    """Refund an order."""


def required(made_of):
    try:
        return f"required {convert_to_openai_tool(made_of)['function']['parameters']['required']}"
    except TypeError as error:
        return f"TypeError: {error}"


seen = [required(Refund), required(Return), required(refund)]
for kind, got in zip(("total=False:", "NotRequired:", "function:   "), seen):
    print(kind, got)
if seen[0] != "required ['order', 'amount', 'reason']" or not seen[1].startswith("TypeError"):
    raise SystemExit("changed: optional keys are optional")
PY
