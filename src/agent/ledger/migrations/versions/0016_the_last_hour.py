"""What happened lately is found by when it was: orders that ended, payments, damaged states, closed tickets."""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"

_NEW = (
    ("orders", "ended_at"),
    ("payments", "at"),
    ("quarantine", "at"),
    ("tickets", "status", "closed_at"),
)


def upgrade() -> None:
    """To this revision. The column may be empty: a process of the release before goes on writing without it."""
    op.add_column("orders", sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True))
    for table, *columns in _NEW:
        op.create_index(op.f(f"ix_{table}_{'_'.join(columns)}"), table, columns, unique=False)
