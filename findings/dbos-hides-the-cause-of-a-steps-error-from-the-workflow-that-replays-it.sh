#!/usr/bin/env bash
# dbos 3.4.0
#
# Behaviour: An error that a step raised "from" another has its __cause__ in the workflow that ran the step, and none
#   in the workflow that replays it after a restart or from a fork. A branch on the cause is taken the other way.
# Surprise: Steps are recorded so that the workflow sees the same again; clients of HTTP and of banks raise an error of
#   their own from the timeout or the refused connection, and that is what tells "may have been done" from "was not".
# Seen:
#   run:    the payment may have been taken
#   replay: the payment was not taken
set -euo pipefail
cd "$(mktemp -d)"
trap 'rm -rf "$PWD"' EXIT
python3 -m venv venv
venv/bin/pip install -q --no-compile --disable-pip-version-check dbos==3.4.0
venv/bin/python - <<'PY'
import logging

from dbos import DBOS, SetWorkflowID

logging.disable(logging.CRITICAL)


class BankError(Exception):
    pass


DBOS(config={"name": "shop", "system_database_url": "sqlite:///dbos.sqlite", "run_admin_server": False})


@DBOS.step()
def capture():
    try:
        raise TimeoutError("no answer")
    except TimeoutError as error:
        raise BankError("capture failed") from error


@DBOS.step()
def write_down(outcome):
    return outcome


@DBOS.workflow()
def pay():
    try:
        capture()
    except BankError as error:
        taken = isinstance(error.__cause__, TimeoutError)
        return write_down("the payment may have been taken" if taken else "the payment was not taken")


DBOS.launch()
try:
    with SetWorkflowID("order-1"):
        run = pay()
    replay = DBOS.fork_workflow("order-1", 2).get_result()  # the first step is replayed
finally:
    DBOS.destroy()
print("run:   ", run)
print("replay:", replay)
if (run, replay) != ("the payment may have been taken", "the payment was not taken"):
    raise SystemExit("changed: a replayed error has its cause")
PY
