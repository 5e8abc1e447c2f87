#!/usr/bin/env bash
# langgraph-checkpoint 4.3.2 and langgraph-checkpoint-sqlite 3.1.2
#
# Behaviour: InMemoryStore compares with $gt and $lt as numbers only, and raises for ISO dates, which SqliteStore
#   compares as text; a number against a numeric text is a number in one and always less in the other; a nested dict
#   is equal in one and an unknown operator in the other.
# Surprise: Both are BaseStore, and the first is what tests run on before the second goes live.
# Seen:
#   {'due': {'$gt': '2026-01-01'}}: memory ValueError: could not convert string to float: '2026-01-02'; sqlite 1
#   {'n': {'$lt': '5'}}: memory 0; sqlite 1
#   {'address': {'city': 'Bonn'}}: memory 1; sqlite ValueError: Unsupported operator: city
set -euo pipefail
cd "$(mktemp -d)"
trap 'rm -rf "$PWD"' EXIT
python3 -m venv venv
venv/bin/pip install -q --no-compile --disable-pip-version-check langgraph-checkpoint-sqlite==3.1.2 langgraph-checkpoint==4.3.2
venv/bin/python - <<'PY'
from langgraph.store.memory import InMemoryStore
from langgraph.store.sqlite import SqliteStore

FILTERS = {"due": {"$gt": "2026-01-01"}}, {"n": {"$lt": "5"}}, {"address": {"city": "Bonn"}}


def found(store, wanted):
    try:
        return len(store.search(("orders",), filter=wanted))
    except ValueError as error:
        return f"ValueError: {error}"


with SqliteStore.from_conn_string(":memory:") as sqlite:
    sqlite.setup()
    differ = []
    for store in (InMemoryStore(), sqlite):
        store.put(("orders",), "1", {"due": "2026-01-02", "n": 7, "address": {"city": "Bonn"}})
        differ.append([found(store, wanted) for wanted in FILTERS])
for wanted, memory, disk in zip(FILTERS, *differ):
    print(f"{wanted}: memory {memory}; sqlite {disk}")
if any(memory == disk for memory, disk in zip(*differ)):
    raise SystemExit("changed: they agree on a filter")
PY
