"""Notifications in conversations: where a customer last wrote, and what was delivered there.

The sentences are the desk's (`customer_service.reply_templates`).
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

from sqlalchemy import ColumnElement, delete, select, update
from sqlalchemy.orm import Session

from agent.ledger.database import Database, emit_once_committed
from agent.ledger.tables import ConversationRow, CustomerRow, NotificationRow
from agent.ledger.transactions import reads, writes
from agent.notifications.notify import NO_CONVERSATION, CustomerEvent, notification_key

MAX_AGE: Final = timedelta(days=14)
"""What is older is not delivered in a conversation any more; its webhook is sent all the same."""

BATCH_SIZE: Final = 20
"""How many are delivered at once; the rest waits for the next time."""

RECORD_EVERY: Final = timedelta(minutes=5)
"""A conversation that goes on is recorded again after so long, and not with each message."""

IN_REPLY: Final = "in the answer"
"""Stands for the thread of what a reply has said by itself: it needs no message of its own."""


@dataclass(frozen=True)
class Notification:
    """Something that a customer should hear; `key` is also the id of the message that does. Amounts are minor units."""

    key: str
    event: str  # a `CustomerEvent`
    order_id: str | None
    facts: dict[str, Any]


class ConversationNotifications:
    """What customers have yet to hear, and in which conversation."""

    def __init__(self, database: Database) -> None:
        self._db = database

    async def record_conversation(self, customer_id: str, thread_id: str) -> None:
        """Record the conversation in which a customer last wrote: notifications are delivered there."""
        if not await self._is_recorded(customer_id, thread_id):
            await self._record(customer_id, thread_id)

    @reads
    def _is_recorded(self, session: Session, customer_id: str, thread_id: str) -> bool:
        last = session.get(ConversationRow, customer_id)
        return last is not None and last.thread_id == thread_id and self._db.clock() - last.at < RECORD_EVERY

    @writes
    def _record(self, session: Session, customer_id: str, thread_id: str) -> None:
        # locked, so that two first conversations at the same time come one after the other
        if session.get(CustomerRow, customer_id, with_for_update=True):
            session.merge(ConversationRow(customer_id=customer_id, thread_id=thread_id, at=self._db.clock()))
            waiting = (NotificationRow.customer_id == customer_id, NotificationRow.thread_id == NO_CONVERSATION)
            session.execute(update(NotificationRow).where(*waiting).values(thread_id=None))

    @writes
    def forget_conversation(self, session: Session, thread_id: str) -> None:
        """A conversation is lost; what is pending waits for the next one."""
        session.execute(delete(ConversationRow).where(ConversationRow.thread_id == thread_id))

    @reads
    def with_pending(self, session: Session) -> Sequence[str]:
        """Thread ids in which customers with pending notifications last wrote, the newest first."""
        pending = (
            select(NotificationRow.customer_id).where(NotificationRow.thread_id.is_(None), self._is_recent()).distinct()
        )
        query = select(ConversationRow.thread_id).where(ConversationRow.customer_id.in_(pending))
        return session.scalars(query.order_by(ConversationRow.at.desc()).limit(500)).all()

    async def take_pending(self, customer_id: str, thread_id: str, already: Collection[str]) -> list[Notification]:
        """What is to be delivered in this conversation now, oldest first; from now on it counts as delivered there.

        That is what was delivered nowhere, and what was marked as delivered here but is not among the ids of the
        messages that are `already` there: the run that delivered it broke off before they were saved.
        """
        if not await self._db.read(lambda session: self._pending(session, customer_id, thread_id, already)):
            return []  # nearly always: then nobody waits for a writer
        return await self._take(customer_id, thread_id, already)

    @writes
    def _take(self, session: Session, customer_id: str, thread_id: str, already: Collection[str]) -> list[Notification]:
        rows = self._pending(session, customer_id, thread_id, already, locked=True)
        for row in rows:
            row.thread_id = thread_id
            emit_once_committed(session, "notification.shown", notification=row.event, order_id=row.order_id)
        return [Notification(row.key, row.event, row.order_id, row.facts) for row in rows]

    @writes
    def mark_delivered(self, session: Session, event: CustomerEvent, about: str) -> None:
        """A reply says this by itself: if it was written already it is not pending any more."""
        pending = NotificationRow.thread_id.is_(None) | (NotificationRow.thread_id == NO_CONVERSATION)
        is_this = NotificationRow.key == notification_key(event, about)
        session.execute(update(NotificationRow).where(is_this, pending).values(thread_id=IN_REPLY))

    def _pending(
        self, session: Session, customer_id: str, thread_id: str, already: Collection[str], *, locked: bool = False
    ) -> list[NotificationRow]:
        here = NotificationRow.thread_id.is_(None) | NotificationRow.thread_id.in_((NO_CONVERSATION, thread_id))
        query = select(NotificationRow).where(NotificationRow.customer_id == customer_id, here, self._is_recent())
        query = query.order_by(NotificationRow.at, NotificationRow.key)
        rows = session.scalars(query.with_for_update() if locked else query)
        return [row for row in rows if row.thread_id != thread_id or row.key not in already][:BATCH_SIZE]

    def _is_recent(self) -> ColumnElement[bool]:
        return NotificationRow.at > self._db.clock() - MAX_AGE
