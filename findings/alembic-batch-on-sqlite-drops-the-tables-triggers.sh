#!/usr/bin/env bash
# alembic 1.20.1 with SQLAlchemy 2.1.9
#
# Behaviour: batch_alter_table makes the table anew on SQLite, and the triggers on it are gone afterwards. Nothing
#   is said, though indexes are carried over.
# Surprise: A migration that changes a default is not expected to end an audit trail.
# Seen:
#   indexes and triggers left: ['by_amount']
set -euo pipefail
cd "$(mktemp -d)"
trap 'rm -rf "$PWD"' EXIT
python3 -m venv venv
venv/bin/pip install -q --no-compile --disable-pip-version-check alembic==1.20.1 sqlalchemy==2.1.9
venv/bin/python - <<'PY'
import sqlalchemy as sa
from alembic.migration import MigrationContext
from alembic.operations import Operations

with sa.create_engine("sqlite://").begin() as connection:
    for statement in (
        "CREATE TABLE audit (what TEXT)",
        "CREATE TABLE orders (id INTEGER PRIMARY KEY, amount INTEGER DEFAULT 1)",
        "CREATE INDEX by_amount ON orders (amount)",
        "CREATE TRIGGER changed AFTER UPDATE ON orders BEGIN INSERT INTO audit VALUES ('changed'); END",
    ):
        connection.exec_driver_sql(statement)
    with Operations(MigrationContext.configure(connection)).batch_alter_table("orders") as batch:
        batch.alter_column("amount", server_default="2")
    names = connection.exec_driver_sql("SELECT name FROM sqlite_master WHERE type IN ('index', 'trigger')")
    left = names.scalars().all()
print("indexes and triggers left:", left)
if left != ["by_amount"]:
    raise SystemExit("changed: the trigger is kept, or the index is not")
PY
