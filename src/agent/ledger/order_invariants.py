"""What breaks the promises about stock, orders and parcels: one query each, all named in `invariants`."""

from typing import Any, Final

from sqlalchemy import Select, and_, case, func, literal, or_, select, union_all

from agent.ledger.base import total
from agent.ledger.tables import (
    ChangedPieceRow,
    DebtRow,
    OrderLineRow,
    OrderRow,
    ParcelRow,
    PaymentRow,
    ReturnLineRow,
    ReturnRow,
    VariantRow,
    WaitingPieceRow,
)

Query = Select[*tuple[Any, ...]]

_UNDECIDED: Final = ("open", "unknown")
_STAGES_OF: Final = {  # what the customer is told, and how far the work may be then
    "pending (item modified)": (
        *("reserved", "awaiting_approval", "approved", "parked", "declined", "paid", "imported"),
        "cancelling",  # a parcel that may have left is being stopped
    ),
    "pending": (
        *("placed", "reserved", "awaiting_approval", "approved", "parked", "declined", "paid", "imported"),
        "cancelling",
    ),
    "processed": ("paid", "completed", "imported"),
    "delivered": ("completed",),
    "return requested": ("completed",),
    "exchange requested": ("completed",),
    "returned": ("completed",),
    "cancelled": ("cancelling", "cancelled"),
}


def held() -> Query:
    """Reserved stock that is not what lines, exchanges and unpaid changes hold."""
    lines = select(OrderLineRow.sku, OrderLineRow.quantity).where(OrderLineRow.reservation == "held")
    exchanges = select(ReturnLineRow.new_sku, ReturnLineRow.held).where(ReturnLineRow.held > 0)
    changes = select(ChangedPieceRow.sku, ChangedPieceRow.quantity)
    holds = union_all(lines, exchanges, changes).subquery()
    held = func.coalesce(total(holds.c.quantity), 0)
    return (
        select(VariantRow.sku, VariantRow.reserved, held.label("held"))
        .outerjoin(holds, holds.c.sku == VariantRow.sku)
        .group_by(VariantRow.sku, VariantRow.reserved)
        .having(VariantRow.reserved != held)
    )


def returns() -> Query:
    """Lines of returns whose numbers can't be: more back than was to come, more left than came back, or new pieces held
    for nothing."""
    line = ReturnLineRow
    waiting = (
        select(func.coalesce(total(WaitingPieceRow.quantity), 0))
        .where(WaitingPieceRow.return_id == line.return_id, WaitingPieceRow.number == line.number)
        .scalar_subquery()
    )
    to_come = case((ReturnRow.state == "open", line.quantity - line.received), else_=0)
    held = case((line.new_sku.is_not(None), to_come + waiting), else_=0)
    return (
        select(line.return_id, line.number.label("line"), line.held, line.received, line.sent)
        .join(ReturnRow, ReturnRow.id == line.return_id)
        .where(or_(line.received > line.quantity, line.sent > line.received, line.held != held))
    )


def negative() -> Query:
    """Numbers below what they can be."""
    amounts = union_all(
        *(
            select(literal(f"{of} of ").concat(row).label("what"), number.label("found")).where(number < least)
            for of, row, number, least in (
                ("on_hand", VariantRow.sku, VariantRow.on_hand, 0),
                ("reserved", VariantRow.sku, VariantRow.reserved, 0),
                ("price", VariantRow.sku, VariantRow.price, 0),
                ("quantity", OrderLineRow.order_id, OrderLineRow.quantity, 1),
                ("unit_price", OrderLineRow.order_id, OrderLineRow.unit_price, 0),
                ("total", OrderRow.id, OrderRow.total, 0),
                ("payment", PaymentRow.key, PaymentRow.amount, 0),
                ("debt", DebtRow.key, DebtRow.amount, case((DebtRow.kind == "refund", 1), else_=0)),
            )
        )
    ).subquery()
    return select(amounts)


def totals() -> Query:
    """Totals that are not the sum of the lines."""
    lines = func.coalesce(total(OrderLineRow.quantity * OrderLineRow.unit_price), 0)
    return (
        select(OrderRow.id, OrderRow.total, lines.label("lines"))
        .outerjoin(OrderLineRow, and_(OrderLineRow.order_id == OrderRow.id, OrderLineRow.reservation != "short"))
        .group_by(OrderRow.id, OrderRow.total)
        .having(OrderRow.total != lines)
    )


def stages() -> Query:
    """Statuses and stages that do not go together."""
    legal = or_(*(and_(OrderRow.status == status, OrderRow.stage.in_(stages)) for status, stages in _STAGES_OF.items()))
    return select(OrderRow.id, OrderRow.status, OrderRow.stage).where(~legal)


def nothing_held_when_over() -> Query:
    """Stock that orders hold which are over."""
    return (
        select(OrderRow.id, OrderLineRow.number.label("line"), OrderRow.status)
        .join(OrderLineRow, OrderLineRow.order_id == OrderRow.id)
        .where(OrderRow.status.in_(("delivered", "cancelled")), OrderLineRow.reservation == "held")
    )


def undone() -> Query:
    """What is left of orders that are undone: parcels that may leave or have left, payments that may come."""
    parcels = select(ParcelRow.order_id, ParcelRow.id.label("left"), ParcelRow.state.label("found")).where(
        ParcelRow.state.not_in(("stopped", "refused"))
    )
    payments = select(PaymentRow.order_id, PaymentRow.key, PaymentRow.outcome).where(
        PaymentRow.outcome.in_(("due", *_UNDECIDED))
    )
    left = union_all(parcels, payments).subquery()
    return (
        select(OrderRow.id, left.c.left, left.c.found)
        .join(left, left.c.order_id == OrderRow.id)
        .where(OrderRow.stage == "cancelled")
    )


def paid() -> Query:
    """Orders past their payment whose price was not captured."""
    captured = and_(
        PaymentRow.order_id == OrderRow.id, PaymentRow.attempt.is_not(None), PaymentRow.outcome == "captured"
    )
    return (
        select(OrderRow.id, OrderRow.stage)
        .outerjoin(PaymentRow, captured)
        .where(OrderRow.stage.in_(("paid", "completed", "imported")), PaymentRow.key.is_(None))
    )


def stops_done() -> Query:
    """Parcels to be stopped that are not booked, and booked ones whose stop is done."""
    return (
        select(DebtRow.key, ParcelRow.state)
        .join(ParcelRow, ParcelRow.id == DebtRow.parcel_id)
        .where(DebtRow.kind == "stop", DebtRow.settled == (ParcelRow.state == "booked"))
    )
