#!/usr/bin/env bash
# langgraph 1.2.24
#
# Behaviour: A hit in the node cache brings back not only the node's update but also where its conditional edge went
#   at the time. The router does not run: a second input with the same cache key, whose state would be routed
#   elsewhere, goes the first one's way.
# Surprise: The cache policy is on the node, and the router is a separate function that reads the state; one expects
#   only the node's own result to be cached.
# Seen:
#   tier gold:  ['price', 'gold']
#   tier plain: ['price', 'gold']
set -euo pipefail
cd "$(mktemp -d)"
trap 'rm -rf "$PWD"' EXIT
python3 -m venv venv
venv/bin/pip install -q --no-compile --disable-pip-version-check langgraph==1.2.24 langgraph-checkpoint==4.3.2
venv/bin/python - <<'PY'
import operator
from typing import Annotated, TypedDict

from langgraph.cache.memory import InMemoryCache
from langgraph.graph import START, StateGraph
from langgraph.types import CachePolicy


class State(TypedDict):
    sku: str
    tier: str
    ran: Annotated[list, operator.add]


graph = (
    StateGraph(State)
    .add_node("price", lambda s: {"ran": ["price"]}, cache_policy=CachePolicy(key_func=lambda s: s["sku"]))
    .add_node("gold", lambda s: {"ran": ["gold"]})
    .add_node("plain", lambda s: {"ran": ["plain"]})
    .add_edge(START, "price")
    .add_conditional_edges("price", lambda s: s["tier"], ["gold", "plain"])
    .compile(cache=InMemoryCache())
)
first = graph.invoke({"sku": "A", "tier": "gold"})
second = graph.invoke({"sku": "A", "tier": "plain"})
print("tier gold: ", first["ran"])
print("tier plain:", second["ran"])
if second["ran"] != ["price", "gold"]:
    raise SystemExit("changed: the router runs after a hit")
PY
