"""Parcels: what leaves which warehouse, its hand-over to the carrier, its arrival."""

from collections import defaultdict
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from agent.commerce import stock
from agent.commerce.booking import is_paid
from agent.commerce.changes import lines_of
from agent.commerce.commands import MarkDelivered, MarkHandedOver
from agent.commerce.orders import locked, move
from agent.commerce.policy import denied
from agent.ledger.database import Database, digest
from agent.ledger.tables import OrderLineRow, OrderRow, ParcelRow, VariantRow


async def hand_over(session: AsyncSession, command: MarkHandedOver, now: datetime) -> OrderRow:
    """MarkHandedOver: the parcel leaves, its stock is gone, the order is `processed`.

    Raises `Denied` ORDER-STAGE when the order is not ready or was undone, PAYMENT-DUE when not all of it is paid,
    PARCEL-EXISTS.
    """
    parcel = await _parcel(session, command.parcel_id)
    order = await locked(session, parcel.order_id)
    if order.stage not in ("paid", "imported") or parcel.state != "planned":
        raise denied("ORDER-STAGE", order.stage)
    if not await is_paid(session, order):
        raise denied("PAYMENT-DUE")
    for line in await lines_of(session, order.id):
        if line.number in parcel.lines:
            line.reservation = "shipped"
            await stock.hand_out(session, line.sku, line.quantity)
    parcel.state = "handed_over"
    parcel.tracking_id = f"T{digest(parcel.id)[:10].upper()}"
    order.status = "processed"
    order.touched_at = now
    return order


async def deliver(session: AsyncSession, command: MarkDelivered, now: datetime) -> OrderRow:
    """MarkDelivered: when every parcel has arrived the order is `delivered`.

    Raises `Denied` PARCEL-STATE, PARCEL-EXISTS.
    """
    parcel = await _parcel(session, command.parcel_id)
    order = await locked(session, parcel.order_id)
    if parcel.state != "handed_over":
        raise denied("PARCEL-STATE", parcel.state)
    parcel.state = "delivered"
    parcels = await session.scalars(select(ParcelRow.state).where(ParcelRow.order_id == order.id))
    if set(parcels) == {"delivered"}:
        order.status = "delivered"
        move(order, "completed")
    order.touched_at = now
    return order


async def _parcel(session: AsyncSession, parcel_id: str) -> ParcelRow:
    parcel = await session.get(ParcelRow, parcel_id)
    if parcel is None:
        raise denied("PARCEL-EXISTS", parcel_id)
    return parcel


class Fulfilment:
    """The steps of an order's process that are about parcels."""

    def __init__(self, database: Database) -> None:
        self._db = database

    async def plan(self, order_id: str) -> list[str]:
        """Plan one parcel a warehouse for a paid order; returns the ids of those not handed over yet.

        Raises `Denied` ORDER-STAGE before the money is captured.
        """
        async with self._db.write() as session:
            order = await locked(session, order_id)
            if order.stage not in ("paid", "completed"):
                raise denied("ORDER-STAGE", order.stage)
            planned = (await session.scalars(select(ParcelRow).where(ParcelRow.order_id == order_id))).all()
            if planned:
                return [parcel.id for parcel in planned if parcel.state == "planned"]
            by_warehouse: dict[str, list[int]] = defaultdict(list)
            rows = await session.execute(
                select(OrderLineRow.number, VariantRow.warehouse)
                .join(VariantRow, VariantRow.sku == OrderLineRow.sku)
                .where(OrderLineRow.order_id == order_id)
                .order_by(OrderLineRow.number)
            )
            for number, warehouse in rows:
                by_warehouse[warehouse].append(number)
            session.add_all(
                ParcelRow(id=f"{order_id}/{w}", order_id=order_id, warehouse=w, lines=lines, state="planned")
                for w, lines in by_warehouse.items()
            )
            return [f"{order_id}/{warehouse}" for warehouse in by_warehouse]

    async def complete(self, order_id: str) -> OrderRow:
        """Close an order all of whose lines have left. Raises `Denied` ORDER-STAGE otherwise."""
        async with self._db.write() as session:
            order = await locked(session, order_id)
            waiting = await session.scalar(
                select(OrderLineRow.number)
                .where(OrderLineRow.order_id == order_id, OrderLineRow.reservation != "shipped")
                .limit(1)
            )
            if waiting:
                raise denied("ORDER-STAGE", f"line {waiting} has not left")
            move(order, "completed")
            order.touched_at = self._db.clock()
            return order
