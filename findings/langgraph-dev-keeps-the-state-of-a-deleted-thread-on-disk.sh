#!/usr/bin/env bash
# langgraph-runtime-inmem 0.36.7 (langgraph dev, langgraph-cli 0.4.40)
#
# Behaviour: DELETE /threads/{id} takes the thread and its list of checkpoints away, and leaves the values of its state and
#   what its nodes wrote (.langgraph_api/.langgraph_checkpoint.2.pckl and .3.pckl), also after the server has stopped in
#   good order and started again. Its own InMemorySaver.delete_thread would take all three.
# Surprise: What was deleted is still on the disk, in memory at each start, and grows for ever.
# Seen:
#   GET of the thread after its deletion: 404
#   the word is in: .langgraph_checkpoint.2.pckl .langgraph_checkpoint.3.pckl
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

WORD = "elderberry"
Path("shop.py").write_text("""
from langgraph.graph import START, StateGraph
from typing_extensions import TypedDict


class State(TypedDict):
    note: str


graph = StateGraph(State).add_node("n", lambda s: {"note": s["note"] + "!"}).add_edge(START, "n").compile()
""")
Path("langgraph.json").write_text(json.dumps({"dependencies": ["."], "graphs": {"shop": "./shop.py:graph"}}))
with socket.socket() as probe:
    probe.bind(("127.0.0.1", 0))
    port = probe.getsockname()[1]
url = f"http://127.0.0.1:{port}"
command = ["venv/bin/langgraph", "dev", "--no-browser", "--no-reload", "--port", str(port)]


async def started():
    async with httpx.AsyncClient() as client:
        for _ in range(120):
            try:
                return (await client.get(f"{url}/ok")).raise_for_status()
            except httpx.HTTPError:
                await asyncio.sleep(0.5)
    raise SystemExit("the server does not start")


async def delete_one():
    await started()
    client = get_client(url=url)
    thread = (await client.threads.create())["thread_id"]
    await client.runs.wait(thread, "shop", input={"note": WORD})
    await client.runs.wait(None, "shop", input={"note": "something else"})
    await client.threads.delete(thread)
    async with httpx.AsyncClient() as plain:
        return (await plain.get(f"{url}/threads/{thread}")).status_code


def served(act):
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        return asyncio.run(act())
    finally:
        server.terminate()
        server.wait(60)


status = served(delete_one)
served(started)
left = sorted(file.name for file in Path(".langgraph_api").iterdir() if WORD.encode() in file.read_bytes())
print("GET of the thread after its deletion:", status)
print("the word is in:", *left)
if status != 404 or not {".langgraph_checkpoint.2.pckl", ".langgraph_checkpoint.3.pckl"} <= set(left):
    raise SystemExit("changed: what is deleted is gone")
PY
