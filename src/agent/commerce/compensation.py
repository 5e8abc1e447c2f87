"""Undoing an order, in reverse and as far as is known: parcels, stock, money. Safe to repeat (the saga's way back).

What only others can undo becomes a debt in the same transaction (law 4); `debts` settles those.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from sqlalchemy import update
from sqlalchemy.orm import Session

from agent.commerce import changed_items, stock
from agent.commerce.booking import owe_everything, owe_part, payments_of
from agent.commerce.lifecycle import UNDECIDED, Cause
from agent.commerce.locks import move, unhold
from agent.commerce.parcels import LEFT, parcels_of, price_of, release, status_of_parcels
from agent.commerce.policy import policy_denied
from agent.ledger.statements import change
from agent.ledger.tables import ApprovalRow, DebtRow, OrderRow, ParcelRow
from agent.notifications.notify import notify

ORDER_CASES: Final = ("large_order", "very_large_order")
"""Approval cases that are about placing an order; they are void when it is undone or becomes another one."""


def compensate(session: Session, order: OrderRow, rule: str, *, by: Cause, now: datetime) -> None:
    """Undo an order; `rule` says why. Raises `PolicyDenied` ORDER-STAGE for one that is completed, or has left in part.

    It stays in stage `cancelling` while a parcel may still leave, or a payment's fate is unknown.
    """
    if order.stage == "cancelled":
        return
    if order.status == "processed":
        raise policy_denied("ORDER-STAGE", order.status)
    move(session, order, "cancelling", by, reason=order.reason or rule, touched_at=now)
    void_approvals(session, order.id)
    changed_items.let_go(session, order.id)
    for parcel in parcels_of(session, order.id):
        if parcel.state == "planned":
            release(session, parcel, "stopped")
        elif parcel.state == "booked":
            _owe(session, order, DebtRow(key=f"{parcel.id}:stop", kind="stop", parcel_id=parcel.id), now)
    if not parcels_of(session, order.id):
        stock.free(session, unhold(session, order.id, "released"))
    for payment in payments_of(session, order.id, *UNDECIDED):
        _owe(session, order, DebtRow(key=f"{payment.key}:void", kind="void", payment_key=payment.key), now)
    finish(session, order, by=by, now=now)


def finish(session: Session, order: OrderRow, *, by: Cause, now: datetime) -> None:
    """Go on with undoing: money is owed back once no parcel can leave any more, and the order is closed once no payment
    can come any more. One whose parcels had left before they could be stopped is completed: it was too late."""
    if order.stage != "cancelling":
        return
    parcels = parcels_of(session, order.id)
    if any(parcel.state == "booked" for parcel in parcels):
        return
    if any(parcel.state in LEFT for parcel in parcels):
        _too_late(session, order, parcels, now)
        return
    change(session, order, status="cancelled")
    owe_everything(session, order, by=by, now=now)
    if not payments_of(session, order.id, *UNDECIDED):
        move(session, order, "cancelled", by, ended_at=now)
        notify(session, "order.cancelled", order.id, order=order, now=now, rule=order.reason or "")


def void_approvals(session: Session, order_id: str) -> None:
    """End the open requests about placing this order: what they showed is not what would be done any more (law 6)."""
    row = ApprovalRow
    session.execute(
        update(row)
        .where(row.order_id == order_id, row.status == "open", row.case.in_(ORDER_CASES))
        .values(status="void", thread_is_current=False)
    )


def _too_late(session: Session, order: OrderRow, parcels: Sequence[ParcelRow], now: datetime) -> None:
    """The carrier was quicker (CANCEL-STATUS): what left is the customer's, what was stopped is given back."""
    for parcel in parcels:
        if parcel.state == "stopped":
            owe_part(session, order, price_of(session, parcel), key=f"{parcel.id}:refund", now=now)
    late = {"status": status_of_parcels(parcels), "reason": "CANCEL-STATUS", "cancel_reason": None, "ended_at": now}
    move(session, order, "completed", "carrier", **late)
    notify(session, "cancel.refused", order.id, order=order, now=now, rule="CANCEL-STATUS")


def _owe(session: Session, order: OrderRow, debt: DebtRow, now: datetime) -> None:
    if session.get(DebtRow, debt.key) is None:
        debt.order_id, debt.at, debt.next_at = order.id, now, now
        session.add(debt)
