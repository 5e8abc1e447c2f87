"""What time does to what nobody goes on with: returns, differences that were declined, orders that do not move.

Nothing is held or waited for without an end, or without somebody having been told. The reconciler looks each time that
it runs; how the clock ends requests for approval is in `approvals.deadlines`.
"""

from collections.abc import Sequence
from datetime import timedelta
from typing import Final

from sqlalchemy import ColumnElement, and_, exists, or_, select
from sqlalchemy.orm import Session

from agent.commerce.differences import give_up, is_over
from agent.commerce.lifecycle import AT_WORK
from agent.commerce.policy import PAYMENT_ATTEMPTS, RETURN_LIMIT, RETURN_REMINDER
from agent.commerce.returned_pieces import close, lines_of_return
from agent.commerce.rows import locked, open_case
from agent.ledger.database import Database, emit_once_committed
from agent.ledger.notices import notify, notify_staff
from agent.ledger.tables import NoticeRow, OrderRow, ParcelRow, PaymentRow, ReturnRow
from agent.ledger.transactions import reads, writes

STUCK: Final = timedelta(days=3)
"""An order that is not at rest after so long is a case for a person, once in each of its stages."""

UNDELIVERED: Final = timedelta(days=21)
"""And so is one whose parcels left so long ago, of which no arrival was confirmed."""

AT_ONCE: Final = 500
"""How much of each kind is looked after in one round; the rest has its turn in the next."""


class Expiry:
    """Reminds, closes, undoes and hands over what has waited too long.

    Args:
        database: the ledger.
        wait: how long a declined difference waits for another method.
    """

    def __init__(self, database: Database, wait: timedelta) -> None:
        self._db = database
        self._wait = wait

    async def watch_the_clock(self) -> dict[str, str]:
        """Do what is due by now; returns {return, payment or order: what happened}. Safe to repeat, and to do twice."""
        done = {return_id: await self._return(return_id) for return_id in await self._late_returns()}
        done |= {key: await self._difference(key) for key in await self._unpaid_differences()}
        return done | {order_id: await self._stuck(order_id) for order_id in await self._stuck_orders()}

    @reads
    def _late_returns(self, session: Session) -> Sequence[str]:
        now = self._db.clock()
        due = or_(
            ReturnRow.at <= now - RETURN_LIMIT,
            and_(ReturnRow.at <= now - RETURN_REMINDER, ReturnRow.reminded_at.is_(None)),
        )
        query = select(ReturnRow.id).where(ReturnRow.state == "open", due).order_by(ReturnRow.at, ReturnRow.id)
        return session.scalars(query.limit(AT_ONCE)).all()

    @writes
    def _return(self, session: Session, return_id: str) -> str:
        """RETURN-STATUS: remind the customer once of what has not come back, and close the rest in the end."""
        order = locked(session, session.get_one(ReturnRow, return_id).order_id)
        returned, now = session.get_one(ReturnRow, return_id, populate_existing=True), self._db.clock()
        if returned.state != "open":  # meanwhile
            return returned.state
        missing = sum(line.quantity - line.received for line in lines_of_return(session, return_id))
        if now - returned.at >= RETURN_LIMIT:
            close(session, order, returned, "expired", now=now)
            if missing:
                notify(session, "return.closed", return_id, order=order, now=now, pieces=missing)
            return "closed"
        returned.reminded_at = now
        if missing:
            notify(session, "return.reminder", return_id, order=order, now=now, pieces=missing)
        return "reminded of"

    @reads
    def _unpaid_differences(self, session: Session) -> Sequence[str]:
        declined = (PaymentRow.outcome == "declined", PaymentRow.attempt.is_(None), PaymentRow.replaces.is_(None))
        over = or_(PaymentRow.tries >= PAYMENT_ATTEMPTS, PaymentRow.at <= self._db.clock() - self._wait)
        query = select(PaymentRow.key).join(OrderRow, OrderRow.id == PaymentRow.order_id)
        query = query.where(*declined, over, OrderRow.stage.not_in(("cancelling", "cancelled")))
        return session.scalars(query.order_by(PaymentRow.at, PaymentRow.key).limit(AT_ONCE)).all()

    @writes
    def _difference(self, session: Session, key: str) -> str:
        order = locked(session, session.get_one(PaymentRow, key).order_id)
        owed, now = session.get_one(PaymentRow, key, populate_existing=True), self._db.clock()
        if owed.outcome != "declined" or not is_over(owed, self._wait, now):  # meanwhile
            return owed.outcome
        give_up(session, order, owed, now=now)
        return "undone"

    @reads
    def _stuck_orders(self, session: Session) -> Sequence[str]:
        query = select(OrderRow.id).where(self._does_not_move()).order_by(OrderRow.placed_at, OrderRow.id)
        return session.scalars(query.limit(AT_ONCE)).all()

    @writes
    def _stuck(self, session: Session, order_id: str) -> str:
        order, now = locked(session, order_id), self._db.clock()
        if session.scalar(select(OrderRow.id).where(OrderRow.id == order_id, self._does_not_move())) is None:
            return order.stage
        about = f"{order_id}:{order.stage}"
        text = f"The order is {order.stage} ({order.status}) since days, and goes on by nobody's hand"
        open_case(session, order, f"stuck:{about}", topic="order", text=text, now=now)
        notify_staff(session, "order.stuck", about, now=now, order_id=order_id, facts={"stage": order.stage})
        emit_once_committed(session, "order.stuck", order_id=order_id, stage=order.stage)
        return "handed to people"

    def _does_not_move(self) -> ColumnElement[bool]:
        """Orders that are not at rest for too long, people not having been told of this stage yet."""
        now = self._db.clock()
        under_way = and_(OrderRow.stage.in_(AT_WORK), OrderRow.placed_at <= now - STUCK)
        left = select(ParcelRow.order_id).where(ParcelRow.state == "handed_over")
        undelivered = and_(OrderRow.id.in_(left), OrderRow.touched_at <= now - UNDELIVERED)
        told = exists().where(NoticeRow.key == "order.stuck:" + OrderRow.id + ":" + OrderRow.stage)
        return and_(or_(under_way, undelivered), ~told)
