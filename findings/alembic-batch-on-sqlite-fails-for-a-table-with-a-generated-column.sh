#!/usr/bin/env bash
# alembic 1.20.1 with SQLAlchemy 2.1.9
#
# Behaviour: batch_alter_table of a SQLite table that has a generated column copies that column too, and fails:
#   cannot INSERT into generated column. So any change of another column of such a table fails.
# Surprise: Reflection knows that the column is computed and the new table declares it so; only the copy was
#   forgotten.
# Seen:
#   reflected as computed: {'sqltext': 'net * 119 / 100', 'persisted': True}
#   cannot INSERT into generated column "gross"
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
    connection.exec_driver_sql(
        "CREATE TABLE orders (net INTEGER, note TEXT, gross INTEGER GENERATED ALWAYS AS (net * 119 / 100) STORED)"
    )
    print("reflected as computed:", sa.inspect(connection).get_columns("orders")[2].get("computed"))
    try:
        with Operations(MigrationContext.configure(connection)).batch_alter_table("orders") as batch:
            batch.alter_column("note", server_default="none")
    except sa.exc.OperationalError as error:
        print(error.orig)
        raise SystemExit(0 if "generated column" in str(error) else 1)
raise SystemExit("changed: the table is altered")
PY
