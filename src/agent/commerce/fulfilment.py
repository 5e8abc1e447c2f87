"""Parcels: what leaves which warehouse, its way to the carrier, its arrival, and what the carrier will not take."""

from collections import defaultdict
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from agent.commerce.booking import is_paid, owe_part
from agent.commerce.commands import MarkDelivered, MarkHandedOver
from agent.commerce.lifecycle import move
from agent.commerce.parcels import LEFT, let_go, locked_parcel, parcels_of, price_of, release, told
from agent.commerce.policy import denied
from agent.commerce.rows import locked
from agent.ledger.database import Database, digest
from agent.ledger.notices import notify
from agent.ledger.tables import OrderLineRow, OrderRow, ParcelRow, VariantRow
from agent.observability.events import emit
from agent.providers.carrier import Carrier, ParcelRefusedError, ShipmentState


async def hand_over(session: AsyncSession, command: MarkHandedOver, now: datetime) -> OrderRow:
    """MarkHandedOver: the parcel leaves, its stock is gone, the order is `processed`.

    Raises `Denied` ORDER-STAGE when the order is not ready or was undone, PAYMENT-DUE when not all of it is paid,
    PARCEL-EXISTS.
    """
    parcel, order = await locked_parcel(session, command.parcel_id)
    if order.stage not in ("paid", "imported") or parcel.state not in ("planned", "booked"):
        raise denied("ORDER-STAGE", order.stage)
    if not await is_paid(session, order):
        raise denied("PAYMENT-DUE")
    tracking_id = parcel.tracking_id or f"T{digest(parcel.id)[:10].upper()}"
    await let_go(session, parcel, tracking_id)
    order.status = "processed"
    order.touched_at = now
    await notify(
        session, "parcel.shipped", parcel.id, order=order, now=now, parcel_id=parcel.id, tracking_id=tracking_id
    )
    return order


async def deliver(session: AsyncSession, command: MarkDelivered, now: datetime) -> OrderRow:
    """MarkDelivered: when every parcel that left has arrived the order is `delivered`.

    Raises `Denied` PARCEL-STATE, PARCEL-EXISTS.
    """
    parcel, order = await locked_parcel(session, command.parcel_id)
    if parcel.state != "handed_over":
        raise denied("PARCEL-STATE", parcel.state)
    parcel.state = "delivered"
    order.status = told(await parcels_of(session, order.id))
    if order.status == "delivered":
        move(order, "completed", "carrier")
    order.touched_at = now
    return order


class Fulfilment:
    """The steps of an order's process that are about parcels. Each is safe to repeat."""

    def __init__(self, database: Database, carrier: Carrier) -> None:
        self._db = database
        self._carrier = carrier

    async def plan(self, order_id: str) -> list[str]:
        """Plan one parcel a warehouse for a paid order; returns the ids of those that have yet to leave.

        Raises `Denied` ORDER-STAGE before the money is captured.
        """
        async with self._db.write() as session:
            order = await locked(session, order_id)
            if order.stage not in ("paid", "completed"):
                raise denied("ORDER-STAGE", order.stage)
            if planned := await parcels_of(session, order_id):
                return [parcel.id for parcel in planned if parcel.state in ("planned", "booked")]
            by_warehouse: dict[str, list[int]] = defaultdict(list)
            rows = await session.execute(
                select(OrderLineRow.number, VariantRow.warehouse)
                .join(VariantRow, VariantRow.sku == OrderLineRow.sku)
                .where(OrderLineRow.order_id == order_id, OrderLineRow.reservation == "held")
                .order_by(OrderLineRow.number)
            )
            for number, warehouse in rows:
                by_warehouse[warehouse].append(number)
            session.add_all(
                ParcelRow(
                    id=f"{order_id}/{w}",
                    order_id=order_id,
                    warehouse=w,
                    lines=lines,
                    state="planned",
                )
                for w, lines in by_warehouse.items()
            )
            return [f"{order_id}/{warehouse}" for warehouse in by_warehouse]

    async def book(self, parcel_id: str) -> ShipmentState | Literal["refused", "unpaid"]:
        """Have the carrier take a parcel, or learn how far it is; what it will never take is given back.

        `stopped`: the order was undone. `unpaid`: a change of it is not paid yet. Raises `CarrierAwayError` and
        `CircuitOpenError` (ask again), `Denied` PARCEL-EXISTS.
        """
        known = await self._about_to_book(parcel_id)
        if isinstance(known, str):
            return known  # type: ignore[return-value]
        try:
            shipment = await self._carrier.book(parcel_id, known)
        except ParcelRefusedError:
            return await self._refused(parcel_id)
        async with self._db.write() as session:
            parcel, _ = await locked_parcel(session, parcel_id)
            parcel.tracking_id = shipment.tracking_id
        return shipment.state

    async def join(self, order_id: str) -> Literal["completed", "refused", "waiting"]:
        """Complete an order when each parcel has left, or will not; `refused`: none will, it must be undone."""
        async with self._db.write() as session:
            order = await locked(session, order_id)
            parcels = await parcels_of(session, order_id)
            states = {parcel.state for parcel in parcels}
            if order.stage == "completed":
                return "completed"
            if states == {"refused"}:
                return "refused"
            if not states or not states <= {*LEFT, "refused"}:
                return "waiting"
            move(order, "completed", "process")
            order.status, order.touched_at = told(parcels), self._db.clock()
            return "completed"

    async def _about_to_book(self, parcel_id: str) -> str | dict[str, Any]:
        """Write that the carrier may know of the parcel, before it does; its ship-to, or the state that forbids it."""
        async with self._db.write() as session:
            parcel, order = await locked_parcel(session, parcel_id)
            if parcel.state not in ("planned", "booked"):
                return parcel.state
            if order.stage != "paid":
                return "stopped"
            if not await is_paid(session, order):
                return "unpaid"
            parcel.state = "booked"
            return order.ship_to

    async def _refused(self, parcel_id: str) -> Literal["refused", "stopped"]:
        """Give a parcel's stock free and its part of the money back; the others go their way. When none is left the
        whole order is undone instead."""
        async with self._db.write() as session:
            parcel, order = await locked_parcel(session, parcel_id)
            if parcel.state != "booked" or order.stage != "paid":
                return "refused" if parcel.state == "refused" else "stopped"
            now, amount = self._db.clock(), await price_of(session, parcel)
            await release(session, parcel, "refused")
            await session.flush()
            if any(other.state != "refused" for other in await parcels_of(session, order.id)):
                await owe_part(session, order, amount, key=f"{parcel_id}:refund", now=now)
                await notify(
                    session, "parcel.refused", parcel_id, order=order, now=now, parcel_id=parcel_id, amount=amount
                )
        emit("parcel.refused", order_id=order.id, amount=amount)
        return "refused"
