"""Orders: the commands that place and cancel one, and the steps of its process: reserving, moving on, undoing.

Money is in `payments` and `refunds`, parcels in `fulfilment`, what a customer may change in `changes`.
"""

from collections import Counter
from datetime import datetime
from typing import Any, Final

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from agent.commerce import stock
from agent.commerce.booking import UNDECIDED, owe_everything, payments_of
from agent.commerce.commands import CancelOrder, NewLine, PlaceOrder
from agent.commerce.lifecycle import MOVES, Stage
from agent.commerce.policy import cancel_denied, denied
from agent.commerce.reads import Reads
from agent.commerce.views import OrderView
from agent.ledger.database import Database, Effect
from agent.ledger.tables import ApprovalRow, CustomerRow, OrderLineRow, OrderRow, PaymentMethodRow, VariantRow
from agent.observability.events import emit

ORDER_CASES: Final = ("large_order", "very_large_order")
"""Approval cases that are about placing an order; they are void when it is undone or becomes another one."""


async def place(session: AsyncSession, command: PlaceOrder, now: datetime) -> OrderRow:
    """PlaceOrder. Raises `Denied` ORDER-CUSTOMER, ORDER-SKU, ORDER-METHOD, ORDER-ID-TAKEN."""
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
    row = OrderRow(
        id=order.order_id,
        customer_id=customer.id,
        status="pending",
        stage="placed",
        total=sum(prices[line.sku] * line.quantity for line in order.lines),
        currency="USD",
        payment_method_id=method.id,
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
    await _undo(session, order, "CUSTOMER-CANCELLED", now)
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

    async def move(self, order_id: str, to: Stage, *, revision: int | None = None) -> OrderView:
        """Move an order on; being there already is fine.

        Raises `Denied` ORDER-STAGE for a move not in the table, or when the order is not of this `revision` any more:
        what was assessed, or approved, was another order (law 6).
        """
        async with self._db.write() as session:
            order = await locked(session, order_id)
            if revision not in (None, order.revision):
                raise denied("ORDER-STAGE", "it was changed meanwhile")
            move(order, to)
            order.touched_at = self._db.clock()
        emit("order.stage", order_id=order_id, stage=to)
        return await self._reads.get(order_id)

    async def undo(self, order_id: str, rule: str) -> OrderView:
        """Undo an order that can't be fulfilled, in reverse, as far as is known; `rule` says why.

        It stays in stage `cancelling` while a payment's fate is unknown.
        """
        async with self._db.write() as session:
            await _undo(session, await locked(session, order_id), rule, self._db.clock())
        view = await self._reads.get(order_id)
        emit("order.stage", order_id=order_id, stage=view["stage"])
        return view


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
        raise denied("ORDER-EXISTS", order_id)
    return order


async def own(session: AsyncSession, order_id: str, customer_id: str) -> OrderRow:
    """The customer's own order, locked. Raises `Denied` ORDER-EXISTS, the same for another's as for none."""
    order = await session.get(OrderRow, order_id, with_for_update=True)
    if order is None or order.customer_id != customer_id:
        raise denied("ORDER-EXISTS", order_id)
    return order


async def void_approvals(session: AsyncSession, order_id: str) -> None:
    """End the open requests about placing this order: what they showed is not what would be done any more (law 6)."""
    row = ApprovalRow
    await session.execute(
        update(row)
        .where(row.order_id == order_id, row.status == "open", row.case.in_(ORDER_CASES))
        .values(status="void", thread_told=False)
    )


async def _prices(session: AsyncSession, lines: list[NewLine]) -> dict[str, int]:
    skus = Counter(line.sku for line in lines)
    rows = await session.execute(select(VariantRow.sku, VariantRow.price).where(VariantRow.sku.in_(skus)))
    prices = {row.sku: row.price for row in rows}
    if unknown := sorted(set(skus) - set(prices)):
        raise denied("ORDER-SKU", ", ".join(unknown))
    return prices


async def _undo(session: AsyncSession, order: OrderRow, rule: str, now: datetime) -> None:
    if order.stage == "cancelled":
        return
    move(order, "cancelling")
    order.status = "cancelled"
    order.reason = order.reason or rule
    order.touched_at = now
    await owe_everything(session, order, now)
    held = select(OrderLineRow).where(OrderLineRow.order_id == order.id, OrderLineRow.reservation == "held")
    for line in (await session.scalars(held)).all():
        line.reservation = "released"
        await stock.free(session, line.sku, line.quantity)
    await void_approvals(session, order.id)
    if not await payments_of(session, order.id, *UNDECIDED):
        move(order, "cancelled")
