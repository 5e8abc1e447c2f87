#!/usr/bin/env bash
# langsmith 0.15.1
#
# Behaviour: Each run's metadata carries the process's environment variables whose names begin with LANGSMITH_ or
#   LANGCHAIN_, unknown ones included; names that contain a word like key, token or secret are left out.
# Surprise: A tracer's settings are read by the client; one does not expect them in the trace beside the customer's
#   metadata.
# Seen:
#   in the metadata: ['LANGSMITH_SHOP_NOTE', 'LANGSMITH_TRACING']
#   our variable:    our own words
set -euo pipefail
cd "$(mktemp -d)"
trap 'rm -rf "$PWD"' EXIT
python3 -m venv venv
venv/bin/pip install -q --no-compile --disable-pip-version-check langsmith==0.15.1 requests==2.34.2
venv/bin/python - <<'PY'
import json
import os

os.environ |= {"LANGSMITH_TRACING": "true", "LANGSMITH_API_KEY": "k", "LANGSMITH_SHOP_NOTE": "our own words"}

import requests  # noqa: E402
from langsmith import Client, traceable  # noqa: E402

sent = []


class Wire(requests.Session):
    def request(self, method, url, **options):
        sent.append(json.loads(options["data"]))
        answer = requests.Response()
        answer.status_code = 200
        return answer


client = Client(api_url="http://traces.test", session=Wire(), auto_batch_tracing=False, info={})


@traceable(client=client)
def price(sku):
    return 1


price("A")
metadata = sent[0]["extra"]["metadata"]
names = sorted(name for name in metadata if name.startswith("LANG"))
print("in the metadata:", names)
print("our variable:   ", metadata.get("LANGSMITH_SHOP_NOTE"))
if metadata.get("LANGSMITH_SHOP_NOTE") != "our own words":
    raise SystemExit("changed: the environment stays here")
PY
