"""What time does to what nobody goes on with: returns, differences that were declined, orders that do not move.

Nothing is held or waited for without an end, or without somebody having been told. The reconciler looks each time that
it runs; how the clock ends requests for approval is in `approvals.deadlines`.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import ColumnElement, and_, exists, or_, select, true
from sqlalchemy.orm import Session

from agent.commerce.differences import give_up, is_over
from agent.commerce.lifecycle import AT_WORK
from agent.commerce.locks import locked, open_case
from agent.commerce.policy import PAYMENT_ATTEMPTS, RETURN_LIMIT, RETURN_REMINDER
from agent.commerce.returned_pieces import close, lines_of_return
from agent.ledger.database import Database, emit_once_committed
from agent.ledger.heartbeat import beat
from agent.ledger.tables import HeartbeatRow, NotificationRow, OrderRow, ParcelRow, PaymentRow, ReturnRow
from agent.ledger.transactions import reads, writes
from agent.notifications.notify import notify, notify_staff

STUCK: Final = timedelta(days=3)
"""An order that is not at rest after so long is a case for a person, once in each of its stages."""

UNDELIVERED: Final = timedelta(days=21)
"""And so is one whose parcels left so long ago, of which no arrival was confirmed."""

LOOKED: Final = "undelivered"
"""The heartbeat's name that says until when orders were looked at for parcels that did not arrive."""

BATCH_SIZE: Final = 500
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

    async def enforce_deadlines(self) -> dict[str, str]:
        """Do what is due by now; returns {return, payment or order: what happened}. Safe to repeat, and to do twice."""
        done = {return_id: await self._return(return_id) for return_id in await self._late_returns()}
        done |= {key: await self._difference(key) for key in await self._unpaid_differences()}
        undelivered, until = await self._undelivered_orders()
        stuck = [*await self._orders_under_way(), *undelivered]
        done |= {order_id: await self._stuck(order_id) for order_id in stuck}
        await self._looked(until)
        return done

    @reads
    def _late_returns(self, session: Session) -> Sequence[str]:
        now = self._db.clock()
        due = or_(
            ReturnRow.at <= now - RETURN_LIMIT,
            and_(ReturnRow.at <= now - RETURN_REMINDER, ReturnRow.reminded_at.is_(None)),
        )
        query = select(ReturnRow.id).where(ReturnRow.state == "open", due).order_by(ReturnRow.at, ReturnRow.id)
        return session.scalars(query.limit(BATCH_SIZE)).all()

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
        return session.scalars(query.order_by(PaymentRow.at, PaymentRow.key).limit(BATCH_SIZE)).all()

    @writes
    def _difference(self, session: Session, key: str) -> str:
        order = locked(session, session.get_one(PaymentRow, key).order_id)
        owed, now = session.get_one(PaymentRow, key, populate_existing=True), self._db.clock()
        if owed.outcome != "declined" or not is_over(owed, self._wait, now):  # meanwhile
            return owed.outcome
        give_up(session, order, owed, by="clock", now=now)
        return "undone"

    @reads
    def _orders_under_way(self, session: Session) -> Sequence[str]:
        query = select(OrderRow.id).where(self._under_way(), ~_was_notified()).order_by(OrderRow.placed_at, OrderRow.id)
        return session.scalars(query.limit(BATCH_SIZE)).all()

    @reads
    def _undelivered_orders(self, session: Session) -> tuple[Sequence[str], datetime]:
        """Orders that came to be due since the last look, and until when that is: what a shop has ever sent is not
        looked through each time."""
        before, due = session.get(HeartbeatRow, LOOKED), self._db.clock() - UNDELIVERED
        since = OrderRow.touched_at > before.at if before else true()
        query = select(OrderRow.id, OrderRow.touched_at).where(self._undelivered(), ~_was_notified(), since)
        rows = session.execute(query.order_by(OrderRow.touched_at).limit(BATCH_SIZE)).all()
        until = rows[-1].touched_at - timedelta(microseconds=1) if len(rows) == BATCH_SIZE else due
        return [row.id for row in rows], until

    @writes
    def _looked(self, session: Session, until: datetime) -> None:
        beat(session, LOOKED, until)

    @writes
    def _stuck(self, session: Session, order_id: str) -> str:
        order, now = locked(session, order_id), self._db.clock()
        does_not_move = and_(or_(self._under_way(), self._undelivered()), ~_was_notified())
        if session.scalar(select(OrderRow.id).where(OrderRow.id == order_id, does_not_move)) is None:
            return order.stage
        about = f"{order_id}:{order.stage}"
        text = f"The order is {order.stage} ({order.status}) since days, and goes on by nobody's hand"
        open_case(session, order, f"stuck:{about}", topic="order", text=text, now=now)
        notify_staff(session, "order.stuck", about, now=now, order_id=order_id, facts={"stage": order.stage})
        emit_once_committed(session, "order.stuck", order_id=order_id, stage=order.stage)
        return "handed to people"

    def _under_way(self) -> ColumnElement[bool]:
        """Orders that are not at rest for too long."""
        return and_(OrderRow.stage.in_(AT_WORK), OrderRow.placed_at <= self._db.clock() - STUCK)

    def _undelivered(self) -> ColumnElement[bool]:
        """Orders of which a parcel left too long ago, and did not arrive by anybody's word."""
        left = exists().where(ParcelRow.order_id == OrderRow.id, ParcelRow.state == "handed_over")
        return and_(OrderRow.stage == "completed", OrderRow.touched_at <= self._db.clock() - UNDELIVERED, left)


def _was_notified() -> ColumnElement[bool]:
    """That people know of an order at this stage."""
    return exists().where(NotificationRow.key == "order.stuck:" + OrderRow.id + ":" + OrderRow.stage)
