"""Notifications go to addresses of staff's as well, each until it has taken it."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    """To this revision. The column may be empty: a process of the release before goes on writing without it."""
    op.add_column("notices", sa.Column("routed_at", sa.DateTime(timezone=True), nullable=True))
    op.create_index(op.f("ix_notices_audience_routed_at_at"), "notices", ["audience", "routed_at", "at"])
    op.create_table(
        "staff_deliveries",
        sa.Column("key", sa.String(length=150), nullable=False),
        sa.Column("queue", sa.String(length=40), nullable=False),
        sa.Column("attempts", sa.BigInteger(), nullable=False),
        sa.Column("next_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["key"], ["notices.key"], name=op.f("fk_staff_deliveries_key")),
        sa.PrimaryKeyConstraint("key", "queue", name=op.f("pk_staff_deliveries")),
    )
    op.create_index(op.f("ix_staff_deliveries_queue_next_at"), "staff_deliveries", ["queue", "next_at"])
