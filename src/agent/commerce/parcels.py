"""What becomes of a parcel, and of the stock that it holds. Each is part of somebody else's transaction."""

from collections.abc import Sequence
from typing import Final

from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session

from agent.commerce import stock
from agent.commerce.locks import locked, unhold
from agent.commerce.policy import policy_denied
from agent.ledger.base import total
from agent.ledger.statements import change
from agent.ledger.tables import OrderLineRow, OrderRow, ParcelRow

LEFT: Final = ("handed_over", "delivered")
"""States of a parcel that has left the house."""

_OF_ORDER: Final = select(ParcelRow).where(ParcelRow.order_id == bindparam("of_order")).order_by(ParcelRow.id)

STAYED: Final = ("refused", "stopped")
"""States of a parcel that will not leave."""


def locked_parcel(session: Session, parcel_id: str) -> tuple[ParcelRow, OrderRow]:
    """The parcel with its order, both as they are under the order's lock. Raises `PolicyDenied` PARCEL-EXISTS."""
    parcel = session.get(ParcelRow, parcel_id)
    if parcel is None:
        raise policy_denied("PARCEL-EXISTS", parcel_id)
    order = locked(session, parcel.order_id)
    session.refresh(parcel)
    return parcel, order


def parcels_of(session: Session, order_id: str) -> Sequence[ParcelRow]:
    """The order's parcels, by id."""
    return session.scalars(_OF_ORDER, {"of_order": order_id}).all()


def status_of_parcels(parcels: Sequence[ParcelRow]) -> str:
    """The status of an order of which something has left: `delivered` once all of that has arrived."""
    return "delivered" if {parcel.state for parcel in parcels} <= {"delivered", *STAYED} else "processed"


def price_of(session: Session, parcel: ParcelRow) -> int:
    """What the lines of a parcel cost, in minor units."""
    price = OrderLineRow.quantity * OrderLineRow.unit_price
    of_parcel = (OrderLineRow.order_id == parcel.order_id, OrderLineRow.number.in_(parcel.lines))
    return session.scalar(select(total(price)).where(*of_parcel)) or 0


def release(session: Session, parcel: ParcelRow, state: str) -> None:
    """The parcel will not leave: `stopped` or `refused`. Its stock is free again."""
    stock.free(session, unhold(session, parcel.order_id, "released", parcel.lines))
    change(session, parcel, state=state)


def let_go(session: Session, parcel: ParcelRow, tracking_id: str) -> None:
    """The parcel has left the house, and its stock with it."""
    stock.hand_out(session, unhold(session, parcel.order_id, "shipped", parcel.lines))
    change(session, parcel, state="handed_over", tracking_id=tracking_id)
