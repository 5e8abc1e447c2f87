#!/usr/bin/env bash
# langgraph 1.2.24
#
# Behaviour: A CancelledError that comes up inside a node (a library's cancelled inner task, say) ends the run as
#   NodeCancelledError after one attempt, even with retry_on=lambda error: True. NodeCancelledError is an ordinary
#   Exception.
# Surprise: retry_on is asked about every other exception, and the run itself was not cancelled.
# Seen:
#   NodeCancelledError - attempts: 1 - retry_on was asked 0 times
set -euo pipefail
cd "$(mktemp -d)"
trap 'rm -rf "$PWD"' EXIT
python3 -m venv venv
venv/bin/pip install -q --no-compile --disable-pip-version-check langgraph==1.2.24 langgraph-checkpoint==4.3.2
venv/bin/python - <<'PY'
import asyncio
from typing import TypedDict

from langgraph.graph import START, StateGraph
from langgraph.types import RetryPolicy


class State(TypedDict):
    n: int


attempts = []
asked = []


async def call(state):
    attempts.append(1)
    inner = asyncio.create_task(asyncio.sleep(9))
    inner.cancel()
    await inner


def retry_on(error):
    asked.append(error)
    return True


policy = RetryPolicy(max_attempts=3, initial_interval=0.01, jitter=False, retry_on=retry_on)
graph = StateGraph(State).add_node("call", call, retry_policy=policy).add_edge(START, "call").compile()
try:
    asyncio.run(graph.ainvoke({"n": 1}))
except Exception as error:
    print(type(error).__name__, "- attempts:", len(attempts), "- retry_on was asked", len(asked), "times")
    if (len(attempts), len(asked)) == (1, 0):
        raise SystemExit(0)
raise SystemExit("changed: the attempt is repeated")
PY
