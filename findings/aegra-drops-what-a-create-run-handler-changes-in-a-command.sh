#!/usr/bin/env bash
# aegra-api 0.11.0 with langgraph-sdk 0.4.14
#
# Behaviour: Of what an `@auth.on.threads.create_run` handler changes in its value, config and context reach the run, and
#   command, input, metadata and multitask_strategy do not. A filter that it returns restricts nothing.
# Surprise: On the platform the value is what runs, so that a handler can address an answer to its interrupt; and a
#   filter keeps callers off threads that are not theirs.
# Seen:
#   context: {'checked': True}
#   command: {'resume': 'yes'}
set -euo pipefail
cd "$(mktemp -d)"
trap 'rm -rf "$PWD"' EXIT
"${PYTHON:-python3.12}" -m venv venv
venv/bin/pip install -q --no-compile --disable-pip-version-check aegra-api==0.11.0 langgraph-sdk==0.4.14
echo '{"graphs": {}, "auth": {"path": "./guard.py:auth"}}' > aegra.json
cat > guard.py <<'PY'
from langgraph_sdk import Auth

auth = Auth()


@auth.on.threads.create_run
async def address(ctx, value):
    value["command"]["resume"] = {"0" * 32: value["command"]["resume"]}
    value["context"] = {"checked": True}


@auth.on
async def others(ctx, value):
    return True
PY
AEGRA_CONFIG=aegra.json venv/bin/python - <<'PY'
import asyncio

import structlog

structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(50))  # nothing of the engine's own

from aegra_api.api.runs import _apply_create_run_auth
from aegra_api.models import RunCreate, User

run = RunCreate(assistant_id="any", command={"resume": "yes"})
asyncio.run(_apply_create_run_auth(User(identity="somebody"), "any", run))
print("context:", run.context)
print("command:", run.command)
if (run.context, run.command) != ({"checked": True}, {"resume": "yes"}):
    raise SystemExit("changed: a handler's command counts")
PY
