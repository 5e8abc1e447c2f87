"""Approvals are reminded of, staff has notices of its own, and the reconciler has a heartbeat."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
contract = True  # a column that must be written


def upgrade() -> None:
    """To this revision."""
    op.create_table(
        "heartbeats",
        sa.Column("name", sa.String(length=40), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_heartbeats")),
    )
    with op.batch_alter_table("approvals") as approvals:
        approvals.add_column(sa.Column("reminded_since", sa.DateTime(timezone=True), nullable=True))
    with op.batch_alter_table("notices") as notices:
        notices.add_column(sa.Column("audience", sa.String(length=10), nullable=False, server_default="customers"))
        notices.alter_column("customer_id", existing_type=sa.VARCHAR(length=60), nullable=True)
    with op.batch_alter_table("notices") as notices:
        notices.alter_column(
            "audience", existing_type=sa.VARCHAR(length=10), existing_nullable=False, server_default=None
        )
    _fill()


def _fill() -> None:
    """Chains that are under way remind after half of a step's time, as new ones do."""
    approvals = sa.table("approvals", sa.column("id", sa.String), sa.column("chain", sa.JSON))
    connection = op.get_bind()
    for request in connection.execute(sa.select(approvals)).all():
        chain = [{**step, "reminder_seconds": step["due_seconds"] / 2} for step in request.chain]
        connection.execute(approvals.update().where(approvals.c.id == request.id).values(chain=chain))
