#!/usr/bin/env bash
# langgraph-sdk 0.4.14
#
# Behaviour: runs.create(command={'resume': None}) sends an empty command: keys whose value is None are taken out.
#   False, 0 and an empty text are sent.
# Surprise: None is a value that an interrupt can be answered with in langgraph itself, and the caller named the
#   key; the server sees a run without an answer.
# Seen:
#   resume None is sent as {}
#   resume False is sent as {'resume': False}
#   resume '' is sent as {'resume': ''}
set -euo pipefail
cd "$(mktemp -d)"
trap 'rm -rf "$PWD"' EXIT
python3 -m venv venv
venv/bin/pip install -q --no-compile --disable-pip-version-check langgraph-sdk==0.4.14 httpx==0.28.1
venv/bin/python - <<'PY'
import asyncio
import json

import httpx
from langgraph_sdk.client import LangGraphClient

sent = []


def server(request):
    sent.append(json.loads(request.content)["command"])
    return httpx.Response(200, json={})


async def main():
    wire = httpx.AsyncClient(transport=httpx.MockTransport(server), base_url="http://server.test")
    for answer in (None, False, ""):
        await LangGraphClient(wire).runs.create("thread", "graph", command={"resume": answer})
        print(f"resume {answer!r} is sent as {sent[-1]}")


asyncio.run(main())
if sent != [{}, {"resume": False}, {"resume": ""}]:
    raise SystemExit("changed: None is sent")
PY
