#!/usr/bin/env bash
# langgraph-api 0.16.7 (langgraph dev, langgraph-cli 0.4.40)
#
# Behaviour: A run that stopped at an interrupt has the status success. So has a run that resumes with the id of an
#   interrupt that is not there: it answers nothing, and the question stays.
# Surprise: In the library there is a value to look at; over the API the status is what one polls and what webhooks
#   carry, and both runs have done nothing that was asked of them.
# Seen:
#   {'input': {'answer': ''}}: the run is success, the thread is interrupted
#   {'command': {'resume': {'00000000000000000000000000000000': 'yes'}}}: the run is success, the thread is interrupted
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
from pathlib import Path

import httpx
from langgraph_sdk import get_client

Path("shop.py").write_text("""
from langgraph.graph import START, StateGraph
from langgraph.types import interrupt
from typing_extensions import TypedDict


class State(TypedDict):
    answer: str


graph = StateGraph(State).add_node("ask", lambda s: {"answer": interrupt("ship?")}).add_edge(START, "ask").compile()
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
    statuses = []
    for what in ({"input": {"answer": ""}}, {"command": {"resume": {"0" * 32: "yes"}}}):
        run = await client.runs.create(thread, "shop", **what)
        await client.runs.join(thread, run["run_id"])
        run, now = await client.runs.get(thread, run["run_id"]), await client.threads.get(thread)
        statuses.append((run["status"], now["status"]))
        print(f"{what}: the run is {run['status']}, the thread is {now['status']}")
    return statuses


command = ["venv/bin/langgraph", "dev", "--no-browser", "--no-reload", "--port", str(port)]
server = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
try:
    seen = asyncio.run(main())
finally:
    server.terminate()
    server.wait(30)
if seen != [("success", "interrupted")] * 2:
    raise SystemExit("changed: the runs say that they wait")
PY
