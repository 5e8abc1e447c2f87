"""What alembic runs for each of its commands; the connection comes from `ledger.schema`, which has begun."""

from typing import Any, Literal

from alembic import context
from alembic.autogenerate.api import AutogenContext

from agent.ledger.base import UtcDateTime
from agent.ledger.tables import OrderRow


def render_item(kind: str, item: Any, autogen: AutogenContext) -> str | Literal[False]:  # noqa: ARG001
    """Write a migration with what the database has, not with a type of ours, which may change after it."""
    return "sa.DateTime(timezone=True)" if kind == "type" and isinstance(item, UtcDateTime) else False


context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=OrderRow.metadata,  # by way of `tables`, so that every table is there
    render_as_batch=True,  # SQLite alters a table by making it anew
    render_item=render_item,
)
context.run_migrations()
