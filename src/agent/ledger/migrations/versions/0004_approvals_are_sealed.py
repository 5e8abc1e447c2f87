"""Approvals are sealed, and their decisions chained; those that are there stay without."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """To this revision."""
    with op.batch_alter_table("approvals") as approvals:
        approvals.add_column(sa.Column("asked", sa.JSON(), nullable=True))
        approvals.add_column(sa.Column("seal", sa.String(length=64), nullable=True))
        approvals.add_column(sa.Column("head", sa.String(length=64), nullable=True))
    with op.batch_alter_table("decisions") as decisions:
        decisions.add_column(sa.Column("number", sa.BigInteger(), nullable=True))
        decisions.add_column(sa.Column("over", sa.JSON(), nullable=True))
        decisions.add_column(sa.Column("seal", sa.String(length=64), nullable=True))
