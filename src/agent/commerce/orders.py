"""Orders: the commands that place and cancel one, and the steps of its process: reserving, moving on, undoing.

Money is in `payments` and `debts`, parcels in `fulfilment`, what a customer may change in `changes`.
"""

from collections import Counter
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from agent.commerce import stock
from agent.commerce.commands import LARGEST_AMOUNT, CancelOrder, NewLine, PlaceOrder
from agent.commerce.lifecycle import Cause, Stage, move
from agent.commerce.policy import cancel_denied, denied
from agent.commerce.reads import Reads
from agent.commerce.rows import lines_of, locked, open_case, own
from agent.commerce.undoing import undo
from agent.commerce.views import OrderView
from agent.ledger.database import Database, Effect
from agent.ledger.tables import CustomerRow, OrderLineRow, OrderRow, PaymentMethodRow, VariantRow
from agent.observability.events import emit
from agent.platform import order_thread

GIVE_UPS: Final = 5
"""Threads of one order that may fail before a person is asked to look into it."""


async def place(session: AsyncSession, command: PlaceOrder, now: datetime) -> OrderRow:
    """PlaceOrder. Raises `Denied` ORDER-CUSTOMER, ORDER-SKU, ORDER-METHOD, ORDER-ID-TAKEN, ORDER-TOTAL."""
    order = command.order
    customer = await session.get(CustomerRow, command.subject)
    if customer is None or order.customer_id != command.subject:
        raise denied("ORDER-CUSTOMER", order.customer_id)
    method = await session.get(PaymentMethodRow, order.payment_method_id)
    if method is None or method.customer_id != customer.id:
        raise denied("ORDER-METHOD", order.payment_method_id)
    prices = await _prices(session, order.lines)
    if await session.get(OrderRow, order.order_id):
        raise denied("ORDER-ID-TAKEN", order.order_id)
    total = sum(prices[line.sku] * line.quantity for line in order.lines)
    if total > LARGEST_AMOUNT:
        raise denied("ORDER-TOTAL")
    row = OrderRow(
        id=order.order_id,
        customer_id=customer.id,
        status="pending",
        stage="placed",
        total=total,
        currency="USD",
        payment_method_id=method.id,
        thread_id=order_thread(order.order_id),
        allow_partial=order.allow_partial,
        ship_to=order.ship_to.model_dump() if order.ship_to else customer.address,
        placed_by=command.actor,
        placed_at=now,
        touched_at=now,
    )
    session.add(row)
    await session.flush()
    session.add_all(
        OrderLineRow(order_id=row.id, number=n, sku=line.sku, quantity=line.quantity, unit_price=prices[line.sku])
        for n, line in enumerate(order.lines, 1)
    )
    return row


async def cancel(session: AsyncSession, command: CancelOrder, now: datetime) -> OrderRow:
    """CancelOrder: stock is released, money owed back. Raises `Denied` ORDER-EXISTS, CANCEL-STATUS, CANCEL-REASON."""
    order = await own(session, command.order_id, command.subject)
    if rule := cancel_denied(order.status, command.reason):
        raise denied(rule)
    order.cancel_reason = command.reason
    await undo(session, order, "CUSTOMER-CANCELLED", by="customer", now=now)
    return order


