#!/usr/bin/env bash
# langchain-openai 1.7.4 with openai 3.57.0
#
# Behaviour: with_structured_output(method='function_calling') returns None for a tool call whose arguments were cut
#   in the middle, or for words in place of a call. With include_raw=True both parsed and parsing_error are None.
# Surprise: Arguments of the wrong type raise ValidationError; arguments that are no JSON at all are the worse case
#   and raise nothing.
# Seen:
#   cut:                   None
#   cut, with include_raw: {'parsed': None, 'parsing_error': None}
#   wrong type:            ValidationError
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


def outcome(raw, **answer):
    chain = model(**answer).with_structured_output(Refund, method="function_calling", include_raw=raw)
    try:
        result = chain.invoke("x")
    except ValueError as error:
        return type(error).__name__
    return {key: result[key] for key in ("parsed", "parsing_error")} if raw else result


cut = {"tool_calls": [call('{"amount": 15')], "finish_reason": "length"}
seen = outcome(False, **cut), outcome(True, **cut), outcome(False, tool_calls=[call('{"amount": "x"}')])
print("cut:                  ", seen[0])
print("cut, with include_raw:", seen[1])
print("wrong type:           ", seen[2])
if seen[0] is not None or any(seen[1].values()):
    raise SystemExit("changed: a cut call is told")
PY
