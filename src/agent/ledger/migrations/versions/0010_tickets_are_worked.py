"""Tickets have a queue, a time, somebody who has them, and what was said. Those of before are due from now on."""

from datetime import UTC, datetime, timedelta

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"

_TIME = sa.DateTime(timezone=True)
_FIRST = "CASE topic WHEN 'technical' THEN 'tech_support' WHEN 'billing' THEN 'billing_agent'"
_FIRST += " WHEN 'security' THEN 'security_analyst' ELSE 'general_agent' END"


def upgrade() -> None:
    """To this revision. All new columns may be empty: a process of the release before goes on writing without them."""
    for name, kind in (
        ("thread_id", sa.String(length=40)),
        ("role", sa.String(length=40)),
        ("due_at", _TIME),
        ("taken_by", sa.String(length=100)),
        ("taken_at", _TIME),
        ("closed_by", sa.String(length=100)),
        ("closed_at", _TIME),
    ):
        op.add_column("tickets", sa.Column(name, kind, nullable=True))
    op.create_index(op.f("ix_tickets_status_due_at"), "tickets", ["status", "due_at"])
    op.create_index(op.f("ix_tickets_thread_id_status"), "tickets", ["thread_id", "status"])
    op.create_table(
        "ticket_messages",
        sa.Column("key", sa.String(length=150), nullable=False),
        sa.Column("ticket_id", sa.String(length=40), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.String(length=10), nullable=False),
        sa.Column("author", sa.String(length=100), nullable=False),
        sa.Column("text", sa.String(length=8000), nullable=False),
        sa.Column("at", _TIME, nullable=False),
        sa.ForeignKeyConstraint(["ticket_id"], ["tickets.id"], name=op.f("fk_ticket_messages_ticket_id")),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_ticket_messages")),
        sa.UniqueConstraint("ticket_id", "number", name=op.f("uq_ticket_messages_ticket_id_number")),
    )
    due = sa.bindparam("due", datetime.now(UTC) + timedelta(hours=4), type_=_TIME)
    op.get_bind().execute(sa.text(f"UPDATE tickets SET role = {_FIRST}, due_at = :due").bindparams(due))  # noqa: S608
