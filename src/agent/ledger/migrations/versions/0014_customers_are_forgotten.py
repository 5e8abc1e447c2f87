"""A customer may be forgotten."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"


def upgrade() -> None:
    """To this revision. The column may be empty: a process of the release before goes on writing without it."""
    op.add_column("customers", sa.Column("forgotten_at", sa.DateTime(timezone=True), nullable=True))
