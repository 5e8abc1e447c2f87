#!/usr/bin/env bash
# langgraph 1.2.24 with openai 3.57.0
#
# Behaviour: RetryPolicy's default retry_on repeats what the openai client raises for a bad request or a wrong key
#   (400, 401), and does not repeat the builtin TimeoutError, nor any other OSError but ConnectionError.
# Surprise: For httpx errors the same default knows that a 4xx is final; a timeout is what most people put a retry
#   policy there for.
# Seen:
#   attempts of two: {'openai 400': 2, 'openai 401': 2, 'httpx 400': 1, 'TimeoutError': 1}
set -euo pipefail
cd "$(mktemp -d)"
trap 'rm -rf "$PWD"' EXIT
python3 -m venv venv
venv/bin/pip install -q --no-compile --disable-pip-version-check langgraph==1.2.24 langgraph-checkpoint==4.3.2 openai==3.57.0
venv/bin/python - <<'PY'
from typing import TypedDict

import httpx
import openai
from langgraph.graph import START, StateGraph
from langgraph.types import RetryPolicy


class State(TypedDict):
    n: int


def attempts(error):
    made = []

    def call(state):
        made.append(1)
        raise error

    policy = RetryPolicy(max_attempts=2, initial_interval=0.01, jitter=False)
    graph = StateGraph(State).add_node("call", call, retry_policy=policy).add_edge(START, "call").compile()
    try:
        graph.invoke({"n": 1})
    except type(error):
        return len(made)


def answer(status):
    return httpx.Response(status, request=httpx.Request("POST", "http://model.test"))


ERRORS = {
    "openai 400": openai.BadRequestError("bad", response=answer(400), body=None),
    "openai 401": openai.AuthenticationError("key", response=answer(401), body=None),
    "httpx 400": httpx.HTTPStatusError("bad", request=answer(400).request, response=answer(400)),
    "TimeoutError": TimeoutError(),
}
made = {name: attempts(error) for name, error in ERRORS.items()}
print("attempts of two:", made)
if list(made.values()) != [2, 2, 1, 1]:
    raise SystemExit("changed: the defaults are others")
PY
