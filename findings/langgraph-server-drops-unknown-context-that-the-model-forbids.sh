#!/usr/bin/env bash
# langgraph-api 0.16.7 (langgraph dev, langgraph-cli 0.4.40)
#
# Behaviour: A run's context with a key that the context_schema does not have is accepted by the server, and the
#   node runs with defaults, also when the schema is a Pydantic model with extra='forbid'. In the library the same
#   context raises ValidationError.
# Surprise: The model says in so many words that unknown keys are an error; a misspelt limit is a run without the
#   limit.
# Seen:
#   server, context {'limit': 50}: {'limit': 50}
#   server, context {'limmit': 50}: {'limit': 10000}
#   library: ValidationError
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
from langgraph.runtime import Runtime
from pydantic import BaseModel, ConfigDict
from typing_extensions import TypedDict


class Context(BaseModel):
    model_config = ConfigDict(extra="forbid")
    limit: int = 10000


class State(TypedDict):
    limit: int


def pay(state: State, runtime: Runtime[Context]):
    return {"limit": runtime.context.limit}


graph = StateGraph(State, context_schema=Context).add_node(pay).add_edge(START, "pay").compile()
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
    results = []
    for context in ({"limit": 50}, {"limmit": 50}):
        results.append(await client.runs.wait(None, "shop", input={"limit": 0}, context=context))
        print(f"server, context {context}: {results[-1]}")
    return results


command = ["venv/bin/langgraph", "dev", "--no-browser", "--no-reload", "--port", str(port)]
server = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
try:
    seen = asyncio.run(main())
finally:
    server.terminate()
    server.wait(30)
from shop import graph  # noqa: E402

try:
    print("library:", graph.invoke({"limit": 0}, context={"limmit": 50}))
except ValueError as error:
    print("library:", type(error).__name__)
if seen != [{"limit": 50}, {"limit": 10000}]:
    raise SystemExit("changed: the server refuses it")
PY
