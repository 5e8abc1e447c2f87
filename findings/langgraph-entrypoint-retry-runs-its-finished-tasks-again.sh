#!/usr/bin/env bash
# langgraph 1.2.24
#
# Behaviour: When an entrypoint with a retry policy is tried again, the tasks that had finished in the failed attempt
#   run again, although a checkpointer has saved their results. An invoke(None) after the same failure does not run
#   them again.
# Surprise: Tasks are there so that finished work is not repeated, and the results are saved as each one ends; a
#   retry by the policy and one by hand are expected to find the same results. A task that charges a card charges it
#   once per attempt.
# Seen:
#   retry by the policy: charged 3 times
#   retry by hand:       charged 1 times
set -euo pipefail
cd "$(mktemp -d)"
trap 'rm -rf "$PWD"' EXIT
python3 -m venv venv
venv/bin/pip install -q --no-compile --disable-pip-version-check langgraph==1.2.24 langgraph-checkpoint==4.3.2
venv/bin/python - <<'PY'
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.func import entrypoint, task
from langgraph.types import RetryPolicy

charges, attempts = [], []


@task
def charge(amount):
    charges.append(amount)
    return f"charge-{len(charges)}"


def order(amount):
    receipt = charge(amount).result()
    attempts.append(amount)
    if len(attempts) < 3:
        raise ConnectionError("the warehouse does not answer")
    return receipt


policy = RetryPolicy(initial_interval=0.01, jitter=False, max_attempts=3)
config = {"configurable": {"thread_id": "1"}}
entrypoint(checkpointer=InMemorySaver(), retry_policy=policy)(order).invoke(90, config)
by_policy = len(charges)

charges.clear()
attempts.clear()
workflow = entrypoint(checkpointer=InMemorySaver())(order)
value = 90
for _ in range(3):
    try:
        workflow.invoke(value, config)
    except ConnectionError:
        value = None
by_hand = len(charges)
print("retry by the policy: charged", by_policy, "times")
print("retry by hand:       charged", by_hand, "times")
if (by_policy, by_hand) != (3, 1):
    raise SystemExit("changed: both retries find the finished task's result")
PY
