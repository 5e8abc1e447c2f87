#!/usr/bin/env bash
# langgraph-api 0.16.7 (langgraph dev, langgraph-cli 0.4.40)
#
# Behaviour: threads.copy of a thread that waits at an interrupt gives a thread with the status idle and without values
#   or interrupts. Its state is copied whole: get_state shows the question, and an answer to it is taken. A search for
#   interrupted threads finds the first thread only.
# Surprise: A copy is the same in everything but its id, and the two calls of one server contradict each other about one
#   thread. A list of open questions, made by a search, leaves the copy out, and it waits unseen.
# Seen:
#   first thread: status interrupted, interrupts ['Refund 90 EUR?'], get_state ['Refund 90 EUR?'], found True
#   its copy:     status idle, interrupts [], get_state ['Refund 90 EUR?'], found False
#   an answer to the copy: refund yes
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
    refund: str


def approve(state):
    return {"refund": interrupt("Refund 90 EUR?")}


graph = StateGraph(State).add_node("approve", approve).add_edge(START, "approve").compile()
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


async def told(client, thread):
    found = await client.threads.search(status="interrupted")
    row = await client.threads.get(thread)
    questions = [question["value"] for asked in (row.get("interrupts") or {}).values() for question in asked]
    state = [question["value"] for question in (await client.threads.get_state(thread))["interrupts"]]
    return row["status"], questions, state, thread in [one["thread_id"] for one in found]


async def main():
    await started()
    client = get_client(url=url)
    thread = (await client.threads.create())["thread_id"]
    await client.runs.wait(thread, "shop", input={"refund": ""})
    copy = (await client.threads.copy(thread))["thread_id"]
    seen = await told(client, thread), await told(client, copy)
    answer = await client.runs.wait(copy, "shop", command={"resume": "yes"})
    for label, (status, questions, state, found) in zip(("first thread:", "its copy:    "), seen):
        print(f"{label} status {status}, interrupts {questions}, get_state {state}, found {found}")
    print("an answer to the copy: refund", answer["refund"])
    return seen[1]


command = ["venv/bin/langgraph", "dev", "--no-browser", "--no-reload", "--port", str(port)]
server = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
try:
    seen = asyncio.run(main())
finally:
    server.terminate()
    server.wait(30)
if seen != ("idle", [], ["Refund 90 EUR?"], False):
    raise SystemExit("changed: the copy waits as the first thread does")
PY
