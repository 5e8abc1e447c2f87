#!/usr/bin/env bash
# langgraph-sdk 0.4.14
#
# Behaviour: For a run that failed runs.wait raises. runs.join returns a dict with the key __error__ in place of the
#   final state, and runs.stream ends without an error after a part named error.
# Surprise: wait is create followed by join; whoever joins a run later takes the error for the state.
# Seen:
#   wait raises Exception: ValueError: no stock
#   join returns {'__error__': {'error': 'ValueError', 'message': 'no stock'}}
#   stream returns ['error']
set -euo pipefail
cd "$(mktemp -d)"
trap 'rm -rf "$PWD"' EXIT
python3 -m venv venv
venv/bin/pip install -q --no-compile --disable-pip-version-check langgraph-sdk==0.4.14 httpx==0.28.1
venv/bin/python - <<'PY'
import asyncio

import httpx
from langgraph_sdk.client import LangGraphClient

FAILED = {"error": "ValueError", "message": "no stock"}


def client(**answer):
    wire = httpx.MockTransport(lambda request: httpx.Response(200, **answer))
    return LangGraphClient(httpx.AsyncClient(transport=wire, base_url="http://server.test"))


async def outcome(call):
    try:
        return f"returns {await call}"
    except Exception as error:
        return f"raises {type(error).__name__}: {error}"


async def streamed():
    events = 'event: error\ndata: {"error": "ValueError", "message": "no stock"}\n\n'
    runs = client(text=events, headers={"content-type": "text/event-stream"}).runs
    return [part.event async for part in runs.stream("thread", "graph", input={})]


async def main():
    runs = client(json={"__error__": FAILED}).runs
    wait, join = await outcome(runs.wait("thread", "graph", input={})), await outcome(runs.join("thread", "run"))
    return {"wait": wait, "join": join, "stream": await outcome(streamed())}


outcomes = asyncio.run(main())
for name, what in outcomes.items():
    print(f"{name} {what}")
if [what.split()[0] for what in outcomes.values()] != ["raises", "returns", "returns"]:
    raise SystemExit("changed: they agree about a failed run")
PY
