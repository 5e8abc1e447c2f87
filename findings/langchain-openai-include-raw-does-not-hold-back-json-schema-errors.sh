#!/usr/bin/env bash
# langchain-openai 1.7.4 with openai 3.57.0
#
# Behaviour: with_structured_output(..., include_raw=True) with the default json_schema method raises when the
#   answer is words or was cut: the raw message is lost. With function_calling the same option returns the error
#   beside the raw message.
# Surprise: The option's promise is that parsing errors are caught and returned as parsing_error.
# Seen:
#   json_schema, words:          raises ValidationError
#   json_schema, cut:            raises LengthFinishReasonError
#   function_calling, bad value: returns parsing_error ValidationError
set -euo pipefail
cd "$(mktemp -d)"
trap 'rm -rf "$PWD"' EXIT
python3 -m venv venv
venv/bin/pip install -q --no-compile --disable-pip-version-check langchain-core==1.8.3 langchain-openai==1.7.4 openai==3.57.0 httpx==0.28.1
venv/bin/python - <<'PY'
import httpx
from langchain_openai import ChatOpenAI
from pydantic import BaseModel


class Refund(BaseModel):
    amount: int


def model(**answer):
    """A ChatOpenAI whose endpoint gives this answer."""
    choice = {"index": 0, "finish_reason": answer.pop("finish_reason", "stop")}
    choice["message"] = {"role": "assistant", "content": None, **answer}
    body = {"id": "1", "object": "chat.completion", "created": 1, "model": "m", "choices": [choice]}
    wire = httpx.MockTransport(lambda request: httpx.Response(200, json=body))
    client = httpx.Client(transport=wire)
    return ChatOpenAI(model="m", base_url="http://model.test/v1", api_key="k", http_client=client, max_retries=0)


def call(arguments):
    return {"id": "1", "type": "function", "function": {"name": "Refund", "arguments": arguments}}


def outcome(method, **answer):
    try:
        result = model(**answer).with_structured_output(Refund, method=method, include_raw=True).invoke("x")
    except Exception as error:
        return f"raises {type(error).__name__}"
    return f"returns parsing_error {type(result['parsing_error']).__name__}"


seen = [
    outcome("json_schema", content="I can't do that."),
    outcome("json_schema", content='{"amount": 15', finish_reason="length"),
    outcome("function_calling", tool_calls=[call('{"amount": "x"}')]),
]
print("json_schema, words:         ", seen[0])
print("json_schema, cut:           ", seen[1])
print("function_calling, bad value:", seen[2])
if [s.split()[0] for s in seen] != ["raises", "raises", "returns"]:
    raise SystemExit("changed: the errors are returned")
PY
