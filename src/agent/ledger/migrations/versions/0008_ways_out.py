"""Returns by line and quantity, refunds that are pending, payments that are asked for again in their turn."""

from collections import defaultdict
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
contract = True  # tables are gone, and columns that must be written

_TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    """To this revision."""
    _add_columns()
    connection = op.get_bind()
    returns = connection.execute(sa.text("SELECT order_id, method_id, amount, at FROM returns")).all()
    pieces = connection.execute(
        sa.text("SELECT order_id, sku, new_sku FROM returned_pieces ORDER BY order_id, number")
    ).all()
    op.drop_table("returned_pieces")
    op.drop_table("returns")
    _create_tables()
    for row in returns:
        _keep_return(row, [(piece.sku, piece.new_sku) for piece in pieces if piece.order_id == row.order_id])


def _add_columns() -> None:
    with op.batch_alter_table("payments") as payments:
        payments.add_column(sa.Column("reason", sa.String(length=40), nullable=True))
        payments.add_column(sa.Column("replaces", sa.String(length=250), nullable=True))
        payments.add_column(sa.Column("tries", sa.BigInteger(), nullable=False, server_default="1"))
        payments.add_column(sa.Column("next_at", _TIME, nullable=True))
        payments.create_index(payments.f("ix_payments_provider_id"), ["provider_id"])
    with op.batch_alter_table("payments") as payments:
        payments.alter_column("tries", existing_type=sa.BigInteger(), existing_nullable=False, server_default=None)
    with op.batch_alter_table("debts") as debts:
        debts.add_column(sa.Column("pending_since", _TIME, nullable=True))
        debts.add_column(sa.Column("failures", sa.BigInteger(), nullable=False, server_default="0"))
        debts.add_column(sa.Column("returned", sa.Boolean(), nullable=False, server_default=sa.false()))
    with op.batch_alter_table("debts") as debts:
        debts.alter_column("failures", existing_type=sa.BigInteger(), existing_nullable=False, server_default=None)
        debts.alter_column("returned", existing_type=sa.Boolean(), existing_nullable=False, server_default=None)
    op.create_index(op.f("ix_parcels_state"), "parcels", ["state"])


