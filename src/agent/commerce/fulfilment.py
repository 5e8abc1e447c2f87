"""Parcels: what leaves which warehouse, and its hand-over to the carrier."""

from collections import defaultdict
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from agent.commerce.orders import locked, move
from agent.commerce.policy import denied
from agent.ledger.database import Database, Effect, digest
from agent.ledger.tables import OrderLineRow, OrderRow, ParcelRow, VariantRow


class Fulfilment:
    """The commands on parcels."""

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

    async def hand_over(self, parcel_id: str) -> str:
        """MarkHandedOver: the parcel leaves, its stock is gone, the order is `processed`; returns the tracking id.

        Raises `Denied` ORDER-STAGE when the order is not paid, or was undone.
        """

        async def act(session: AsyncSession) -> dict[str, Any]:
            parcel = await session.get_one(ParcelRow, parcel_id)
            order = await locked(session, parcel.order_id)
            if order.stage != "paid":
                raise denied("ORDER-STAGE", order.stage)
            lines = await session.scalars(
                select(OrderLineRow).where(OrderLineRow.order_id == order.id, OrderLineRow.number.in_(parcel.lines))
            )
            for line in lines.all():
                line.reservation = "shipped"
                await session.execute(
                    update(VariantRow)
                    .where(VariantRow.sku == line.sku)
                    .values(
                        on_hand=VariantRow.on_hand - line.quantity,
                        reserved=VariantRow.reserved - line.quantity,
                    )
                )
            parcel.state = "handed_over"
            parcel.tracking_id = f"T{digest(parcel_id)[:10].upper()}"
            order.status = "processed"
            order.touched_at = self._db.clock()
            return {"tracking_id": parcel.tracking_id}

        answer = await self._db.once(
            Effect(f"parcel:{parcel_id}:hand-over", "MarkHandedOver", "warehouse", parcel_id), act
        )
        return str(answer["tracking_id"])

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
