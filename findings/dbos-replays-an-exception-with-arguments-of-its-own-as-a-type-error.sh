#!/usr/bin/env bash
# dbos 3.4.0
#
# Behaviour: A workflow that failed with an exception whose __init__ takes two arguments raises that exception the
#   first time. Called again with the same id, or looked up, it raises TypeError: missing 1 required positional
#   argument.
# Surprise: The stored outcome is expected to be the same outcome; code that tells a refusal from a bug by the class
#   takes the other branch on a replay.
# Seen:
#   first: Refused: 51: no funds
#   again: TypeError: Refused.__init__() missing 1 required positional argument: 'reason'
#   looked up: TypeError: Refused.__init__() missing 1 required positional argument: 'reason'
set -euo pipefail
cd "$(mktemp -d)"
trap 'rm -rf "$PWD"' EXIT
python3 -m venv venv
venv/bin/pip install -q --no-compile --disable-pip-version-check dbos==3.4.0
venv/bin/python - <<'PY'
import logging

from dbos import DBOS, SetWorkflowID

logging.disable(logging.CRITICAL)


class Refused(Exception):
    def __init__(self, code, reason):
        super().__init__(f"{code}: {reason}")


DBOS(config={"name": "shop", "system_database_url": "sqlite:///dbos.sqlite", "run_admin_server": False})


@DBOS.workflow()
def pay():
    raise Refused(51, "no funds")


def outcome(call):
    try:
        return call()
    except Exception as error:
        return f"{type(error).__name__}: {error}"


def once():
    with SetWorkflowID("order-1"):
        return pay()


DBOS.launch()
outcomes = outcome(once), outcome(once), outcome(DBOS.retrieve_workflow("order-1").get_result)
DBOS.destroy()
for name, text in zip(("first", "again", "looked up"), outcomes):
    print(f"{name}: {text}")
if [text.split(":")[0] for text in outcomes] != ["Refused", "TypeError", "TypeError"]:
    raise SystemExit("changed: the replay raises the same")
PY