def _create_tables() -> None:
    op.create_table(
        "returns",
        sa.Column("id", sa.String(length=100), nullable=False),
        sa.Column("order_id", sa.String(length=60), nullable=False),
        sa.Column("kind", sa.String(length=10), nullable=False),
        sa.Column("method_id", sa.String(length=60), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("at", _TIME, nullable=False),
        sa.Column("reminded_at", _TIME, nullable=True),
        sa.Column("closed_at", _TIME, nullable=True),
        sa.ForeignKeyConstraint(["method_id"], ["payment_methods.id"], name=op.f("fk_returns_method_id")),
        sa.ForeignKeyConstraint(["order_id"], ["orders.id"], name=op.f("fk_returns_order_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_returns")),
    )
    op.create_index(op.f("ix_returns_order_id"), "returns", ["order_id"])
    op.create_index(op.f("ix_returns_state"), "returns", ["state"])
    op.create_table(
        "return_lines",
        sa.Column("return_id", sa.String(length=100), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("line", sa.BigInteger(), nullable=False),
        sa.Column("sku", sa.String(length=40), nullable=False),
        sa.Column("quantity", sa.BigInteger(), nullable=False),
        sa.Column("unit_price", sa.BigInteger(), nullable=False),
        sa.Column("received", sa.BigInteger(), nullable=False),
        sa.Column("new_sku", sa.String(length=40), nullable=True),
        sa.Column("new_price", sa.BigInteger(), nullable=True),
        sa.Column("held", sa.BigInteger(), nullable=False),
        sa.Column("sent", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["new_sku"], ["variants.sku"], name=op.f("fk_return_lines_new_sku")),
        sa.ForeignKeyConstraint(["return_id"], ["returns.id"], name=op.f("fk_return_lines_return_id")),
        sa.ForeignKeyConstraint(["sku"], ["variants.sku"], name=op.f("fk_return_lines_sku")),
        sa.PrimaryKeyConstraint("return_id", "number", name=op.f("pk_return_lines")),
    )
    op.create_index(op.f("ix_return_lines_new_sku"), "return_lines", ["new_sku"])
    op.create_table(
        "waiting_pieces",
        sa.Column("return_id", sa.String(length=100), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("payment_key", sa.String(length=250), nullable=False),
        sa.Column("quantity", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["payment_key"], ["payments.key"], name=op.f("fk_waiting_pieces_payment_key")),
        sa.ForeignKeyConstraint(["return_id"], ["returns.id"], name=op.f("fk_waiting_pieces_return_id")),
        sa.PrimaryKeyConstraint("return_id", "number", "payment_key", name=op.f("pk_waiting_pieces")),
    )
    op.create_table(
        "changed_pieces",
        sa.Column("order_id", sa.String(length=60), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("sku", sa.String(length=40), nullable=False),
        sa.Column("quantity", sa.BigInteger(), nullable=False),
        sa.Column("unit_price", sa.BigInteger(), nullable=False),
        sa.Column("new_sku", sa.String(length=40), nullable=False),
        sa.ForeignKeyConstraint(["new_sku"], ["variants.sku"], name=op.f("fk_changed_pieces_new_sku")),
        sa.ForeignKeyConstraint(["order_id"], ["orders.id"], name=op.f("fk_changed_pieces_order_id")),
        sa.ForeignKeyConstraint(["sku"], ["variants.sku"], name=op.f("fk_changed_pieces_sku")),
        sa.PrimaryKeyConstraint("order_id", "number", name=op.f("pk_changed_pieces")),
    )


def _keep_return(row: sa.Row[Any], pieces: list[tuple[str, str | None]]) -> None:
    """The one return that an order had, its pieces gathered by line: the first lines with that option that have any
    left, as their price was reckoned. What was received was received whole, and its new pieces left with it."""
    connection, of_order = op.get_bind(), {"order": row.order_id}
    status = connection.scalar(sa.text("SELECT status FROM orders WHERE id = :order"), of_order)
    is_open = status in ("return requested", "exchange requested")
    new = {
        "id": f"{row.order_id}/r1",
        "order_id": row.order_id,
        "kind": "exchange" if any(new_sku for _, new_sku in pieces) else "return",
        "method_id": row.method_id,
        "amount": row.amount,
        "state": "open" if is_open else "received",
        "at": row.at,
        "closed_at": None if is_open else row.at,
    }
    _insert("returns", new)
    lines = connection.execute(
        sa.text("SELECT number, sku, quantity, unit_price FROM order_lines WHERE order_id = :order ORDER BY number"),
        of_order,
    ).all()
    left = {line.number: line.quantity for line in lines}
    gathered: dict[tuple[int, str, int, str | None], int] = defaultdict(int)
    for sku, new_sku in pieces:
        same = [line for line in lines if line.sku == sku]
        line = next((each for each in same if left[each.number]), same[0])
        left[line.number] -= 1
        gathered[line.number, sku, line.unit_price, new_sku] += 1
    for number, ((line_number, sku, unit_price, new_sku), quantity) in enumerate(gathered.items(), 1):
        price = connection.scalar(sa.text("SELECT price FROM variants WHERE sku = :sku"), {"sku": new_sku})
        _insert(
            "return_lines",
            {
                "return_id": new["id"],
                "number": number,
                "line": line_number,
                "sku": sku,
                "quantity": quantity,
                "unit_price": unit_price,
                "received": 0 if is_open else quantity,
                "new_sku": new_sku,
                "new_price": price,
                "held": quantity if is_open and new_sku else 0,
                "sent": quantity if new_sku and not is_open else 0,
            },
        )


def _insert(table: str, values: dict[str, object]) -> None:
    columns = ", ".join(values)
    places = ", ".join(f":{name}" for name in values)
    op.get_bind().execute(sa.text(f"INSERT INTO {table} ({columns}) VALUES ({places})"), values)  # noqa: S608
