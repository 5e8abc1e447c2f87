"""What the ledger's rows look like to whoever asks: plain JSON, amounts in minor units, times ISO 8601."""

from collections import defaultdict
from collections.abc import Sequence
from typing import Any, Final, TypedDict, cast

from sqlalchemy import BindParameter, bindparam, select
from sqlalchemy.orm import Session

from agent.commerce.lifecycle import Stage
from agent.ledger.tables import (
    CustomerRow,
    OrderLineRow,
    OrderRow,
    ParcelRow,
    PaymentRow,
    ProductRow,
    TicketRow,
    VariantRow,
)


class LineView(TypedDict):
    """A line, readable. `unit_price` in minor units."""

    number: int
    sku: str
    name: str
    quantity: int
    unit_price: int
    reservation: str


class OrderView(TypedDict):
    """An order as the ledger has it. Amounts in minor units, times ISO 8601."""

    id: str
    customer_id: str
    status: str
    stage: Stage
    generation: int
    thread_id: str
    revision: int
    total: int
    currency: str
    payment_method_id: str
    ship_to: dict[str, Any]
    lines: list[LineView]
    payments: list[dict[str, Any]]
    parcels: list[dict[str, Any]]
    reason: str | None
    placed_by: str
    placed_at: str


Changed = OrderRow | CustomerRow | TicketRow | OrderView
"""What a command has changed: its row, or what it looks like already."""


def changed_view(session: Session, row: Changed) -> dict[str, Any]:
    """The entity that a command changed."""
    if isinstance(row, OrderRow):
        return cast(dict[str, Any], order_view(session, row))
    if isinstance(row, CustomerRow):
        return {"id": row.id, "address": row.address}
    if isinstance(row, TicketRow):
        return {"id": row.id, "order_id": row.order_id, "topic": row.topic, "status": row.status}
    return {**row}


def change_unpaid(order: OrderView) -> bool:
    """Whether the order's items were changed, and the difference is not paid."""
    waiting = [each for each in order["payments"] if each["outcome"] in ("due", "open", "unknown", "declined")]
    of_change = [each for each in waiting if not each["key"].startswith(f"{order['id']}:pay:")]
    return order["status"] == "pending (item modified)" and bool(of_change)


def order_view(session: Session, order: OrderRow) -> OrderView:
    """An order with its lines, payments and parcels."""
    return order_views(session, [order])[0]


def order_views(session: Session, orders: Sequence[OrderRow]) -> list[OrderView]:
    """Orders with their lines, payments and parcels: three statements, however many they are."""
    session.flush()
    ledger, ids = session.connection(), {"of_orders": [order.id for order in orders]}
    lines, payments, parcels = defaultdict(list), defaultdict(list), defaultdict(list)
    for line in ledger.execute(_LINES, ids):
        lines[line.order_id].append(
            LineView(
                number=line.number,
                sku=line.sku,
                name=line.name,
                quantity=line.quantity,
                unit_price=line.unit_price,
                reservation=line.reservation,
            )
        )
    for paid in ledger.execute(_PAYMENTS, ids):
        payments[paid.order_id].append({"key": paid.key, "outcome": paid.outcome, "amount": paid.amount})
    for sent in ledger.execute(_PARCELS, ids):
        shown = {"warehouse": sent.warehouse, "state": sent.state, "tracking_id": sent.tracking_id}
        parcels[sent.order_id].append({"id": sent.id} | shown)
    return [_view(order, lines[order.id], payments[order.id], parcels[order.id]) for order in orders]


def item_names(session: Session, customer_id: str, limit: int) -> dict[str, list[str]]:
    """The names of the items of a customer's latest orders, by order id, newest first."""
    names: dict[str, list[str]] = {}
    for found in session.connection().execute(_ITEMS, {"of_customer": customer_id, "most": limit}):
        names.setdefault(found.id, []).append(found.name)
    return names


def new_order_view(order: OrderRow, lines: list[LineView]) -> OrderView:
    """An order that was placed just now."""
    return _view(order, lines, [], [])


_OF_ORDERS: Final[BindParameter[Any]] = bindparam("of_orders", expanding=True)
_LINES: Final = (
    select(
        OrderLineRow.order_id,
        OrderLineRow.number,
        OrderLineRow.sku,
        OrderLineRow.quantity,
        OrderLineRow.unit_price,
        OrderLineRow.reservation,
        ProductRow.name,
    )
    .join(VariantRow, VariantRow.sku == OrderLineRow.sku)
    .join(ProductRow, ProductRow.id == VariantRow.product_id)
    .where(OrderLineRow.order_id.in_(_OF_ORDERS))
    .order_by(OrderLineRow.number)
)
_PAYMENTS: Final = (
    select(PaymentRow.order_id, PaymentRow.key, PaymentRow.outcome, PaymentRow.amount)
    .where(PaymentRow.order_id.in_(_OF_ORDERS))
    .order_by(PaymentRow.at, PaymentRow.key)
)
_PARCELS: Final = (
    select(ParcelRow.order_id, ParcelRow.id, ParcelRow.warehouse, ParcelRow.state, ParcelRow.tracking_id)
    .where(ParcelRow.order_id.in_(_OF_ORDERS))
    .order_by(ParcelRow.id)
)

_LATEST: Final = (
    select(OrderRow.id, OrderRow.placed_at)
    .where(OrderRow.customer_id == bindparam("of_customer"))
    .order_by(OrderRow.placed_at.desc())
    .limit(bindparam("most"))
    .subquery()
)
_ITEMS: Final = (
    select(_LATEST.c.id, ProductRow.name)
    .join(OrderLineRow, OrderLineRow.order_id == _LATEST.c.id)
    .join(VariantRow, VariantRow.sku == OrderLineRow.sku)
    .join(ProductRow, ProductRow.id == VariantRow.product_id)
    .order_by(_LATEST.c.placed_at.desc(), OrderLineRow.number)
)


def _view(
    order: OrderRow, lines: list[LineView], payments: list[dict[str, Any]], parcels: list[dict[str, Any]]
) -> OrderView:
    return OrderView(
        id=order.id,
        customer_id=order.customer_id,
        status=order.status,
        stage=order.stage,  # type: ignore[typeddict-item]
        generation=order.generation,
        thread_id=order.thread_id or "",
        revision=order.revision,
        total=order.total,
        currency=order.currency,
        payment_method_id=order.payment_method_id,
        ship_to=order.ship_to,
        lines=lines,
        payments=payments,
        parcels=parcels,
        reason=order.reason,
        placed_by=order.placed_by,
        placed_at=order.placed_at.isoformat(),
    )
