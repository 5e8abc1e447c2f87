#!/usr/bin/env bash
# langgraph 1.2.24
#
# Behaviour: A task is called in an entrypoint and its future is not asked for a result. The run waits for it to end,
#   and when it fails, the run returns its value all the same: no error, no warning, nothing in the log, nothing in the
#   thread's state and nothing to resume. The stream of tasks tells of it.
# Surprise: The run does wait for the task, so it is not fire and forget; asyncio and concurrent.futures at least
#   warn of an exception that nobody took, and in a graph a failing branch fails the run.
# Seen:
#   the run waited for the task: True
#   the run returned: order placed
#   next (), errors [], lines in the log 0
set -euo pipefail
cd "$(mktemp -d)"
trap 'rm -rf "$PWD"' EXIT
python3 -m venv venv
venv/bin/pip install -q --no-compile --disable-pip-version-check langgraph==1.2.24 langgraph-checkpoint==4.3.2
venv/bin/python - <<'PY'
import logging
import time
import warnings

from langgraph.checkpoint.memory import InMemorySaver
from langgraph.func import entrypoint, task

warnings.simplefilter("error")
records = []
handler = logging.Handler()
handler.emit = records.append
logging.getLogger().addHandler(handler)
ran = []


@task
def tell_the_warehouse(order):
    time.sleep(0.3)
    ran.append(order)
    raise ConnectionError("the warehouse does not answer")


@entrypoint(checkpointer=InMemorySaver())
def place(order):
    tell_the_warehouse(order)
    return "order placed"


config = {"configurable": {"thread_id": "1"}}
result = place.invoke("A-1", config)
waited = bool(ran)
state = place.get_state(config)
errors = [found.error for found in state.tasks if found.error]
print("the run waited for the task:", waited)
print("the run returned:", result)
print(f"next {state.next}, errors {errors}, lines in the log {len(records)}")
if (waited, result, state.next, errors, records) != (True, "order placed", (), [], []):
    raise SystemExit("changed: the failure is told")
PY
