"""Orders survive everything: attempts at payments, debts of all kinds, booked parcels, notices, quarantine."""

from uuid import NAMESPACE_URL, uuid5

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
contract = True  # columns that must be written


def upgrade() -> None:
    """To this revision."""
    op.create_table(
        "quarantine",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("thread_id", sa.String(length=40), nullable=False),
        sa.Column("order_id", sa.String(length=60), nullable=True),
        sa.Column("node", sa.String(length=40), nullable=False),
        sa.Column("found", sa.String(length=500), nullable=False),
        sa.Column("state", sa.JSON(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_quarantine")),
    )
    op.create_index(op.f("ix_quarantine_thread_id"), "quarantine", ["thread_id"])
    op.create_table(
        "conversations",
        sa.Column("customer_id", sa.String(length=60), nullable=False),
        sa.Column("thread_id", sa.String(length=40), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["customer_id"], ["customers.id"], name=op.f("fk_conversations_customer_id")),
        sa.PrimaryKeyConstraint("customer_id", name=op.f("pk_conversations")),
    )
    op.create_table(
        "notices",
        sa.Column("key", sa.String(length=150), nullable=False),
        sa.Column("event", sa.String(length=40), nullable=False),
        sa.Column("customer_id", sa.String(length=60), nullable=False),
        sa.Column("order_id", sa.String(length=60), nullable=True),
        sa.Column("facts", sa.JSON(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("thread_id", sa.String(length=40), nullable=True),
        sa.Column("sent", sa.Boolean(), nullable=False),
        sa.Column("attempts", sa.BigInteger(), nullable=False),
        sa.Column("next_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_notices")),
    )
    for column in ("customer_id", "sent", "thread_id"):
        op.create_index(op.f(f"ix_notices_{column}"), "notices", [column])

    with op.batch_alter_table("orders") as orders:
        orders.add_column(sa.Column("thread_id", sa.String(length=40), nullable=True))
        orders.add_column(sa.Column("allow_partial", sa.Boolean(), nullable=False, server_default=sa.false()))
        orders.create_index(orders.f("ix_orders_thread_id"), ["thread_id"])
    with op.batch_alter_table("payments") as payments:
        payments.add_column(sa.Column("attempt", sa.BigInteger(), nullable=True))
        payments.add_column(sa.Column("provider", sa.String(length=40), nullable=True))
        payments.add_column(sa.Column("asks", sa.BigInteger(), nullable=False, server_default="0"))
    with op.batch_alter_table("parcels") as parcels:
        parcels.add_column(sa.Column("planned_at", sa.DateTime(timezone=True), nullable=True))
    with op.batch_alter_table("debts") as debts:
        debts.add_column(sa.Column("kind", sa.String(length=10), nullable=False, server_default="refund"))
        debts.add_column(sa.Column("parcel_id", sa.String(length=100), nullable=True))
        debts.add_column(sa.Column("asked", sa.BigInteger(), nullable=False, server_default="0"))
        debts.add_column(sa.Column("next_at", sa.DateTime(timezone=True), nullable=True))
        debts.alter_column("payment_key", existing_type=sa.VARCHAR(length=250), nullable=True)
        debts.alter_column("method_id", existing_type=sa.VARCHAR(length=60), nullable=True)

    _fill()

    with op.batch_alter_table("orders") as orders:
        orders.alter_column("allow_partial", existing_type=sa.Boolean(), existing_nullable=False, server_default=None)
    with op.batch_alter_table("payments") as payments:
        payments.alter_column("asks", existing_type=sa.BigInteger(), existing_nullable=False, server_default=None)
    with op.batch_alter_table("parcels") as parcels:
        parcels.alter_column("planned_at", existing_type=sa.DateTime(timezone=True), nullable=False)
    with op.batch_alter_table("debts") as debts:
        debts.alter_column("kind", existing_type=sa.String(length=10), existing_nullable=False, server_default=None)
        debts.alter_column("asked", existing_type=sa.BigInteger(), existing_nullable=False, server_default=None)
        debts.alter_column("next_at", existing_type=sa.DateTime(timezone=True), nullable=False)
        debts.create_index(debts.f("ix_debts_next_at"), ["next_at"])
        debts.create_foreign_key(debts.f("fk_debts_parcel_id"), "parcels", ["parcel_id"], ["id"])


def _fill() -> None:
    """What the new columns are of rows that are there: 0.1.0 knew one provider, one attempt, one thread an order."""
    connection = op.get_bind()
    connection.execute(sa.text("UPDATE payments SET attempt = 1 WHERE key = order_id || ':pay:1'"))
    connection.execute(
        sa.text(
            "UPDATE payments SET provider = 'sandbox' WHERE outcome != 'due' AND method_id IN"
            " (SELECT id FROM payment_methods WHERE kind != 'gift_card')"
        )
    )
    connection.execute(sa.text("UPDATE debts SET next_at = at"))
    connection.execute(
        sa.text("UPDATE parcels SET planned_at = (SELECT touched_at FROM orders WHERE orders.id = parcels.order_id)")
    )
    connection.execute(
        sa.text(
            "UPDATE parcels SET state = 'stopped' WHERE state = 'planned' AND order_id IN"
            " (SELECT id FROM orders WHERE status = 'cancelled')"
        )
    )
    for order_id, generation in connection.execute(sa.text("SELECT id, generation FROM orders")).all():
        connection.execute(
            sa.text("UPDATE orders SET thread_id = :thread WHERE id = :id"),
            {"thread": str(uuid5(NAMESPACE_URL, f"order:{order_id}:{generation}")), "id": order_id},
        )
