"""Parcels no longer keep when they were planned: nothing read it."""

from alembic import op

revision = "0003"
down_revision = "0002"
contract = True  # a column is gone


def upgrade() -> None:
    """To this revision."""
    with op.batch_alter_table("parcels") as parcels:
        parcels.drop_column("planned_at")
