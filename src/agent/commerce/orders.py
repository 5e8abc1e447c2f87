"""Commands on orders: placing, reserving, moving on, cancelling, undoing.

Money is in `payments` and `refunds`, parcels in `fulfilment`, reads in `reads`.
"""

from collections import Counter
from typing import Annotated, Any, Final

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError
from sqlalchemy import func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from agent.commerce.lifecycle import MOVES, Stage
from agent.commerce.policy import cancel_denied, denied
from agent.commerce.reads import OrderView, Reads
from agent.commerce.refunds import owe_refunds
from agent.ledger.database import Database, Effect, KeyReusedError
from agent.ledger.tables import (
    ApprovalRow,
    CustomerRow,
    OrderLineRow,
    OrderRow,
    PaymentMethodRow,
    PaymentRow,
    VariantRow,
)
from agent.observability.events import emit

ORDER_CASES: Final = ("large_order", "very_large_order")
"""Approval cases that are about placing an order; they are void when it is undone."""

Id = Annotated[str, StringConstraints(strict=True, pattern=r"^[A-Za-z0-9#][A-Za-z0-9_.#-]{0,59}$")]


class NewLine(BaseModel):
    """A line as it is ordered; the price comes from the catalogue (law 2)."""

    model_config = ConfigDict(extra="forbid", strict=True)
    sku: Id
    quantity: int = Field(ge=1, le=1000)


class Address(BaseModel):
    """Where something is shipped to."""

    model_config = ConfigDict(extra="forbid", strict=True)
    line1: str = Field(min_length=1, max_length=200)
    line2: str = Field(default="", max_length=200)
    city: str = Field(min_length=1, max_length=100)
    state: str = Field(default="", max_length=100)
    postcode: str = Field(min_length=1, max_length=20)
    country: str = Field(min_length=1, max_length=100)


class NewOrder(BaseModel):
    """An order as it comes in. Without `ship_to` it goes to the customer's default address."""

    model_config = ConfigDict(extra="forbid", strict=True)
    order_id: Id
    customer_id: Id
    lines: list[NewLine] = Field(min_length=1, max_length=100)
    payment_method_id: Id
    ship_to: Address | None = None


def first_error(wrong: ValidationError) -> str:
    """The field at fault and what is wrong with it; never the value, which may be anything."""
    error = wrong.errors(include_url=False, include_input=False)[0]
    return f"{'.'.join(str(part) for part in error['loc']) or 'order'}: {error['msg']}"


