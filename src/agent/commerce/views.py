"""What the ledger's rows look like to whoever asks: plain JSON, amounts in minor units, times ISO 8601."""

from typing import Any, TypedDict, cast

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

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

Changed = OrderRow | CustomerRow | TicketRow
"""What a command can change."""


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


async def changed_view(session: AsyncSession, row: Changed) -> dict[str, Any]:
    """The entity that a command changed."""
    if isinstance(row, OrderRow):
        return cast(dict[str, Any], await order_view(session, row))
    if isinstance(row, CustomerRow):
        return {"id": row.id, "address": row.address}
    return {"id": row.id, "order_id": row.order_id, "topic": row.topic, "status": row.status}


async def order_view(session: AsyncSession, order: OrderRow) -> OrderView:
    """An order with its lines, payments and parcels."""
    lines = await session.execute(
        select(OrderLineRow, ProductRow.name)
        .join(VariantRow, VariantRow.sku == OrderLineRow.sku)
        .join(ProductRow, ProductRow.id == VariantRow.product_id)
        .where(OrderLineRow.order_id == order.id)
        .order_by(OrderLineRow.number)
    )
    payments = await session.scalars(select(PaymentRow).where(PaymentRow.order_id == order.id))
    parcels = await session.scalars(select(ParcelRow).where(ParcelRow.order_id == order.id))
    return OrderView(
        id=order.id,
        customer_id=order.customer_id,
        status=order.status,
        stage=order.stage,  # type: ignore[typeddict-item]
        generation=order.generation,
        revision=order.revision,
        total=order.total,
        currency=order.currency,
        payment_method_id=order.payment_method_id,
        ship_to=order.ship_to,
        lines=[
            LineView(
                number=line.number,
                sku=line.sku,
                name=name,
                quantity=line.quantity,
                unit_price=line.unit_price,
                reservation=line.reservation,
            )
            for line, name in lines
        ],
        payments=[{"key": p.key, "outcome": p.outcome, "amount": p.amount} for p in payments],
        parcels=[
            {"id": p.id, "warehouse": p.warehouse, "state": p.state, "tracking_id": p.tracking_id} for p in parcels
        ],
        reason=order.reason,
        placed_by=order.placed_by,
        placed_at=order.placed_at.isoformat(),
    )
