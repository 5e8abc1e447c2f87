#!/usr/bin/env bash
# langgraph 1.2.24
#
# Behaviour: RetryPolicy's jitter adds up to a whole second after max_interval was applied, whatever the size of the
#   intervals. With max_interval=0.001 retries wait about half a second on average.
# Surprise: A maximum is expected to hold, and jitter to be a part of the interval.
# Seen:
#   max_interval 0.001 s, longest of 12 waits 0.97 s
set -euo pipefail
cd "$(mktemp -d)"
trap 'rm -rf "$PWD"' EXIT
python3 -m venv venv
venv/bin/pip install -q --no-compile --disable-pip-version-check langgraph==1.2.24 langgraph-checkpoint==4.3.2
venv/bin/python - <<'PY'
import time
from typing import TypedDict

from langgraph.graph import START, StateGraph
from langgraph.types import RetryPolicy


class State(TypedDict):
    n: int


at = []


def call(state):
    at.append(time.monotonic())
    raise ConnectionError


policy = RetryPolicy(max_attempts=13, initial_interval=0.001, max_interval=0.001)
graph = StateGraph(State).add_node("call", call, retry_policy=policy).add_edge(START, "call").compile()
try:
    graph.invoke({"n": 1})
except ConnectionError:
    pass
waits = [later - sooner for sooner, later in zip(at, at[1:])]
print(f"max_interval 0.001 s, longest of 12 waits {max(waits):.2f} s")
if max(waits) < 0.1:
    raise SystemExit("changed: max_interval holds")
PY
