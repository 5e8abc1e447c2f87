"""Each query of the reconciler and of a conversation finds its rows by an index, however many there are of others."""

from alembic import op
from sqlalchemy import text

revision = "0007"
down_revision = "0006"

_GONE = (
    ("orders", "customer_id"),
    ("orders", "stage"),
    ("orders", "touched_at"),
    ("debts", "settled"),
    ("debts", "next_at"),
    ("notices", "thread_id"),
    ("notices", "sent"),
)
_NEW = (
    ("orders", "customer_id", "placed_at"),
    ("orders", "stage", "touched_at"),
    ("payments", "outcome"),
    ("debts", "settled", "next_at"),
    ("notices", "thread_id", "at"),
    ("notices", "audience", "sent", "next_at"),
    ("approvals", "thread_told"),
)


def upgrade() -> None:
    """To this revision."""
    for table, column in _GONE:
        op.drop_index(op.f(f"ix_{table}_{column}"), table_name=table)
    for table, *columns in _NEW:
        op.create_index(op.f(f"ix_{table}_{'_'.join(columns)}"), table, columns, unique=False)
    op.execute(text("UPDATE customers SET email = lower(email)"))  # the import has let no two differ in case alone
