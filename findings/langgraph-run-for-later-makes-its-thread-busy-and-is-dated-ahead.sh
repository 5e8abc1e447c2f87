#!/usr/bin/env bash
# langgraph-api 0.16.7 (langgraph dev, langgraph-cli 0.4.40)
#
# Behaviour: A run with after_seconds makes its thread busy from the moment that it is created: another run with
#   multitask_strategy='reject' gets 409 while nothing runs. Its created_at is the time at which it is due, in the
#   future.
# Surprise: A reminder for tomorrow is not expected to stop today's work, and created_at is a time that has been.
# Seen:
#   the run for later was created 60 minutes from now, its thread is busy
#   another run beside it, with reject: 409
set -euo pipefail
cd "$(mktemp -d)"
trap 'rm -rf "$PWD"' EXIT
python3 -m venv venv
venv/bin/pip install -q --no-compile --disable-pip-version-check 'langgraph-cli[inmem]==0.4.40' langgraph-api==0.16.7 langgraph-runtime-inmem==0.36.7 langgraph==1.2.24 langgraph-sdk==0.4.14
venv/bin/python - <<'PY'
import asyncio
import json
import socket
import subprocess
from datetime import datetime, timezone
from pathlib import Path

import httpx
from langgraph_sdk import get_client

Path("shop.py").write_text("""
from langgraph.graph import START, StateGraph
from typing_extensions import TypedDict


class State(TypedDict):
    note: str


graph = StateGraph(State).add_node("n", lambda s: {"note": "done"}).add_edge(START, "n").compile()
""")
Path("langgraph.json").write_text(json.dumps({"dependencies": ["."], "graphs": {"shop": "./shop.py:graph"}}))
with socket.socket() as probe:
    probe.bind(("127.0.0.1", 0))
    port = probe.getsockname()[1]
url = f"http://127.0.0.1:{port}"


async def started():
    async with httpx.AsyncClient() as client:
        for _ in range(120):
            try:
                return (await client.get(f"{url}/ok")).raise_for_status()
            except httpx.HTTPError:
                await asyncio.sleep(0.5)
    raise SystemExit("the server does not start")


async def main():
    await started()
    client = get_client(url=url)
    thread = (await client.threads.create())["thread_id"]
    now = datetime.now(timezone.utc)
    later = await client.runs.create(thread, "shop", input={"note": ""}, after_seconds=3600)
    ahead = round((datetime.fromisoformat(later["created_at"]) - now).total_seconds() / 60)
    status = (await client.threads.get(thread))["status"]
    try:
        await client.runs.wait(thread, "shop", input={"note": ""}, multitask_strategy="reject")
        refused = None
    except httpx.HTTPStatusError as error:
        refused = error.response.status_code
    print(f"the run for later was created {ahead} minutes from now, its thread is {status}")
    print("another run beside it, with reject:", refused)
    return ahead, status, refused


command = ["venv/bin/langgraph", "dev", "--no-browser", "--no-reload", "--port", str(port)]
server = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
try:
    seen = asyncio.run(main())
finally:
    server.terminate()
    server.wait(30)
if seen != (60, "busy", 409):
    raise SystemExit("changed: the thread is free until the run is due")
PY
