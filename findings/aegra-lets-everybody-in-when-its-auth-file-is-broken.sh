#!/usr/bin/env bash
# aegra-api 0.11.0
#
# Behaviour: When the file of `auth.path` can't be loaded, a misspelt path or an ImportError in it, the server starts, and
#   every request is let in as "anonymous".
# Surprise: A broken http.app ends the start; of what guards the server only a warning is logged.
# Seen:
#   auth instance: None
#   a request without a token: anonymous
set -euo pipefail
cd "$(mktemp -d)"
trap 'rm -rf "$PWD"' EXIT
"${PYTHON:-python3.12}" -m venv venv
venv/bin/pip install -q --no-compile --disable-pip-version-check aegra-api==0.11.0
echo '{"graphs": {}, "auth": {"path": "./guard.py:auth"}}' > aegra.json
echo 'import a_module_that_is_not_installed' > guard.py
AEGRA_CONFIG=aegra.json venv/bin/python - <<'PY'
import asyncio

import structlog

structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(50))  # nothing of the engine's own

from aegra_api.core.auth_middleware import get_auth_backend, get_auth_instance
from starlette.requests import HTTPConnection

request = HTTPConnection({"type": "http", "method": "GET", "path": "/threads", "headers": []})
_, user = asyncio.run(get_auth_backend().authenticate(request))
print("auth instance:", get_auth_instance())
print("a request without a token:", user.identity)
if user.identity != "anonymous":
    raise SystemExit("changed: a broken auth file lets nobody in")
PY
