#!/usr/bin/env bash
# langgraph-checkpoint-sqlite 3.1.2
#
# Behaviour: SqliteStore with a ttl goes on returning an item after its time is over, from get and from search,
#   until somebody calls sweep_ttl() or starts the sweeper. A read in between even gives it its full time again.
# Surprise: A time to live is expected to bound what a reader sees; when the row goes is the store's own affair.
# Seen:
#   2.5 s after a put for 1 s: get returns {'code': 1} and search finds 2
#   swept: 1 - left of the one that was read: True - of the other: False
set -euo pipefail
cd "$(mktemp -d)"
trap 'rm -rf "$PWD"' EXIT
python3 -m venv venv
venv/bin/pip install -q --no-compile --disable-pip-version-check langgraph-checkpoint-sqlite==3.1.2 langgraph-checkpoint==4.3.2
venv/bin/python - <<'PY'
import time

from langgraph.store.sqlite import SqliteStore

with SqliteStore.from_conn_string(":memory:", ttl={"default_ttl": 1 / 60, "refresh_on_read": True}) as store:
    store.setup()
    store.put(("codes",), "a", {"code": 1})  # the unit is minutes: for a second
    store.put(("codes",), "b", {"code": 2})
    time.sleep(2.5)
    found = store.get(("codes",), "a")
    listed = len(store.search(("codes",), refresh_ttl=False))
    swept = store.sweep_ttl()
    left = [store.get(("codes",), key) is not None for key in "ab"]
print("2.5 s after a put for 1 s: get returns", found and found.value, "and search finds", listed)
print("swept:", swept, "- left of the one that was read:", left[0], "- of the other:", left[1])
if not found or left != [True, False]:
    raise SystemExit("changed: an expired item is not returned")
PY
