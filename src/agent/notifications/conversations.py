"""Notifications in conversations: where a customer last wrote, and what was delivered there.

The sentences are the desk's (`customer_service.reply_templates`).
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from importlib import import_module
from typing import Any, Final

from sqlalchemy import ColumnElement, Insert, String, bindparam, delete, exists, select, update
from sqlalchemy.orm import Session

from agent.ledger.database import Database, emit_once_committed
from agent.ledger.statements import table_of
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

    def about(self, customer_id: str | None, thread_id: str, already: Collection[str]) -> dict[str, Any]:
        """What a query names that asks for `IS_RECORDED` and `HAS_PENDING`; `already` is as for `take_pending`."""
        now = self._db.clock()
        when = {"recorded_since": now - RECORD_EVERY, "since": now - MAX_AGE}
        return when | {"of_customer": customer_id, "of_thread": thread_id, "already": list(already)}

    @writes
    def record_conversation(self, session: Session, customer_id: str, thread_id: str) -> None:
        """Record the conversation in which a customer last wrote: notifications are delivered there."""
        connection, given = session.connection(), self.about(customer_id, thread_id, ())
        if connection.execute(_record(connection.dialect.name), given | {"now": self._db.clock()}).rowcount:
            connection.execute(_WAKE_FOR, given)

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

    @writes
    def take_pending(
        self, session: Session, customer_id: str, thread_id: str, already: Collection[str]
    ) -> list[Notification]:
        """What is to be delivered in this conversation now, oldest first; from now on it counts as delivered there.

        That is what was delivered nowhere, and what was marked as delivered here but is not among the ids of the
        messages that are `already` there: the run that delivered it broke off before they were saved.
        """
        rows = session.scalars(_PENDING, self.about(customer_id, thread_id, already)).all()
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

    def _is_recent(self) -> ColumnElement[bool]:
        return NotificationRow.at > self._db.clock() - MAX_AGE


_NOTICES: Final = table_of(NotificationRow)
_CONVERSATIONS: Final = table_of(ConversationRow)
_WAKE_FOR: Final = (
    update(_NOTICES)
    .where(_NOTICES.c.customer_id == bindparam("of_customer"), _NOTICES.c.thread_id == NO_CONVERSATION)
    .values(thread_id=None)
)
_IS_PENDING: Final = (
    _NOTICES.c.customer_id == bindparam("of_customer"),
    _NOTICES.c.at > bindparam("since"),
    _NOTICES.c.thread_id.is_(None)
    | (_NOTICES.c.thread_id == NO_CONVERSATION)
    | ((_NOTICES.c.thread_id == bindparam("of_thread")) & _NOTICES.c.key.not_in(bindparam("already", expanding=True))),
)
_PENDING: Final = (
    select(NotificationRow)
    .where(*_IS_PENDING)
    .order_by(_NOTICES.c.at, _NOTICES.c.key)
    .limit(BATCH_SIZE)
    .with_for_update()
)
IS_RECORDED: Final = exists().where(
    _CONVERSATIONS.c.customer_id == bindparam("of_customer"),
    _CONVERSATIONS.c.thread_id == bindparam("of_thread"),
    _CONVERSATIONS.c.at > bindparam("recorded_since"),
)
"""Whether a conversation is recorded as the one in which its customer last wrote; `about` gives what it names."""
HAS_PENDING: Final = exists().where(*_IS_PENDING)
"""Whether there is something to deliver there."""


@cache
def _record(dialect: str) -> Insert:
    """One statement, so that two first conversations at the same time come one after the other."""
    insert: Any = import_module(f"sqlalchemy.dialects.{dialect}").insert
    customers, times = table_of(CustomerRow), _CONVERSATIONS.c.at.type
    columns = (customers.c.id, bindparam("of_thread", type_=String), bindparam("now", type_=times))
    one = select(*columns).where(customers.c.id == bindparam("of_customer"))
    new = insert(_CONVERSATIONS).from_select(["customer_id", "thread_id", "at"], one)
    moved = _CONVERSATIONS.c.thread_id != new.excluded.thread_id
    long_ago = _CONVERSATIONS.c.at <= bindparam("recorded_since", type_=times)
    statement: Insert = new.on_conflict_do_update(
        index_elements=["customer_id"],
        set_={"thread_id": new.excluded.thread_id, "at": new.excluded.at},
        where=moved | long_ago,
    )
    return statement
