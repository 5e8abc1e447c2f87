#!/usr/bin/env bash
# langgraph 1.2.24
#
# Behaviour: With a list of retry policies a node has one attempt counter for all of them. After two failures of the
#   first kind, a policy of three attempts for the second kind gives up at its first failure.
# Surprise: Each policy has a max_attempts of its own, and one expects it to count the failures that the policy is
#   for.
# Seen:
#   attempts: ['ValueError', 'ValueError', 'KeyError']
set -euo pipefail
cd "$(mktemp -d)"
trap 'rm -rf "$PWD"' EXIT
python3 -m venv venv
venv/bin/pip install -q --no-compile --disable-pip-version-check langgraph==1.2.24 langgraph-checkpoint==4.3.2
venv/bin/python - <<'PY'
from typing import TypedDict

from langgraph.graph import START, StateGraph
from langgraph.types import RetryPolicy


class State(TypedDict):
    n: int


raised = []


def call(state):
    raised.append(KeyError if len(raised) >= 2 else ValueError)
    raise raised[-1]


def three_of(kind):
    return RetryPolicy(max_attempts=3, initial_interval=0.01, jitter=False, retry_on=kind)


policies = [three_of(ValueError), three_of(KeyError)]
graph = StateGraph(State).add_node("call", call, retry_policy=policies).add_edge(START, "call").compile()
try:
    graph.invoke({"n": 1})
except KeyError:
    pass
print("attempts:", [kind.__name__ for kind in raised])
if raised != [ValueError, ValueError, KeyError]:
    raise SystemExit("changed: the policies count for themselves")
PY
