"""Delivers notifications to the receivers of webhooks, each until it is taken.

At least once, not in order: a receiver tells repeats by the id, and what came first by the timestamp.
"""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple

from sqlalchemy import ColumnElement, and_, or_, select
from sqlalchemy.orm import Session

from agent.ledger.database import Database, emit_once_committed
from agent.ledger.tables import NotificationRow
from agent.ledger.times import CLOCK_SKEW
from agent.ledger.transactions import reads, writes
from agent.notifications.webhook import NotDeliveredError, WebhookReceiver
from agent.observability.events import EventName, Fields
from agent.resilience import CircuitOpenError

FIRST_WAIT: Final = timedelta(minutes=1)
"""After the first attempt; doubled after each, up to LONGEST_WAIT."""

LONGEST_WAIT: Final = timedelta(hours=1)

ALARMING: Final = 20
"""From this attempt on each failure is a `notification.undelivered`, which people should look into; it is tried on."""

BATCH_SIZE: Final = 20
"""How many are sent to an audience in one pass."""


def next_attempt(now: datetime, attempts: int) -> datetime:
    """When to try again what was tried `attempts` times."""
    wait: timedelta = FIRST_WAIT * 2 ** min(attempts - 1, 16)
    return now + min(LONGEST_WAIT, wait)


class Attempt(NamedTuple):
    """A notification that is sent now, which nobody else does meanwhile."""

    key: str
    number: int  # from 1
    due_at: datetime
    message: dict[str, Any]


class WebhookDelivery:
    """Delivery by webhook. An audience without a receiver is sent nothing: what there is for it waits for one."""

    def __init__(self, database: Database, receivers: Mapping[str, WebhookReceiver]) -> None:
        self._db = database
        self._receivers = receivers

    def undelivered(self) -> ColumnElement[bool]:
        """Those notifications which their receivers have refused so often that people should look into it."""
        row, waiting = NotificationRow, list(self._receivers)
        return and_(row.audience.in_(waiting), row.sent.is_(False), row.attempts >= ALARMING)

    async def deliver(self) -> dict[str, str]:
        """Send what is due, the longest due first, to all audiences at once; returns {key: delivered | failed}."""
        done = await asyncio.gather(*(self._deliver(*audience) for audience in self._receivers.items()))
        return {key: outcome for each in done for key, outcome in each.items()}

    async def _deliver(self, audience: str, receiver: WebhookReceiver) -> dict[str, str]:
        """Stops when the receiver's breaker is open: what was not sent counts no attempt."""
        done: dict[str, str] = {}
        for key, due_at in await self._due(audience):
            attempt = await self._begin(key, due_at)
            if attempt is None:
                continue
            try:
                await receiver.take(key, attempt.message)
            except CircuitOpenError:
                await self._not_sent(attempt)
                break
            except NotDeliveredError as error:
                await self._failed(attempt, error.why)
                done[key] = "failed"
            else:
                await self._delivered(key)
                done[key] = "delivered"
        return done

    @reads
    def _due(self, session: Session, audience: str) -> Sequence[tuple[str, datetime]]:
        """What is to be sent now, since when; also what the clock has put off by going back."""
        now, row = self._db.clock(), NotificationRow
        is_due = or_(row.next_at <= now, row.at > now + CLOCK_SKEW, row.next_at > now + 2 * LONGEST_WAIT)
        query = select(row.key, row.next_at).where(row.audience == audience, row.sent.is_(False), is_due)
        return [(key, at) for key, at in session.execute(query.order_by(row.next_at, row.key).limit(BATCH_SIZE))]

    @writes
    def _begin(self, session: Session, key: str, due_at: datetime) -> Attempt | None:
        """Count an attempt and put the next one off, before the receiver is asked; None: somebody else has begun."""
        row = session.get_one(NotificationRow, key, with_for_update=True)
        if row.sent or row.next_at != due_at:
            return None
        row.attempts += 1
        row.next_at = next_attempt(self._db.clock(), row.attempts)
        return Attempt(key, row.attempts, due_at, _message(row))

    @writes
    def _not_sent(self, session: Session, attempt: Attempt) -> None:
        row = session.get_one(NotificationRow, attempt.key, with_for_update=True)
        if row.attempts == attempt.number:  # else another worker has begun the next one
            row.attempts -= 1
            row.next_at = attempt.due_at

    @writes
    def _delivered(self, session: Session, key: str) -> None:
        row = session.get_one(NotificationRow, key, with_for_update=True)
        row.sent = True
        emit_once_committed(session, "notification.delivered", notification=row.event, order_id=row.order_id)

    @writes
    def _failed(self, session: Session, attempt: Attempt, why: str) -> None:
        row = session.get_one(NotificationRow, attempt.key)
        name: EventName = "notification.undelivered" if attempt.number >= ALARMING else "notification.failed"
        about = Fields(notification=row.event, order_id=row.order_id, attempts=attempt.number, why=why)
        emit_once_committed(session, name, **about)


def _message(row: NotificationRow) -> dict[str, Any]:
    whom = {"customer_id": row.customer_id} if row.audience == "customers" else {}
    return {
        "type": row.event,
        "id": row.key,
        "timestamp": row.at.isoformat(),
        "data": {**whom, "order_id": row.order_id, **row.facts},
    }
