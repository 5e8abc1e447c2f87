"""Parcels: what leaves which warehouse, its way to the carrier, its arrival, and what the carrier will not take."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Literal

from sqlalchemy import bindparam, select, update
from sqlalchemy.orm import Session

from agent.commerce.booking import is_paid, owe_part, unpaid
from agent.commerce.commands import MarkDelivered, MarkHandedOver
from agent.commerce.locks import OrderRef, attempt, checked, id_of, locked, locked_all, move
from agent.commerce.parcels import LEFT, let_go, locked_parcel, parcels_of, price_of, release, status_of_parcels
from agent.commerce.policy import policy_denied
from agent.ledger.database import Database, digest, emit_once_committed
from agent.ledger.grouping import Group
from agent.ledger.statements import add, change, table_of
from agent.ledger.tables import OrderLineRow, OrderRow, ParcelRow, VariantRow
from agent.ledger.traces import in_trace_of
from agent.ledger.transactions import writes
from agent.notifications.notify import notify
from agent.providers.carrier import Carrier, ParcelRefusedError, Shipment


@dataclass(frozen=True)
class Sent:
    """How far a parcel is: as the carrier has it, or `refused` by it for good; `stopped`: the order was undone;
    `unpaid`: a change of it is not paid yet."""

    outcome: str
    tracking_id: str | None = None


def hand_over(session: Session, command: MarkHandedOver, now: datetime) -> OrderRow:
    """MarkHandedOver: the parcel leaves, its stock is gone, the order is `processed`.

    Raises `PolicyDenied` ORDER-STAGE when the order is not ready or was undone, PAYMENT-DUE when not all of it is paid,
    PARCEL-EXISTS.
    """
    parcel, order = locked_parcel(session, command.parcel_id)
    if order.stage not in ("paid", "imported") or parcel.state not in ("planned", "booked"):
        raise policy_denied("ORDER-STAGE", order.stage)
    if not is_paid(session, order):
        raise policy_denied("PAYMENT-DUE")
    leave(session, order, parcel, parcel.tracking_id or f"T{digest(parcel.id)[:10].upper()}", now)
    return order


def deliver(session: Session, command: MarkDelivered, now: datetime) -> OrderRow:
    """MarkDelivered: when every parcel that left has arrived the order is `delivered`.

    Raises `PolicyDenied` PARCEL-STATE, PARCEL-EXISTS.
    """
    parcel, order = locked_parcel(session, command.parcel_id)
    if parcel.state != "handed_over":
        raise policy_denied("PARCEL-STATE", parcel.state)
    arrive(session, order, parcel, now)
    return order


def leave(session: Session, order: OrderRow, parcel: ParcelRow, tracking_id: str, now: datetime) -> None:
    """The parcel has left under this tracking id; the customer hears of it."""
    let_go(session, parcel, tracking_id)
    if order.status != "processed":
        change(session, order, status="processed", touched_at=now)
    facts = {"parcel_id": parcel.id, "tracking_id": tracking_id}
    notify(session, "parcel.shipped", parcel.id, order=order, now=now, **facts)


def arrive(session: Session, order: OrderRow, parcel: ParcelRow, now: datetime) -> None:
    """The parcel has arrived; when every parcel that left has, the order is `delivered`."""
    change(session, parcel, state="delivered")
    status = status_of_parcels(parcels_of(session, order.id))
    change(session, order, status=status, touched_at=now)
    if status == "delivered" and order.stage != "completed":
        move(session, order, "completed", "carrier", ended_at=now)


class Fulfilment:
    """The steps of an order's process that are about parcels. Each is safe to repeat."""

    def __init__(self, database: Database, carrier: Carrier) -> None:
        self._db = database
        self._carrier = carrier
        self._about_to_book: Group[ParcelOf, dict[str, Any] | Sent] = Group(database, about_to_book)

    async def book(self, parcel_id: str, order: OrderRef | None = None) -> Sent:
        """Have the carrier take a parcel, and write down how far it is; what it will never take is given back.

        Raises `CarrierUnavailableError` and `CircuitOpenError` (ask again), `PolicyDenied` PARCEL-EXISTS.
        """
        order = order or parcel_id.rpartition("/")[0]
        known = await self._about_to_book.ask(ParcelOf(order, parcel_id))
        if isinstance(known, Sent):
            return known
        try:
            async with in_trace_of(self._db, id_of(order), "book"):
                shipment = await self._carrier.book(parcel_id, known)
        except ParcelRefusedError:
            return Sent(await self._refused(parcel_id))
        return await self._taken(parcel_id, order, shipment)

    @writes
    def _taken(self, session: Session, parcel_id: str, order_ref: OrderRef, shipment: Shipment) -> Sent:
        """Write down what the carrier says; what has left is the customer's, unless the order was undone meanwhile."""
        order, now = locked(session, id_of(order_ref)), self._db.clock()
        parcel = session.get_one(ParcelRow, parcel_id)
        if parcel.state not in LEFT and shipment.state not in LEFT:
            change(session, parcel, tracking_id=shipment.tracking_id)
        if parcel.state in LEFT or shipment.state not in LEFT:
            return Sent(shipment.state, shipment.tracking_id)
        if order.stage != "paid" or parcel.state != "booked":
            return Sent("stopped")
        leave(session, order, parcel, shipment.tracking_id, now)
        if shipment.state == "delivered":  # its webhook came before we knew that it had left
            arrive(session, order, parcel, now)
        return Sent(shipment.state, shipment.tracking_id)

    @writes
    def join(self, session: Session, order_ref: OrderRef) -> Literal["completed", "refused", "waiting"]:
        """Complete an order when each parcel has left, or will not; `refused`: none will, it must be undone."""
        order = locked(session, order_ref)
        if order.stage == "completed":
            return "completed"
        parcels = parcels_of(session, order.id)
        states = {parcel.state for parcel in parcels}
        if states == {"refused"}:
            return "refused"
        if not states or not states <= {*LEFT, "refused"}:
            return "waiting"
        now = self._db.clock()
        move(session, order, "completed", "process", status=status_of_parcels(parcels), touched_at=now, ended_at=now)
        return "completed"

    @writes
    def _refused(self, session: Session, parcel_id: str) -> Literal["refused", "stopped"]:
        """Give a parcel's stock free and its part of the money back; the others go their way. When none is left the
        whole order is undone instead."""
        parcel, order = locked_parcel(session, parcel_id)
        if parcel.state != "booked" or order.stage != "paid":
            return "refused" if parcel.state == "refused" else "stopped"
        now, amount = self._db.clock(), price_of(session, parcel)
        release(session, parcel, "refused")
        session.flush()
        if any(other.state != "refused" for other in parcels_of(session, order.id)):
            amount = owe_part(session, order, amount, key=f"{parcel_id}:refund", now=now)
            notify(session, "parcel.refused", parcel_id, order=order, now=now, parcel_id=parcel_id, amount=amount)
        emit_once_committed(session, "parcel.refused", order_id=order.id, amount=amount)
        return "refused"


