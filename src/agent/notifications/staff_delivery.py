"""Delivers notifications to the addresses of staff: each to those of its queue, each until it is taken or given up."""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final, NamedTuple

from sqlalchemy import ColumnElement, delete, exists, or_, select
from sqlalchemy.orm import Session

from agent.ledger.database import Database, emit_once_committed
from agent.ledger.tables import NotificationRow, StaffDeliveryRow
from agent.ledger.transactions import reads, writes
from agent.notifications.staff_addresses import EVERY_QUEUE, StaffAddress
from agent.notifications.staff_sentences import SENTENCES, sentence_of
from agent.notifications.webhook import NotDeliveredError
from agent.notifications.webhook_delivery import LONGEST_WAIT, next_attempt
from agent.observability.events import EventName, Fields

MAX_AGE: Final = timedelta(days=1)
"""What is older when it is first looked at goes to no address: a new address does not begin with the past."""

TOO_OLD: Final = 2 * MAX_AGE
"""What is older is given up, which is a `notification.undelivered`, as when an address was gone and has come back."""

BATCH_SIZE: Final = 20
"""How many are sent to an address in one pass."""

MAX_ATTEMPTS: Final = 20
"""After so many, over some 15 hours, a delivery is given up, which is a `notification.undelivered`."""


class Attempt(NamedTuple):
    """A delivery that is tried now, which nobody else does meanwhile."""

    key: str
    queue: str
    number: int  # from 1
    event: str
    order_id: str | None
    sentence: str


class StaffDelivery:
    """Delivery to addresses, at least once and each by itself: one that is dead does not hold up the others."""

    def __init__(self, database: Database, addresses: Mapping[str, StaffAddress]) -> None:
        self._db = database
        self._addresses = addresses

    async def deliver(self) -> dict[str, str]:
        """Send what is due, the longest due first; returns {key and queue: delivered | failed}."""
        if not self._addresses:
            return {}
        if await self._db.read(lambda session: session.scalar(select(exists().where(*self._unrouted())))):
            await self._route()
        done = await asyncio.gather(*(self._deliver(queue, self._addresses[queue]) for queue in self._addresses))
        return {name: outcome for each in done for name, outcome in each.items()}

    async def _deliver(self, queue: str, address: StaffAddress) -> dict[str, str]:
        """Stops at the first failure: an address is tried again at the next pass."""
        done: dict[str, str] = {}
        for key, due_at in await self._due(queue):
            attempt = await self._begin(key, queue, due_at)
            if attempt is None:
                continue
            try:
                await address.send(attempt.sentence)
            except NotDeliveredError as error:
                await self._failed(attempt, error.why)
                return done | {f"{key} to {queue}": "failed"}
            await self._delivered(attempt)
            done[f"{key} to {queue}"] = "delivered"
        return done

    def _unrouted(self) -> tuple[ColumnElement[bool], ...]:
        row = NotificationRow
        return row.audience == "staff", row.routed_at.is_(None), row.at > self._db.clock() - MAX_AGE

    @writes
    def _route(self, session: Session) -> None:
        """Note to which addresses each new notification goes: those of the roles that may act, and of every queue."""
        now, new = self._db.clock(), select(NotificationRow).where(*self._unrouted())
        for row in session.scalars(new.order_by(NotificationRow.at).limit(500).with_for_update()).all():
            row.routed_at = now
            queues = {EVERY_QUEUE, *row.facts.get("roles", ())} if row.event in SENTENCES else set[str]()
            session.add_all(
                StaffDeliveryRow(key=row.key, queue=queue, attempts=0, next_at=row.at)
                for queue in sorted(queues & self._addresses.keys())
            )

    @reads
    def _due(self, session: Session, queue: str) -> Sequence[tuple[str, datetime]]:
        """What is to be sent now, since when; also what the clock has put off by going back."""
        now, row = self._db.clock(), StaffDeliveryRow
        is_due = or_(row.next_at <= now, row.next_at > now + 2 * LONGEST_WAIT)
        query = select(row.key, row.next_at).where(row.queue == queue, is_due)
        return [(key, at) for key, at in session.execute(query.order_by(row.next_at, row.key).limit(BATCH_SIZE))]

    @writes
    def _begin(self, session: Session, key: str, queue: str, due_at: datetime) -> Attempt | None:
        """Count an attempt and put the next one off, before the address is asked.

        None: somebody else has begun, or it is too old.
        """
        delivery = session.get(StaffDeliveryRow, (key, queue), with_for_update=True)
        if delivery is None or delivery.next_at != due_at:
            return None
        row, now = session.get_one(NotificationRow, key), self._db.clock()
        if row.at < now - TOO_OLD:
            session.delete(delivery)
            about = Fields(notification=row.event, order_id=row.order_id, queue=queue)
            about |= Fields(attempts=delivery.attempts, why="too old")
            emit_once_committed(session, "notification.undelivered", **about)
            return None
        delivery.attempts += 1
        delivery.next_at = next_attempt(now, delivery.attempts)
        return Attempt(key, queue, delivery.attempts, row.event, row.order_id, sentence_of(row))

    @writes
    def _delivered(self, session: Session, attempt: Attempt) -> None:
        _end(session, attempt)
        about = Fields(notification=attempt.event, order_id=attempt.order_id, queue=attempt.queue)
        emit_once_committed(session, "notification.delivered", **about)

    @writes
    def _failed(self, session: Session, attempt: Attempt, why: str) -> None:
        is_last = attempt.number >= MAX_ATTEMPTS
        if is_last:
            _end(session, attempt)
        name: EventName = "notification.undelivered" if is_last else "notification.failed"
        about = Fields(notification=attempt.event, order_id=attempt.order_id, queue=attempt.queue)
        about |= Fields(attempts=attempt.number, why=why)
        emit_once_committed(session, name, **about)


def _end(session: Session, attempt: Attempt) -> None:
    row = StaffDeliveryRow
    session.execute(delete(row).where(row.key == attempt.key, row.queue == attempt.queue))