class Orders:
    """The steps of an order's process. Each is safe to repeat."""

    def __init__(self, database: Database) -> None:
        self._db = database
        self._reads = Reads(database)

    async def reserve_line(self, order_id: str, number: int) -> None:
        """Hold the stock of one line. Raises `Denied` STOCK-SHORT when there is not enough of it."""

        async def act(session: AsyncSession) -> dict[str, Any]:
            order = await locked(session, order_id)
            line = await session.get_one(OrderLineRow, (order_id, number))
            if order.stage != "placed":
                raise denied("ORDER-STAGE", order.stage)
            await stock.hold(session, line.sku, line.quantity)
            line.reservation = "held"
            return {"sku": line.sku, "quantity": line.quantity}

        key = f"order:{order_id}:reserve:{number}"
        await self._db.once(Effect(key, "ReserveLine", "order_processing", order_id), act)

    async def reserved(self, order_id: str, *, short: list[int]) -> OrderView:
        """All lines are held but the `short` ones: the order goes on, without those when it allows that.

        One that is past this stays as it is. Raises `Denied` STOCK-SHORT when it does not, or nothing would be left;
        ORDER-STAGE when a line was never asked for.
        """
        async with self._db.write() as session:
            order = await locked(session, order_id)
            if order.stage == "placed":
                lines = await lines_of(session, order_id)
                _leave_out(order, lines, short)
                move(order, "reserved", "process")
                order.touched_at = self._db.clock()
                emit("order.stage", order_id=order_id, stage="reserved")
        return await self._reads.get(order_id)

    async def move(self, order_id: str, to: Stage, *, by: Cause = "process", revision: int | None = None) -> OrderView:
        """Move an order on; being there already is fine.

        Raises `Denied` ORDER-STAGE for a move not in the table, or when the order is not of this `revision` any more:
        what was assessed, or approved, was another order (law 6).
        """
        async with self._db.write() as session:
            order = await locked(session, order_id)
            if revision not in (None, order.revision):
                raise denied("ORDER-STAGE", "it was changed meanwhile")
            move(order, to, by)
            order.touched_at = self._db.clock()
        emit("order.stage", order_id=order_id, stage=to)
        return await self._reads.get(order_id)

    async def undo(self, order_id: str, rule: str, *, by: Cause = "process") -> OrderView:
        """Undo an order that can't be fulfilled, in reverse, as far as is known; `rule` says why (see `undoing`)."""
        async with self._db.write() as session:
            await undo(session, await locked(session, order_id), rule, by=by, now=self._db.clock())
        view = await self._reads.get(order_id)
        emit("order.stage", order_id=order_id, stage=view["stage"])
        return view

    async def give_up_thread(self, order_id: str, wait: timedelta) -> str | None:
        """The order's thread can't go on: it gets a new one, whose id is returned.

        Each new one has to wait longer, from `wait` doubled up to GIVE_UPS times; None until then. From there on it is
        the order that can't go on, and a ticket asks a person to look into it.
        """
        async with self._db.write() as session:
            order, now = await locked(session, order_id), self._db.clock()
            if order.generation and now - order.touched_at < wait * 2 ** min(order.generation - 1, GIVE_UPS):
                return None
            order.generation += 1
            order.thread_id = order_thread(order_id, order.generation)
            order.touched_at = now
            if order.generation == GIVE_UPS:
                text = f"{GIVE_UPS} threads of the order ended in an error: it can't go on by itself"
                await open_case(session, order, f"{order_id}:threads", topic="order", text=text, now=now)
        emit("order.thread_given_up", order_id=order_id, generation=order.generation)
        return order.thread_id


def _leave_out(order: OrderRow, lines: list[OrderLineRow], short: list[int]) -> None:
    """Go on without the lines that were short, if the order allows it: it is another order then."""
    missing = [line for line in lines if line.reservation == "none"]
    if not {line.number for line in missing} <= set(short):
        raise denied("ORDER-STAGE", "a line was never asked for")
    if missing and (not order.allow_partial or len(missing) == len(lines)):
        raise denied("STOCK-SHORT")
    for line in missing:
        line.reservation = "short"
        order.total -= line.quantity * line.unit_price
    order.revision += bool(missing)


async def _prices(session: AsyncSession, lines: list[NewLine]) -> dict[str, int]:
    skus = Counter(line.sku for line in lines)
    rows = await session.execute(select(VariantRow.sku, VariantRow.price).where(VariantRow.sku.in_(skus)))
    prices = {row.sku: row.price for row in rows}
    if unknown := sorted(set(skus) - set(prices)):
        raise denied("ORDER-SKU", ", ".join(unknown))
    return prices
