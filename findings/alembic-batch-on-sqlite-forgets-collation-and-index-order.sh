#!/usr/bin/env bash
# alembic 1.20.1 with SQLAlchemy 2.1.9
#
# Behaviour: batch_alter_table makes the table anew on SQLite from what reflection saw: a column's COLLATE,
#   AUTOINCREMENT, a unique constraint's ON CONFLICT and an index's DESC are gone, and an index on an expression is
#   gone altogether. STRICT and a partial index's condition are kept.
# Surprise: After a change of another column's default, 'A' and 'a' are two customers, and ids of deleted rows are
#   used again.
# Seen:
#   before: ['STRICT', 'WHERE', 'COLLATE', 'AUTOINCREMENT', 'ON CONFLICT', 'DESC', 'lower(']
#   after:  ['STRICT', 'WHERE']
set -euo pipefail
cd "$(mktemp -d)"
trap 'rm -rf "$PWD"' EXIT
python3 -m venv venv
venv/bin/pip install -q --no-compile --disable-pip-version-check alembic==1.20.1 sqlalchemy==2.1.9
venv/bin/python - <<'PY'
import warnings

import sqlalchemy as sa
from alembic.migration import MigrationContext
from alembic.operations import Operations

warnings.simplefilter("ignore")
TRAITS = ("STRICT", "WHERE", "COLLATE", "AUTOINCREMENT", "ON CONFLICT", "DESC", "lower(")


def traits(connection):
    ddl = " ".join(connection.exec_driver_sql("SELECT sql FROM sqlite_master WHERE sql NOT NULL").scalars())
    return [trait for trait in TRAITS if trait in ddl]


with sa.create_engine("sqlite://").begin() as connection:
    for statement in (
        "CREATE TABLE customers (id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT COLLATE NOCASE, age INTEGER, "
        "credit INTEGER DEFAULT 1, UNIQUE (name) ON CONFLICT REPLACE) STRICT",
        "CREATE INDEX by_age ON customers (age DESC)",
        "CREATE INDEX by_credit ON customers (credit) WHERE credit > 5",
        "CREATE INDEX by_name ON customers (lower(name))",
    ):
        connection.exec_driver_sql(statement)
    before = traits(connection)
    with Operations(MigrationContext.configure(connection)).batch_alter_table("customers") as batch:
        batch.alter_column("credit", server_default="2")
    after = traits(connection)
print("before:", before)
print("after: ", after)
if after != ["STRICT", "WHERE"]:
    raise SystemExit("changed: more, or less, is carried over")
PY