class Orders:
    """The commands and reads on orders. Every effect goes through `Database.once` or moves a stage by the table."""

    def __init__(self, database: Database) -> None:
        self._db = database
        self._reads = Reads(database)

    async def place(self, order: NewOrder, *, actor: str) -> OrderView:
        """Write a new order at catalogue prices; the same order again is the same order.

        Raises `Denied` (ORDER-CUSTOMER, ORDER-SKU, ORDER-METHOD, ORDER-ID-TAKEN); nothing is written then.
        """

        async def act(session: AsyncSession) -> dict[str, Any]:
            customer = await session.get(CustomerRow, order.customer_id)
            if customer is None:
                raise denied("ORDER-CUSTOMER", order.customer_id)
            method = await session.get(PaymentMethodRow, order.payment_method_id)
            if method is None or method.customer_id != customer.id:
                raise denied("ORDER-METHOD", order.payment_method_id)
            prices = await self._prices(session, order.lines)
            if await session.get(OrderRow, order.order_id):
                raise denied("ORDER-ID-TAKEN", order.order_id)
            now = self._db.clock()
            session.add(
                OrderRow(
                    id=order.order_id,
                    customer_id=customer.id,
                    status="pending",
                    stage="placed",
                    total=sum(prices[line.sku] * line.quantity for line in order.lines),
                    currency="USD",
                    payment_method_id=method.id,
                    ship_to=order.ship_to.model_dump() if order.ship_to else customer.address,
                    placed_by=actor,
                    placed_at=now,
                    touched_at=now,
                )
            )
            await session.flush()
            session.add_all(
                OrderLineRow(
                    order_id=order.order_id,
                    number=n,
                    sku=line.sku,
                    quantity=line.quantity,
                    unit_price=prices[line.sku],
                )
                for n, line in enumerate(order.lines, 1)
            )
            return {"order_id": order.order_id}

        effect = Effect(
            f"order:{order.order_id}:place",
            "PlaceOrder",
            actor,
            order.customer_id,
            order.model_dump(mode="json"),
        )
        try:
            await self._db.once(effect, act, remember_denial=False)
        except KeyReusedError as reused:
            raise denied("ORDER-ID-TAKEN", order.order_id) from reused
        return await self._reads.get(order.order_id)

    @staticmethod
    async def _prices(session: AsyncSession, lines: list[NewLine]) -> dict[str, int]:
        skus = Counter(line.sku for line in lines)
        rows = await session.execute(select(VariantRow.sku, VariantRow.price).where(VariantRow.sku.in_(skus)))
        prices = {row.sku: row.price for row in rows}
        if unknown := sorted(set(skus) - set(prices)):
            raise denied("ORDER-SKU", ", ".join(unknown))
        return prices

    async def reserve_line(self, order_id: str, number: int) -> None:
        """Hold the stock of one line. Raises `Denied` STOCK-SHORT when there is not enough of it."""
        key = f"order:{order_id}:reserve:{number}"

        async def act(session: AsyncSession) -> dict[str, Any]:
            order = await locked(session, order_id)
            line = await session.get_one(OrderLineRow, (order_id, number))
            if order.stage != "placed":
                raise denied("ORDER-STAGE", order.stage)
            taken = await session.execute(
                update(VariantRow)
                .where(VariantRow.sku == line.sku, VariantRow.on_hand - VariantRow.reserved >= line.quantity)
                .values(reserved=VariantRow.reserved + line.quantity)
                .returning(VariantRow.sku)
            )
            if taken.first() is None:
                raise denied("STOCK-SHORT", line.sku)
            line.reservation = "held"
            return {"sku": line.sku, "quantity": line.quantity}

        await self._db.once(Effect(key, "ReserveLine", "order_processing", order_id), act)

    async def move(self, order_id: str, to: Stage) -> OrderView:
        """Move an order on; being there already is fine. Raises `Denied` ORDER-STAGE for a move not in the table."""
        async with self._db.write() as session:
            order = await locked(session, order_id)
            move(order, to)
            order.touched_at = self._db.clock()
        emit("order.stage", order_id=order_id, stage=to)
        return await self._reads.get(order_id)

    async def cancel(self, order_id: str, *, reason: str | None, subject: str, actor: str, key: str) -> OrderView:
        """CancelOrder, for the customer `subject`: stock is released and captured money owed back, in one transaction.

        Raises `Denied` ORDER-EXISTS, CANCEL-STATUS or CANCEL-REASON.
        """

        async def act(session: AsyncSession) -> dict[str, Any]:
            order = await own(session, order_id, subject)
            if rule := cancel_denied(order.status, reason):
                raise denied(rule)
            await self._undo(session, order, "CUSTOMER-CANCELLED")
            return {"order_id": order_id}

        await self._db.once(Effect(key, "CancelOrder", actor, subject, {"order_id": order_id, "reason": reason}), act)
        return await self._reads.get(order_id)

    async def undo(self, order_id: str, rule: str) -> OrderView:
        """Undo an order that can't be fulfilled, in reverse, as far as is known; `rule` says why. Safe to repeat.

        It stays in stage `cancelling` while a payment's fate is unknown.
        """
        async with self._db.write() as session:
            await self._undo(session, await locked(session, order_id), rule)
        view = await self._reads.get(order_id)
        emit("order.stage", order_id=order_id, stage=view["stage"])
        return view

    async def _undo(self, session: AsyncSession, order: OrderRow, rule: str) -> None:
        if order.stage == "cancelled":
            return
        move(order, "cancelling")
        order.status = "cancelled"
        order.reason = order.reason or rule
        order.touched_at = self._db.clock()
        await owe_refunds(session, order.id, self._db.clock())
        await self._release(session, order.id)
        await session.execute(
            update(ApprovalRow)
            .where(
                ApprovalRow.order_id == order.id,
                ApprovalRow.status == "open",
                ApprovalRow.case.in_(ORDER_CASES),
            )
            .values(status="void", thread_told=False)
        )
        unknown = await session.scalar(
            select(func.count()).where(PaymentRow.order_id == order.id, PaymentRow.outcome.in_(("open", "unknown")))
        )
        if not unknown:
            move(order, "cancelled")

    @staticmethod
    async def _release(session: AsyncSession, order_id: str) -> None:
        held = await session.scalars(
            select(OrderLineRow).where(OrderLineRow.order_id == order_id, OrderLineRow.reservation == "held")
        )
        for line in held.all():
            line.reservation = "released"
            await session.execute(
                update(VariantRow)
                .where(VariantRow.sku == line.sku)
                .values(reserved=VariantRow.reserved - line.quantity)
            )


def move(order: OrderRow, to: Stage) -> None:
    """Move an order's stage by the table of `lifecycle`. Raises `Denied` ORDER-STAGE."""
    stage: Stage = order.stage  # type: ignore[assignment]
    if stage != to and to not in MOVES[stage]:
        raise denied("ORDER-STAGE", f"{stage}, not {to}")
    order.stage = to


async def locked(session: AsyncSession, order_id: str) -> OrderRow:
    """The order's row, locked for this transaction. Raises `Denied` ORDER-EXISTS."""
    order = await session.get(OrderRow, order_id, with_for_update=True)
    if order is None:
        raise denied("ORDER-EXISTS")
    return order


async def own(session: AsyncSession, order_id: str, customer_id: str) -> OrderRow:
    """The customer's own order, locked. Raises `Denied` ORDER-EXISTS, the same for another's as for none."""
    order = await session.get(OrderRow, order_id, with_for_update=True)
    if order is None or order.customer_id != customer_id:
        raise denied("ORDER-EXISTS")
    return order
