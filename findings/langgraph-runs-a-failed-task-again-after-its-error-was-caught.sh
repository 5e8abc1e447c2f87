#!/usr/bin/env bash
# langgraph 1.2.24
#
# Behaviour: In the functional API a task's result is remembered, a task's error is not. When the entrypoint caught
#   the error, went on to its plan B and then asked a person, the resume runs the failed task again, and if it works
#   this time the workflow takes plan A.
# Surprise: Replay is expected to go the way that was gone before: the person answers about plan B, and plan A is
#   carried out.
# Seen:
#   asked: post, 5.00
#   done:  courier, 40.00: approved
set -euo pipefail
cd "$(mktemp -d)"
trap 'rm -rf "$PWD"' EXIT
python3 -m venv venv
venv/bin/pip install -q --no-compile --disable-pip-version-check langgraph==1.2.24 langgraph-checkpoint==4.3.2
venv/bin/python - <<'PY'
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.func import entrypoint, task
from langgraph.types import Command, interrupt

calls = []


@task
def by_courier():
    calls.append(1)
    if len(calls) == 1:
        raise ConnectionError("no courier")
    return "courier, 40.00"


@entrypoint(checkpointer=InMemorySaver())
def ship(order):
    try:
        plan = by_courier().result()
    except ConnectionError:
        plan = "post, 5.00"
    answer = interrupt(plan)
    return f"{plan}: {answer}"


thread = {"configurable": {"thread_id": "1"}}
asked = ship.invoke("order", thread)["__interrupt__"][0].value
done = ship.invoke(Command(resume="approved"), thread)
print("asked:", asked)
print("done: ", done)
if (asked, done) != ("post, 5.00", "courier, 40.00: approved"):
    raise SystemExit("changed: the error is remembered")
PY
