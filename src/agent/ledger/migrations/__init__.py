"""Alembic's folder: how each revision of the schema comes from the one before it. Applied by `ledger.schema`."""
