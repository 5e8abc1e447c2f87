"""Reads: what an order is, whose it is, how risky it is, which ones wait. Nothing here writes."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any, TypedDict, cast

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from agent.commerce.booking import gift_balance, payments_of, refundable
from agent.commerce.lifecycle import AT_REST, Stage
from agent.commerce.policy import RiskFacts, denied, risk_score
from agent.commerce.views import OrderView, order_view
from agent.ledger.database import Database
from agent.ledger.tables import (
    CustomerRow,
    DebtRow,
    OrderRow,
    ParcelRow,
    PaymentMethodRow,
    ProductRow,
    VariantRow,
)
from agent.platform import order_thread


class ParcelView(TypedDict):
    """A parcel: how far it is, whose, and where to."""

    order_id: str
    customer_id: str
    state: str
    ship_to: dict[str, Any]


@dataclass(frozen=True)
class Whereabouts:
    """How far an order is, whose it is, and on which threads it was worked on, the present one last."""

    stage: Stage
    customer_id: str
    threads: tuple[str, ...]


class Reads:
    """What may be asked of the ledger about orders and customers."""

    def __init__(self, database: Database, payment_wait: timedelta = timedelta(0)) -> None:
        self._db = database
        self._payment_wait = payment_wait

    async def get(self, order_id: str, *, customer_id: str | None = None) -> OrderView:
        """The order; with `customer_id` only when it is theirs. Raises `Denied` ORDER-EXISTS."""
        async with self._db.read() as session:
            order = await session.get(OrderRow, order_id)
            if order is None or customer_id not in (None, order.customer_id):
                raise denied("ORDER-EXISTS", order_id)
            return await order_view(session, order)

    async def of_customer(self, customer_id: str, limit: int = 10) -> list[OrderView]:
        """A customer's orders, newest first."""
        async with self._db.read() as session:
            rows = await session.scalars(
                select(OrderRow)
                .where(OrderRow.customer_id == customer_id)
                .order_by(OrderRow.placed_at.desc())
                .limit(limit)
            )
            return [await order_view(session, order) for order in rows.all()]

    async def unfinished(self, *, stale_seconds: float) -> list[OrderView]:
        """Orders that wait for the reconciler: parked, undone in part, untouched for `stale_seconds`; declined ones
        when their customer had time enough to name another payment method."""
        before = self._db.clock() - timedelta(seconds=stale_seconds)
        async with self._db.read() as session:
            rows = await session.scalars(
                select(OrderRow)
                .where(
                    OrderRow.stage.not_in(AT_REST),
                    OrderRow.stage.in_(("parked", "cancelling")) | (OrderRow.touched_at < before),
                    (OrderRow.stage != "declined") | (OrderRow.touched_at < self._db.clock() - self._payment_wait),
                )
                .order_by(OrderRow.touched_at)
                .limit(500)
            )
            return [await order_view(session, order) for order in rows.all()]

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

    async def options(self, sku: str) -> list[dict[str, Any]]:
        """The options of the product that `sku` is one of, with price in minor units, and whether each can be had."""
        product = select(VariantRow.product_id).where(VariantRow.sku == sku).scalar_subquery()
        query = select(VariantRow, ProductRow.name).join(ProductRow).where(VariantRow.product_id == product)

        async def question(session: AsyncSession) -> list[dict[str, Any]]:
            return [
                {
                    "sku": variant.sku,
                    "name": name,
                    "options": variant.options,
                    "price": variant.price,
                    "available": variant.on_hand > variant.reserved,
                }
                for variant, name in await session.execute(query.order_by(VariantRow.price, VariantRow.sku))
            ]

        return await self._db.read_stale(question)

    async def refundable(self, order_id: str) -> int:
        """What can still be refunded of an order, in minor units."""
        async with self._db.read() as session:
            return sum(
                [await refundable(session, payment) for payment in await payments_of(session, order_id, "captured")]
            )

    async def parcel(self, parcel_id: str) -> ParcelView | None:
        """A parcel, with whose it is and where it goes."""
        query = select(ParcelRow, OrderRow).join(OrderRow, OrderRow.id == ParcelRow.order_id)
        async with self._db.read() as session:
            found = (await session.execute(query.where(ParcelRow.id == parcel_id))).first()
        if found is None:
            return None
        parcel, order = found
        return ParcelView(order_id=order.id, customer_id=order.customer_id, state=parcel.state, ship_to=order.ship_to)

    async def order_of_thread(self, thread_id: str) -> str | None:
        """The order that is worked on on this thread."""
        async with self._db.read() as session:
            return await session.scalar(select(OrderRow.id).where(OrderRow.thread_id == thread_id))

    async def whereabouts(self, order_id: str) -> Whereabouts | None:
        """Where an order is; None for one that nobody knows."""
        query = select(OrderRow.stage, OrderRow.customer_id, OrderRow.generation).where(OrderRow.id == order_id)
        async with self._db.read() as session:
            row = (await session.execute(query)).one_or_none()
        if row is None:
            return None
        threads = tuple(order_thread(order_id, generation) for generation in range(row.generation + 1))
        return Whereabouts(stage=cast(Stage, row.stage), customer_id=row.customer_id, threads=threads)

    async def payment_methods(self, customer_id: str) -> list[dict[str, Any]]:
        """The customer's payment methods, with what is left on gift cards (minor units); never a token."""
        async with self._db.read() as session:
            rows = await session.scalars(
                select(PaymentMethodRow)
                .where(PaymentMethodRow.customer_id == customer_id)
                .order_by(PaymentMethodRow.id)
            )
            return [
                {
                    "id": method.id,
                    "kind": method.kind,
                    "label": method.label,
                    "balance": await gift_balance(session, method.id) if method.kind == "gift_card" else None,
                }
                for method in rows.all()
            ]

    async def charges(self, order_id: str, *, customer_id: str) -> list[dict[str, Any]]:
        """What was, or is to be, paid and given back for an own order, oldest first; amounts in minor units.

        Raises `Denied` ORDER-EXISTS.
        """
        await self.get(order_id, customer_id=customer_id)
        async with self._db.read() as session:
            payments = await payments_of(session, order_id, "captured", "due", "open", "unknown")
            debts = (
                await session.scalars(select(DebtRow).where(DebtRow.order_id == order_id, DebtRow.kind == "refund"))
            ).all()
        lines = [(p.at, 0, p.key, "payment", p.method_id, p.amount, p.outcome == "captured") for p in payments]
        lines += [(d.at, 1, d.key, "refund", d.method_id or "", d.amount, d.settled) for d in debts]
        return [
            {"what": what, "method_id": method, "amount": amount, "done": done, "at": at.isoformat()}
            for at, _, _, what, method, amount, done in sorted(lines, key=lambda line: line[:3])
        ]
