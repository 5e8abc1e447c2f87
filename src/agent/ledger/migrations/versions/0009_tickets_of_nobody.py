"""Tickets about money of which no order and no customer is known."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
contract = True  # a column may be empty that could not


def upgrade() -> None:
    """To this revision."""
    with op.batch_alter_table("tickets") as tickets:
        tickets.alter_column("customer_id", existing_type=sa.String(length=60), nullable=True)
