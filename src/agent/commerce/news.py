"""News: what of a customer's notices was told in which conversation, and where they were last heard.

The sentences are the desk's (`customer_service.words`); webhooks are sent by `outbox`.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

from sqlalchemy import ColumnElement, delete, select, update
from sqlalchemy.orm import Session

from agent.ledger.database import Database, emit_once_committed
from agent.ledger.notices import NO_CONVERSATION, NoticeEvent, notice_key
from agent.ledger.tables import ConversationRow, CustomerRow, NoticeRow
from agent.ledger.transactions import reads, writes

FRESH: Final = timedelta(days=14)
"""What is older is no news any more in a conversation; its webhook is sent all the same."""

BATCH_SIZE: Final = 20
"""How much is told at once; the rest waits for the next time."""

HEARD_AGAIN: Final = timedelta(minutes=5)
"""A conversation that goes on is noted again after so long, and not with each message."""

IN_THE_ANSWER: Final = "in the answer"
"""Stands for the thread of what a conversation's own answer has told: it needs no message of its own."""


@dataclass(frozen=True)
class Notice:
    """Something to tell a customer; `key` is also the id of the message that does. Amounts are minor units."""

    key: str
    event: str  # a `NoticeEvent`
    order_id: str | None
    facts: dict[str, Any]


class News:
    """What customers have yet to be told, and where."""

    def __init__(self, database: Database) -> None:
        self._db = database

    async def heard(self, customer_id: str, thread_id: str) -> None:
        """Remember the conversation in which a customer was last heard: news goes there."""
        if not await self._heard_lately(customer_id, thread_id):
            await self._note(customer_id, thread_id)

    @reads
    def _heard_lately(self, session: Session, customer_id: str, thread_id: str) -> bool:
        last = session.get(ConversationRow, customer_id)
        return last is not None and last.thread_id == thread_id and self._db.clock() - last.at < HEARD_AGAIN

    @writes
    def _note(self, session: Session, customer_id: str, thread_id: str) -> None:
        # locked, so that two first conversations at the same time come one after the other
        if session.get(CustomerRow, customer_id, with_for_update=True):
            session.merge(ConversationRow(customer_id=customer_id, thread_id=thread_id, at=self._db.clock()))
            unheard = (NoticeRow.customer_id == customer_id, NoticeRow.thread_id == NO_CONVERSATION)
            session.execute(update(NoticeRow).where(*unheard).values(thread_id=None))

    @writes
    def forget(self, session: Session, thread_id: str) -> None:
        """A conversation is lost; the news waits for the next one."""
        session.execute(delete(ConversationRow).where(ConversationRow.thread_id == thread_id))

    @reads
    def conversations(self, session: Session) -> Sequence[str]:
        """Thread ids in which customers with untold news were last heard, the newest first."""
        untold = select(NoticeRow.customer_id).where(NoticeRow.thread_id.is_(None), self._fresh()).distinct()
        query = select(ConversationRow.thread_id).where(ConversationRow.customer_id.in_(untold))
        return session.scalars(query.order_by(ConversationRow.at.desc()).limit(500)).all()

    async def untold(self, customer_id: str, thread_id: str, already: Collection[str]) -> list[Notice]:
        """What is to be told in this conversation now, oldest first; from now on it counts as told there.

        That is what was told nowhere, and what was marked as told here but is not among the ids of the messages that
        are `already` there: the run that told it broke off before they were saved.
        """
        if not await self._db.read(lambda session: self._missing(session, customer_id, thread_id, already)):
            return []  # nearly always: then nobody waits for a writer
        return await self._told(customer_id, thread_id, already)

    @writes
    def _told(self, session: Session, customer_id: str, thread_id: str, already: Collection[str]) -> list[Notice]:
        rows = self._missing(session, customer_id, thread_id, already, locked=True)
        for row in rows:
            row.thread_id = thread_id
            emit_once_committed(session, "notice.told", notice=row.event, order_id=row.order_id)
        return [Notice(row.key, row.event, row.order_id, row.facts) for row in rows]

    @writes
    def said(self, session: Session, event: NoticeEvent, about: str) -> None:
        """A conversation's own answer tells this: it is no news any more, if it was noted already."""
        said_in_answer(session, event, about)

    def _missing(
        self, session: Session, customer_id: str, thread_id: str, already: Collection[str], *, locked: bool = False
    ) -> list[NoticeRow]:
        here = NoticeRow.thread_id.is_(None) | NoticeRow.thread_id.in_((NO_CONVERSATION, thread_id))
        query = select(NoticeRow).where(NoticeRow.customer_id == customer_id, here, self._fresh())
        query = query.order_by(NoticeRow.at, NoticeRow.key)
        rows = session.scalars(query.with_for_update() if locked else query)
        return [row for row in rows if row.thread_id != thread_id or row.key not in already][:BATCH_SIZE]

    def _fresh(self) -> ColumnElement[bool]:
        return NoticeRow.at > self._db.clock() - FRESH


def said_in_answer(session: Session, event: NoticeEvent, about: str) -> None:
    """A conversation's own answer tells this (see `News.said`)."""
    untold = NoticeRow.thread_id.is_(None) | (NoticeRow.thread_id == NO_CONVERSATION)
    key = notice_key(event, about)
    session.execute(update(NoticeRow).where(NoticeRow.key == key, untold).values(thread_id=IN_THE_ANSWER))
