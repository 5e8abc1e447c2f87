"""The ledger keeps which steps its schema has taken, and whether a program that does not know one may go on."""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"


def upgrade() -> None:
    """To this revision."""
    op.create_table(
        "schema_steps",
        sa.Column("revision", sa.String(length=32), nullable=False),
        sa.Column("contract", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("revision", name=op.f("pk_schema_steps")),
    )
