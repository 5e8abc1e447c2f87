#!/usr/bin/env bash
# langchain-openai 1.7.4 with openai 3.57.0
#
# Behaviour: When the model answers with two calls of the schema's tool,
#   with_structured_output(method='function_calling') returns the first and drops the second, also with
#   include_raw=True, where parsing_error is None.
# Surprise: Two different answers to one question are no answer; other shapes that don't fit raise.
# Seen:
#   answered: amount 1, and amount 2
#   parsed:   Refund(amount=1) - parsing_error: None
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


two = {"tool_calls": [call('{"amount": 1}'), call('{"amount": 2}')]}
result = model(**two).with_structured_output(Refund, method="function_calling", include_raw=True).invoke("x")
print("answered: amount 1, and amount 2")
print("parsed:  ", repr(result["parsed"]), "- parsing_error:", result["parsing_error"])
if (result["parsed"], result["parsing_error"]) != (Refund(amount=1), None):
    raise SystemExit("changed: two answers are told")
PY
