"""The outbox: notices on their way to the receivers of webhooks, each sent until it is taken.

At least once, not in order: a receiver tells repeats by the id, and what came first by the timestamp.
"""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any, Final

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from agent.ledger.database import Database, emit_once_committed
from agent.ledger.tables import NoticeRow
from agent.ledger.times import CLOCK_SKEW
from agent.ledger.transactions import reads, writes
from agent.observability.events import EventName
from agent.providers.notices import NoticeNotTakenError, NoticeReceiver
from agent.resilience import CircuitOpenError

FIRST_WAIT: Final = timedelta(minutes=1)
"""After the first attempt; doubled after each, up to LONGEST_WAIT."""

LONGEST_WAIT: Final = timedelta(hours=1)

ALARMING: Final = 20
"""From this attempt on each failure is a `notice.undelivered`, which people should look into; it is tried on."""


class Outbox:
    """The sending of notices. An audience without a receiver is sent nothing: what there is for it waits for one."""

    def __init__(self, database: Database, receivers: Mapping[str, NoticeReceiver]) -> None:
        self._db = database
        self._receivers = receivers

    async def send(self) -> dict[str, str]:
        """Send what is due, to each audience the longest due first; returns {key: sent | failed}."""
        done: dict[str, str] = {}
        for audience, receiver in self._receivers.items():
            done |= await self._send(audience, receiver)
        return done

    async def _send(self, audience: str, receiver: NoticeReceiver) -> dict[str, str]:
        """Stops when the receiver's breaker is open: what was not sent counts no attempt."""
        done: dict[str, str] = {}
        for notice in await self._due(audience):
            try:
                await receiver.take(notice.key, _message(notice))
            except CircuitOpenError:
                break
            except NoticeNotTakenError as error:
                await self._failed(notice.key, error.why)
                done[notice.key] = "failed"
            else:
                await self._sent(notice.key)
                done[notice.key] = "sent"
        return done

    @reads
    def _due(self, session: Session, audience: str) -> Sequence[NoticeRow]:
        """What is to be sent now; also what the clock has put off by going back."""
        now = self._db.clock()
        due = or_(NoticeRow.next_at <= now, NoticeRow.at > now + CLOCK_SKEW, NoticeRow.next_at > now + 2 * LONGEST_WAIT)
        query = select(NoticeRow).where(NoticeRow.audience == audience, NoticeRow.sent.is_(False), due)
        return session.scalars(query.order_by(NoticeRow.next_at, NoticeRow.key).limit(100)).all()

    @writes
    def _sent(self, session: Session, key: str) -> None:
        row = session.get_one(NoticeRow, key, with_for_update=True)
        row.sent = True
        emit_once_committed(session, "notice.sent", notice=row.event, order_id=row.order_id)

    @writes
    def _failed(self, session: Session, key: str, why: str) -> None:
        row = session.get_one(NoticeRow, key, with_for_update=True)
        row.next_at = self._db.clock() + min(LONGEST_WAIT, FIRST_WAIT * 2 ** min(row.attempts, 16))
        row.attempts += 1
        name: EventName = "notice.undelivered" if row.attempts >= ALARMING else "notice.failed"
        emit_once_committed(session, name, notice=row.event, order_id=row.order_id, attempts=row.attempts, why=why)


def _message(notice: NoticeRow) -> dict[str, Any]:
    whom = {"customer_id": notice.customer_id} if notice.audience == "customers" else {}
    return {
        "type": notice.event,
        "id": notice.key,
        "timestamp": notice.at.isoformat(),
        "data": {**whom, "order_id": notice.order_id, **notice.facts},
    }
