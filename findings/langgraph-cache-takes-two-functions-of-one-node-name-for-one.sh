#!/usr/bin/env bash
# langgraph 1.2.24
#
# Behaviour: The default cache key of an async node is the node's name and its input. Two graphs that share a cache
#   and have a node of the same name get each other's results, though the functions behind the name differ.
# Surprise: The key of a sync node, and of a @task, sync or not, has the function in it.
# Seen:
#   in_euro: 9 EUR
#   in_yen:  9 EUR
set -euo pipefail
cd "$(mktemp -d)"
trap 'rm -rf "$PWD"' EXIT
python3 -m venv venv
venv/bin/pip install -q --no-compile --disable-pip-version-check langgraph==1.2.24 langgraph-checkpoint==4.3.2
venv/bin/python - <<'PY'
import asyncio
from typing import TypedDict

from langgraph.cache.memory import InMemoryCache
from langgraph.graph import START, StateGraph
from langgraph.types import CachePolicy


class State(TypedDict):
    sku: str
    price: str


async def in_euro(state):
    return {"price": "9 EUR"}


async def in_yen(state):
    return {"price": "1500 JPY"}


cache = InMemoryCache()


async def price(node):
    graph = StateGraph(State).add_node("price", node, cache_policy=CachePolicy()).add_edge(START, "price")
    return (await graph.compile(cache=cache).ainvoke({"sku": "A"}))["price"]


async def main():
    return await price(in_euro), await price(in_yen)


euro, yen = asyncio.run(main())
print("in_euro:", euro)
print("in_yen: ", yen)
if yen != euro:
    raise SystemExit("changed: the function is part of the key")
PY
