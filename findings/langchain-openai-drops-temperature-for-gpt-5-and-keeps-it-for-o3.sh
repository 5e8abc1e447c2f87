#!/usr/bin/env bash
# langchain-openai 1.7.4 with openai 3.57.0
#
# Behaviour: ChatOpenAI(model='gpt-5', temperature=0.2) sends no temperature, and nothing is said; for o3-mini,
#   which knows no temperature either, and for a deployment of another name it is sent.
# Surprise: What a caller sets explicitly is expected to go out, or to be refused; here the same setting depends on
#   how the model's name begins.
# Seen:
#   gpt-4o: 0.2
#   gpt-5: not sent
#   gpt-5-mini: not sent
#   o3-mini: 0.2
#   our-gpt-5: 0.2
set -euo pipefail
cd "$(mktemp -d)"
trap 'rm -rf "$PWD"' EXIT
python3 -m venv venv
venv/bin/pip install -q --no-compile --disable-pip-version-check langchain-core==1.8.3 langchain-openai==1.7.4 openai==3.57.0 httpx==0.28.1
venv/bin/python - <<'PY'
import json

import httpx
from langchain_openai import ChatOpenAI

sent = {}


def answer(request):
    body = json.loads(request.content)
    sent[body["model"]] = body.get("temperature", "not sent")
    return httpx.Response(500)


for name in ("gpt-4o", "gpt-5", "gpt-5-mini", "o3-mini", "our-gpt-5"):
    client = httpx.Client(transport=httpx.MockTransport(answer))
    model = ChatOpenAI(
        model=name, temperature=0.2, base_url="http://model.test/v1", api_key="k", http_client=client, max_retries=0
    )
    try:
        model.invoke("hello")
    except Exception as error:
        assert "500" in str(error), error
for name, temperature in sent.items():
    print(f"{name}: {temperature}")
if (sent["gpt-5"], sent["o3-mini"], sent["our-gpt-5"]) != ("not sent", 0.2, 0.2):
    raise SystemExit("changed: what is set goes out")
PY
