"""Reads: what an order is, whose it is, how risky it is, which ones wait. Nothing here writes."""

from datetime import timedelta
from typing import Any, TypedDict

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from agent.commerce.lifecycle import AT_REST, Stage
from agent.commerce.policy import RiskFacts, denied, risk_score
from agent.ledger.database import Database
from agent.ledger.tables import (
    CustomerRow,
    OrderLineRow,
    OrderRow,
    ParcelRow,
    PaymentMethodRow,
    PaymentRow,
    ProductRow,
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


class Reads:
    """What may be asked of the ledger about orders and customers."""

    def __init__(self, database: Database) -> None:
        self._db = database

    async def get(self, order_id: str, *, customer_id: str | None = None) -> OrderView:
        """The order; with `customer_id` only when it is theirs. Raises `Denied` ORDER-EXISTS."""
        async with self._db.read() as session:
            order = await session.get(OrderRow, order_id)
            if order is None or customer_id not in (None, order.customer_id):
                raise denied("ORDER-EXISTS", order_id)
            return await _view(session, order)

    async def of_customer(self, customer_id: str, limit: int = 10) -> list[OrderView]:
        """A customer's orders, newest first."""
        async with self._db.read() as session:
            rows = await session.scalars(
                select(OrderRow)
                .where(OrderRow.customer_id == customer_id)
                .order_by(OrderRow.placed_at.desc())
                .limit(limit)
            )
            return [await _view(session, order) for order in rows.all()]

    async def unfinished(self, *, stale_seconds: float) -> list[OrderView]:
        """Orders that wait for the reconciler: parked, undone in part, or untouched for `stale_seconds`."""
        before = self._db.clock() - timedelta(seconds=stale_seconds)
        async with self._db.read() as session:
            rows = await session.scalars(
                select(OrderRow)
                .where(
                    OrderRow.stage.not_in(AT_REST),
                    OrderRow.stage.in_(("parked", "cancelling")) | (OrderRow.touched_at < before),
                )
                .order_by(OrderRow.touched_at)
                .limit(500)
            )
            return [await _view(session, order) for order in rows.all()]

    async def risk(self, order_id: str) -> int:
        """The risk score of an order, from what the ledger knows of its customer."""
        async with self._db.read() as session:
            order = await session.get_one(OrderRow, order_id)
            customer = await session.get_one(CustomerRow, order.customer_id)
            method = await session.get_one(PaymentMethodRow, order.payment_method_id)
            now = order.placed_at
            others = (
                await session.execute(
                    select(OrderRow.total, OrderRow.placed_at).where(
                        OrderRow.customer_id == customer.id,
                        OrderRow.id != order.id,
                        OrderRow.placed_at <= now,
                    )
                )
            ).all()
        return risk_score(
            RiskFacts(
                total=order.total,
                past_totals=[row.total for row in others],
                orders_in_24_hours=1 + sum(row.placed_at >= now - timedelta(hours=24) for row in others),
                ships_elsewhere=order.ship_to != customer.address,
                paid_by_gift_card=method.kind == "gift_card",
                profile_changed_at=customer.profile_changed_at,
                now=now,
            )
        )

    async def customer_exists(self, customer_id: str) -> bool:
        """Whether the shop knows this customer."""
        async with self._db.read() as session:
            return await session.get(CustomerRow, customer_id) is not None

    async def customer_by_email(self, email: str) -> str | None:
        """The id of the customer with this e-mail address (CUSTOMER-IDENTIFIED)."""
        async with self._db.read() as session:
            return await session.scalar(
                select(CustomerRow.id).where(func.lower(CustomerRow.email) == email.strip().lower())
            )


async def _view(session: AsyncSession, order: OrderRow) -> OrderView:
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
