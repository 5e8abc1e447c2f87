#!/usr/bin/env bash
# langgraph-cli 0.4.40 with langgraph-api 0.16.7
#
# Behaviour: `langgraph dev` lets a line of the env file that langgraph.json names win over the environment that it is
#   started in. An empty line wins too: the variable is there, and empty.
# Surprise: Elsewhere a variable given before the command counts (docker compose, uvicorn's --env-file, python-dotenv and
#   pydantic-settings by default). Here MODE=act langgraph dev goes on with what the file says, without a word.
# Seen:
#   MODE=off in the file, MODE=act before the command -> off
#   EMPTY= in the file, EMPTY=full before the command -> (empty)
#   OTHER before the command only -> there
set -euo pipefail
cd "$(mktemp -d)"
trap 'rm -rf "$PWD"' EXIT
python3 -m venv venv
venv/bin/pip install -q --no-compile --disable-pip-version-check 'langgraph-cli[inmem]==0.4.40' 'langgraph-api==0.16.7' 'langgraph==1.2.24'
cat > graph.py <<'PY'
import os
from pathlib import Path

from langgraph.graph import START, StateGraph

Path("seen.txt").write_text("|".join(os.environ.get(name, "missing") for name in ("MODE", "EMPTY", "OTHER")))
graph = StateGraph(dict).add_node("one", lambda state: state).add_edge(START, "one").compile()
PY
printf 'MODE=off\nEMPTY=\n' > .env
echo '{"dependencies": ["."], "graphs": {"g": "./graph.py:graph"}, "env": ".env"}' > langgraph.json
port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
MODE=act EMPTY=full OTHER=there LANGGRAPH_CLI_NO_ANALYTICS=1 venv/bin/langgraph dev --no-browser --no-reload \
    --host 127.0.0.1 --port "$port" > log.txt 2>&1 < /dev/null &
server=$!
trap 'kill "$server" 2> /dev/null || true; wait "$server" 2> /dev/null || true; rm -rf "$PWD"' EXIT
for _ in $(seq 240); do [ -s seen.txt ] && break; sleep 0.5; done
seen=$(cat seen.txt 2> /dev/null || { tail -5 log.txt; exit 1; })
echo "MODE|EMPTY|OTHER = $seen"
[ "$seen" = "off||there" ] || { echo "changed: the environment counts"; exit 1; }