def plan_parcels(session: Session, order: OrderRow, *, just_paid: bool = False) -> list[str]:
    """Plan one parcel a warehouse for what is held; returns the ids of those that have yet to leave.

    An order that was paid in this transaction has none yet.
    """
    if not just_paid and (there := parcels_of(session, order.id)):
        return [parcel.id for parcel in there if parcel.state in ("planned", "booked")]
    by_warehouse: dict[str, list[int]] = defaultdict(list)
    for number, warehouse in session.connection().execute(_HELD, {"of_order": order.id}):
        by_warehouse[warehouse].append(number)
    planned = {"order_id": order.id, "state": "planned"}
    ids = {warehouse: f"{order.id}/{warehouse}" for warehouse in by_warehouse}
    add(session, ParcelRow, *(planned | {"id": ids[w], "warehouse": w, "lines": n} for w, n in by_warehouse.items()))
    return list(ids.values())


@dataclass(frozen=True)
class ParcelOf:
    """One parcel of an order."""

    order: OrderRef
    parcel_id: str


def about_to_book(session: Session, asked: Sequence[ParcelOf]) -> list[dict[str, Any] | Sent | Exception]:
    """Write that the carrier may know of each parcel, before it does; its ship-to, or why it must not be booked."""
    orders = locked_all(session, [each.order for each in asked])
    ids = sorted({each.parcel_id for each in asked})
    parcels = {parcel.id: (parcel, owing) for parcel, owing in session.execute(_OF_IDS, {"of_parcels": ids})}
    booked: list[str] = []

    def note(each: ParcelOf) -> dict[str, Any] | Sent:
        order = checked(each.order, orders.get(id_of(each.order)))
        parcel, owing = parcels.get(each.parcel_id, (None, False))
        if parcel is None or parcel.order_id != order.id:
            raise policy_denied("PARCEL-EXISTS", each.parcel_id)
        if parcel.state not in ("planned", "booked"):
            return Sent(parcel.state, parcel.tracking_id)
        if order.stage != "paid":
            return Sent("stopped")
        if owing:
            return Sent("unpaid")
        booked.append(parcel.id)  # from now on nothing of the order is changed: the carrier was told what, and where to
        return order.ship_to

    answers = [attempt(note, each) for each in asked]
    if booked:
        session.connection().execute(_BOOKED, [{"of_parcel": parcel_id} for parcel_id in booked])
    return answers


_LINES, _VARIANTS, _PARCELS = table_of(OrderLineRow), table_of(VariantRow), table_of(ParcelRow)
_HELD: Final = (
    select(_LINES.c.number, _VARIANTS.c.warehouse)
    .join(_VARIANTS, _VARIANTS.c.sku == _LINES.c.sku)
    .where(_LINES.c.order_id == bindparam("of_order"), _LINES.c.reservation == "held")
    .order_by(_LINES.c.number)
)
_OF_IDS: Final = (
    select(ParcelRow, unpaid(ParcelRow.order_id))
    .where(ParcelRow.id.in_(bindparam("of_parcels", expanding=True)))
    .order_by(ParcelRow.id)
)
_BOOKED: Final = update(_PARCELS).where(_PARCELS.c.id == bindparam("of_parcel")).values(state="booked")
