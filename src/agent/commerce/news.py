"""News: what of a customer's notices was told in which conversation, and where they were last heard.

The sentences are the desk's (`customer_service.words`); webhooks are sent by `outbox`.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

from sqlalchemy import ColumnElement, delete, exists, select, update

from agent.ledger.database import Database
from agent.ledger.notices import NoticeEvent, notice_key
from agent.ledger.tables import ConversationRow, CustomerRow, NoticeRow
from agent.observability.events import emit

FRESH: Final = timedelta(days=14)
"""What is older is no news any more in a conversation; its webhook is sent all the same."""

AT_ONCE: Final = 20
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
        now = self._db.clock()
        async with self._db.read() as session:
            last = await session.get(ConversationRow, customer_id)
        if last and last.thread_id == thread_id and now - last.at < HEARD_AGAIN:
            return
        async with self._db.write() as session:
            # locked, so that two first conversations at the same time come one after the other
            if await session.get(CustomerRow, customer_id, with_for_update=True):
                await session.merge(ConversationRow(customer_id=customer_id, thread_id=thread_id, at=now))

    async def forget(self, thread_id: str) -> None:
        """A conversation is lost; the news waits for the next one."""
        async with self._db.write() as session:
            await session.execute(delete(ConversationRow).where(ConversationRow.thread_id == thread_id))

    async def conversations(self) -> Sequence[str]:
        """Thread ids in which customers with untold news were last heard, the newest first."""
        untold = exists().where(
            NoticeRow.customer_id == ConversationRow.customer_id, NoticeRow.thread_id.is_(None), self._fresh()
        )
        query = select(ConversationRow.thread_id).where(untold).order_by(ConversationRow.at.desc())
        async with self._db.read() as session:
            return (await session.scalars(query.limit(500))).all()

    async def untold(self, customer_id: str, thread_id: str, already: Collection[str]) -> list[Notice]:
        """What is to be told in this conversation now, oldest first; from now on it counts as told there.

        That is what was told nowhere, and what was marked as told here but is not among the ids of the messages that
        are `already` there: the run that told it broke off before they were saved.
        """
        here = NoticeRow.thread_id.is_(None) | (NoticeRow.thread_id == thread_id)
        query = select(NoticeRow).where(NoticeRow.customer_id == customer_id, here, self._fresh())
        query = query.order_by(NoticeRow.at, NoticeRow.key)
        async with self._db.read() as session:
            if not _missing(await session.scalars(query), already):
                return []  # nearly always: then nobody waits for a writer
        async with self._db.write() as session:
            rows = _missing(await session.scalars(query.with_for_update()), already)
            for row in rows:
                row.thread_id = thread_id
        for row in rows:
            emit("notice.told", notice=row.event, order_id=row.order_id)
        return [Notice(row.key, row.event, row.order_id, row.facts) for row in rows]

    async def said(self, event: NoticeEvent, about: str) -> None:
        """A conversation's own answer tells this: it is no news any more, if it was noted already."""
        key = notice_key(event, about)
        async with self._db.write() as session:
            await session.execute(
                update(NoticeRow)
                .where(NoticeRow.key == key, NoticeRow.thread_id.is_(None))
                .values(thread_id=IN_THE_ANSWER)
            )

    def _fresh(self) -> ColumnElement[bool]:
        return NoticeRow.at > self._db.clock() - FRESH


def _missing(rows: Iterable[NoticeRow], already: Collection[str]) -> list[NoticeRow]:
    return [row for row in rows if row.thread_id is None or row.key not in already][:AT_ONCE]
