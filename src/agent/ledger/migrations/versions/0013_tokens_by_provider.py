"""A payment method may have a token at each provider."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"


def upgrade() -> None:
    """To this revision. The column may be empty: methods of before have one token, of the first provider's."""
    op.add_column("payment_methods", sa.Column("tokens", sa.JSON(none_as_null=True), nullable=True))
