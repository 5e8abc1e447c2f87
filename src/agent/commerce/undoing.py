"""Undoing an order, in reverse and as far as is known: parcels, stock, money. Safe to repeat (the saga's way back).

What only others can undo becomes a debt in the same transaction (law 4); `debts` settles those.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from sqlalchemy import update
from sqlalchemy.ext.asyncio import AsyncSession

from agent.commerce import stock
from agent.commerce.booking import UNDECIDED, owe_everything, owe_part, payments_of
from agent.commerce.lifecycle import Cause, move
from agent.commerce.parcels import LEFT, parcels_of, price_of, release, told
from agent.commerce.policy import denied
from agent.commerce.rows import lines_of
from agent.ledger.notices import notify
from agent.ledger.tables import ApprovalRow, DebtRow, OrderRow, ParcelRow

ORDER_CASES: Final = ("large_order", "very_large_order")
"""Approval cases that are about placing an order; they are void when it is undone or becomes another one."""


async def undo(session: AsyncSession, order: OrderRow, rule: str, *, by: Cause, now: datetime) -> None:
    """Undo an order; `rule` says why. Raises `Denied` ORDER-STAGE for one that is completed, or has left in part.

    It stays in stage `cancelling` while a parcel may still leave, or a payment's fate is unknown.
    """
    if order.stage == "cancelled":
        return
    if order.status == "processed":
        raise denied("ORDER-STAGE", order.status)
    move(order, "cancelling", by)
    order.reason = order.reason or rule
    order.touched_at = now
    await void_approvals(session, order.id)
    for parcel in await parcels_of(session, order.id):
        if parcel.state == "planned":
            await release(session, parcel, "stopped")
        elif parcel.state == "booked":
            await _owe(session, order, DebtRow(key=f"{parcel.id}:stop", kind="stop", parcel_id=parcel.id), now)
    if not await parcels_of(session, order.id):
        await _release_lines(session, order)
    for payment in await payments_of(session, order.id, *UNDECIDED):
        await _owe(session, order, DebtRow(key=f"{payment.key}:void", kind="void", payment_key=payment.key), now)
    await finish(session, order, by=by, now=now)


async def finish(session: AsyncSession, order: OrderRow, *, by: Cause, now: datetime) -> None:
    """Go on with undoing: money is owed back once no parcel can leave any more, and the order is closed once no payment
    can come any more. One whose parcels had left before they could be stopped is completed: it was too late."""
    if order.stage != "cancelling":
        return
    parcels = await parcels_of(session, order.id)
    if any(parcel.state == "booked" for parcel in parcels):
        return
    if any(parcel.state in LEFT for parcel in parcels):
        await _too_late(session, order, parcels, now)
        return
    order.status = "cancelled"
    await owe_everything(session, order, now)
    if not await payments_of(session, order.id, *UNDECIDED):
        move(order, "cancelled", by)
        await notify(session, "order.cancelled", order.id, order=order, now=now, rule=order.reason or "")


async def void_approvals(session: AsyncSession, order_id: str) -> None:
    """End the open requests about placing this order: what they showed is not what would be done any more (law 6)."""
    row = ApprovalRow
    await session.execute(
        update(row)
        .where(row.order_id == order_id, row.status == "open", row.case.in_(ORDER_CASES))
        .values(status="void", thread_told=False)
    )


async def _release_lines(session: AsyncSession, order: OrderRow) -> None:
    for line in await lines_of(session, order.id):
        if line.reservation == "held":
            line.reservation = "released"
            await stock.free(session, line.sku, line.quantity)


async def _too_late(session: AsyncSession, order: OrderRow, parcels: Sequence[ParcelRow], now: datetime) -> None:
    """The carrier was quicker (CANCEL-STATUS): what left is the customer's, what was stopped is given back."""
    for parcel in parcels:
        if parcel.state == "stopped":
            await owe_part(session, order, await price_of(session, parcel), key=f"{parcel.id}:refund", now=now)
    order.status, order.reason, order.cancel_reason = told(parcels), "CANCEL-STATUS", None
    move(order, "completed", "carrier")
    await notify(session, "cancel.refused", order.id, order=order, now=now, rule="CANCEL-STATUS")


async def _owe(session: AsyncSession, order: OrderRow, debt: DebtRow, now: datetime) -> None:
    if await session.get(DebtRow, debt.key) is None:
        debt.order_id, debt.at, debt.next_at = order.id, now, now
        session.add(debt)
