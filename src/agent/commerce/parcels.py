"""What becomes of a parcel, and of the stock that it holds. Each is part of somebody else's transaction."""

from collections.abc import Sequence
from typing import Final

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from agent.commerce import stock
from agent.commerce.policy import denied
from agent.commerce.rows import lines_of, locked
from agent.ledger.tables import OrderLineRow, OrderRow, ParcelRow

LEFT: Final = ("handed_over", "delivered")
"""States of a parcel that has left the house."""

STAYED: Final = ("refused", "stopped")
"""States of a parcel that will not leave."""


async def locked_parcel(session: AsyncSession, parcel_id: str) -> tuple[ParcelRow, OrderRow]:
    """The parcel with its order, both as they are under the order's lock. Raises `Denied` PARCEL-EXISTS."""
    parcel = await session.get(ParcelRow, parcel_id)
    if parcel is None:
        raise denied("PARCEL-EXISTS", parcel_id)
    order = await locked(session, parcel.order_id)
    await session.refresh(parcel)
    return parcel, order


async def parcels_of(session: AsyncSession, order_id: str) -> Sequence[ParcelRow]:
    """The order's parcels, by id."""
    query = select(ParcelRow).where(ParcelRow.order_id == order_id).order_by(ParcelRow.id)
    return (await session.scalars(query)).all()


def told(parcels: Sequence[ParcelRow]) -> str:
    """The status of an order of which something has left: `delivered` once all of that has arrived."""
    return "delivered" if {parcel.state for parcel in parcels} <= {"delivered", *STAYED} else "processed"


async def price_of(session: AsyncSession, parcel: ParcelRow) -> int:
    """What the lines of a parcel cost, in minor units."""
    return sum(line.quantity * line.unit_price for line in await _lines(session, parcel))


async def release(session: AsyncSession, parcel: ParcelRow, state: str) -> None:
    """The parcel will not leave: `stopped` or `refused`. Its stock is free again."""
    for line in await _lines(session, parcel):
        if line.reservation == "held":
            line.reservation = "released"
            await stock.free(session, line.sku, line.quantity)
    parcel.state = state


async def let_go(session: AsyncSession, parcel: ParcelRow, tracking_id: str) -> None:
    """The parcel has left the house, and its stock with it."""
    for line in await _lines(session, parcel):
        if line.reservation == "held":
            line.reservation = "shipped"
            await stock.hand_out(session, line.sku, line.quantity)
    parcel.state, parcel.tracking_id = "handed_over", tracking_id


async def _lines(session: AsyncSession, parcel: ParcelRow) -> list[OrderLineRow]:
    return [line for line in await lines_of(session, parcel.order_id) if line.number in parcel.lines]
