"""Delivers notifications to the receivers of webhooks, each until it is taken.

At least once, not in order: a receiver tells repeats by the id, and what came first by the timestamp.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from agent.ledger.database import Database, emit_once_committed
from agent.ledger.tables import NotificationRow
from agent.ledger.times import CLOCK_SKEW
from agent.ledger.transactions import reads, writes
from agent.notifications.webhook import NotDeliveredError, WebhookReceiver
from agent.observability.events import EventName
from agent.resilience import CircuitOpenError

FIRST_WAIT: Final = timedelta(minutes=1)
"""After the first attempt; doubled after each, up to LONGEST_WAIT."""

LONGEST_WAIT: Final = timedelta(hours=1)

ALARMING: Final = 20
"""From this attempt on each failure is a `notification.undelivered`, which people should look into; it is tried on."""


def next_attempt(now: datetime, attempts: int) -> datetime:
    """When to try again what was tried `attempts` times."""
    wait: timedelta = FIRST_WAIT * 2 ** min(attempts - 1, 16)
    return now + min(LONGEST_WAIT, wait)


class WebhookDelivery:
    """Delivery by webhook. An audience without a receiver is sent nothing: what there is for it waits for one."""

    def __init__(self, database: Database, receivers: Mapping[str, WebhookReceiver]) -> None:
        self._db = database
        self._receivers = receivers

    async def deliver(self) -> dict[str, str]:
        """Send what is due, to each audience the longest due first; returns {key: delivered | failed}."""
        done: dict[str, str] = {}
        for audience, receiver in self._receivers.items():
            done |= await self._deliver(audience, receiver)
        return done

    async def _deliver(self, audience: str, receiver: WebhookReceiver) -> dict[str, str]:
        """Stops when the receiver's breaker is open: what was not sent counts no attempt."""
        done: dict[str, str] = {}
        for notification in await self._due(audience):
            try:
                await receiver.take(notification.key, _message(notification))
            except CircuitOpenError:
                break
            except NotDeliveredError as error:
                await self._failed(notification.key, error.why)
                done[notification.key] = "failed"
            else:
                await self._delivered(notification.key)
                done[notification.key] = "delivered"
        return done

    @reads
    def _due(self, session: Session, audience: str) -> Sequence[NotificationRow]:
        """What is to be sent now; also what the clock has put off by going back."""
        now = self._db.clock()
        due = or_(
            NotificationRow.next_at <= now,
            NotificationRow.at > now + CLOCK_SKEW,
            NotificationRow.next_at > now + 2 * LONGEST_WAIT,
        )
        query = select(NotificationRow).where(
            NotificationRow.audience == audience, NotificationRow.sent.is_(False), due
        )
        return session.scalars(query.order_by(NotificationRow.next_at, NotificationRow.key).limit(100)).all()

    @writes
    def _delivered(self, session: Session, key: str) -> None:
        row = session.get_one(NotificationRow, key, with_for_update=True)
        row.sent = True
        emit_once_committed(session, "notification.delivered", notification=row.event, order_id=row.order_id)

    @writes
    def _failed(self, session: Session, key: str, why: str) -> None:
        row = session.get_one(NotificationRow, key, with_for_update=True)
        row.attempts += 1
        row.next_at = next_attempt(self._db.clock(), row.attempts)
        name: EventName = "notification.undelivered" if row.attempts >= ALARMING else "notification.failed"
        tried = row.attempts
        emit_once_committed(session, name, notification=row.event, order_id=row.order_id, attempts=tried, why=why)


def _message(row: NotificationRow) -> dict[str, Any]:
    whom = {"customer_id": row.customer_id} if row.audience == "customers" else {}
    return {
        "type": row.event,
        "id": row.key,
        "timestamp": row.at.isoformat(),
        "data": {**whom, "order_id": row.order_id, **row.facts},
    }
