#!/usr/bin/env bash
# langchain-core 1.8.3
#
# Behaviour: A tool whose args_schema gives a field an alias tells the model the field's own name, and refuses a call
#   that uses it: the alias is missing. A call with the alias is taken.
# Surprise: The model that follows the schema to the letter fails each time. pydantic's own schema of the same class
#   names the alias.
# Seen:
#   pydantic tells:  ['orderId']
#   the tool tells:  ['order']
#   {'order': 7}: ValidationError
#   {'orderId': 7}: refunded 7
set -euo pipefail
cd "$(mktemp -d)"
trap 'rm -rf "$PWD"' EXIT
python3 -m venv venv
venv/bin/pip install -q --no-compile --disable-pip-version-check langchain-core==1.8.3 pydantic==2.14.4
venv/bin/python - <<'PY'
from langchain_core.tools import tool
from langchain_core.utils.function_calling import convert_to_openai_tool
from pydantic import BaseModel, Field, ValidationError


class Refund(BaseModel):
    """The order to refund."""

    order: int = Field(alias="orderId")


@tool(args_schema=Refund)
def refund(order: int) -> str:
    """Refund an order."""
    return f"refunded {order}"


def answer(args):
    try:
        return refund.invoke(args)
    except ValidationError:
        return "ValidationError"


told = list(convert_to_openai_tool(refund)["function"]["parameters"]["properties"])
answers = [answer({"order": 7}), answer({"orderId": 7})]
print("pydantic tells: ", list(Refund.model_json_schema()["properties"]))
print("the tool tells: ", told)
print("{'order': 7}:", answers[0])
print("{'orderId': 7}:", answers[1])
if (told, answers) != (["order"], ["ValidationError", "refunded 7"]):
    raise SystemExit("changed: the tool takes the name that it tells")
PY
