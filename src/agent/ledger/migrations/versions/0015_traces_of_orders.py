"""An order keeps the trace in which it was placed."""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"


def upgrade() -> None:
    """To this revision. The column may be empty: orders of before, and those of which nothing was traced, have none."""
    op.add_column("orders", sa.Column("traceparent", sa.String(length=55), nullable=True))
