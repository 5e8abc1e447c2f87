"""An account may be frozen until security staff says otherwise."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    """To this revision. The column may be empty: a process of the release before goes on writing without it."""
    op.add_column("customers", sa.Column("frozen_at", sa.DateTime(timezone=True), nullable=True))
