#!/usr/bin/env bash
# langchain-openai 1.7.4 with openai 3.57.0
#
# Behaviour: An answer with status 200 that has no choices, is HTML, or is an error object, as gateways send it,
#   comes out as IndexError, ValueError or TypeError. None is an OpenAIError, and none is retried by max_retries.
# Surprise: One catches openai.OpenAIError for whatever goes wrong between here and the model, and these look like
#   bugs of one's own.
# Seen:
#   no choices: IndexError, an OpenAIError: False, calls: 1
#   null choices: TypeError, an OpenAIError: False, calls: 1
#   a login page: ValueError, an OpenAIError: False, calls: 1
#   an error object: ValueError, an OpenAIError: False, calls: 1
set -euo pipefail
cd "$(mktemp -d)"
trap 'rm -rf "$PWD"' EXIT
python3 -m venv venv
venv/bin/pip install -q --no-compile --disable-pip-version-check langchain-core==1.8.3 langchain-openai==1.7.4 openai==3.57.0 httpx==0.28.1
venv/bin/python - <<'PY'
import httpx
import openai
from langchain_openai import ChatOpenAI

BODIES = {
    "no choices": ("application/json", '{"id": "1", "object": "chat.completion", "model": "m", "choices": []}'),
    "null choices": ("application/json", '{"id": "1", "object": "chat.completion", "model": "m", "choices": null}'),
    "a login page": ("text/html", "<html>sign in</html>"),
    "an error object": ("application/json", '{"error": {"message": "overloaded"}}'),
}
plain = {}
for name, (kind, body) in BODIES.items():
    calls = []

    def answer(request):
        calls.append(1)
        return httpx.Response(200, text=body, headers={"content-type": kind})

    client = httpx.Client(transport=httpx.MockTransport(answer))
    try:
        ChatOpenAI(model="m", base_url="http://model.test/v1", api_key="k", http_client=client).invoke("hello")
    except Exception as error:
        plain[name] = not isinstance(error, openai.OpenAIError)
        print(f"{name}: {type(error).__name__}, an OpenAIError: {not plain[name]}, calls: {len(calls)}")
if list(plain.values()) != [True] * len(BODIES):
    raise SystemExit("changed: they are errors of the API")
PY
