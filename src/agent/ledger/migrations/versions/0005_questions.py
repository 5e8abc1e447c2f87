"""Questions of approvers to customers, and their answers."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """To this revision."""
    op.create_table(
        "questions",
        sa.Column("key", sa.String(length=150), nullable=False),
        sa.Column("request_id", sa.String(length=40), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("asked_by", sa.String(length=100), nullable=False),
        sa.Column("text", sa.String(length=2000), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("answer", sa.String(length=8000), nullable=True),
        sa.Column("answered_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["request_id"], ["approvals.id"], name=op.f("fk_questions_request_id")),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_questions")),
        sa.UniqueConstraint("request_id", "number", name=op.f("uq_questions_request_id_number")),
    )
