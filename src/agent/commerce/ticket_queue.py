"""The tickets that people work on: the queue of a role, the clock, and the conversation that somebody has taken over.

What may be done with a ticket is in `tickets`.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Final, Literal

from sqlalchemy import ColumnElement, and_, bindparam, exists, or_, select
from sqlalchemy.orm import Session
from typing_extensions import TypedDict

from agent.commerce.tickets import (
    TOPICS,
    MessageKind,
    TicketStatus,
    asked_in_turn,
    escalate,
    is_due,
    roles_of,
    say,
)
from agent.identity import Role
from agent.ledger.database import Database
from agent.ledger.tables import TicketMessageRow, TicketRow
from agent.ledger.transactions import reads, writes
from agent.notifications.ticket_notifications import notify_of_ticket

BATCH_SIZE: Final = 500
"""How many tickets are escalated in one round; the rest has its turn in the next."""

MOST_SHOWN: Final = 200
"""How many of a ticket's messages are shown, the last ones."""

GLIMPSE: Final = 80
"""How many characters of a ticket's text a list shows."""


class TicketLine(TypedDict):
    """A ticket in a list. `roles` may work on it; times are ISO 8601 in UTC."""

    id: str
    topic: str
    status: TicketStatus
    roles: list[Role]
    escalated: bool
    due: str | None
    customer_id: str | None
    order_id: str | None
    thread_id: str | None
    begins: str
    at: str
    taken_by: str | None
    closed_by: str | None
    closed_at: str | None


class TicketMessage(TypedDict):
    """Something that was said about a ticket, by whom."""

    number: int
    kind: MessageKind
    author: str
    text: str
    at: str


class TicketView(TicketLine):
    """A ticket with all that it says, and the last of what was said about it."""

    text: str
    messages: list[TicketMessage]


class Tickets:
    """Reads the queue, escalates what nobody takes, keeps what customers say to who has their ticket."""

    def __init__(self, database: Database) -> None:
        self._db = database

    @reads
    def get(self, session: Session, ticket_id: str) -> TicketView | None:
        """A ticket as it stands; None: there is none."""
        row = session.get(TicketRow, ticket_id)
        return _view(session, row) if row else None

    @reads
    def listed(
        self, session: Session, role: Role | None, status: TicketStatus | None, limit: int, offset: int = 0
    ) -> list[TicketLine]:
        """Tickets of this status, or all that are not closed, the most urgent first, of those that are closed the last
        one; of this role, or of all."""
        stands = TicketRow.status == status if status else TicketRow.status.in_(("open", "taken"))
        query = select(TicketRow).where(stands, _for(role)) if role else select(TicketRow).where(stands)
        order = TicketRow.closed_at.desc() if status == "closed" else TicketRow.due_at
        query = query.order_by(order, TicketRow.id).limit(limit).offset(offset)
        return [_line(row) for row in session.scalars(query)]

    @reads
    def held(self, session: Session, thread_id: str) -> TicketLine | None:
        """The ticket, not closed, that somebody has taken of this conversation, or that is all of it: the desk is
        silent meanwhile."""
        row = session.scalar(_HELD.where(TicketRow.thread_id == thread_id))
        return _line(row) if row else None

    async def note(self, thread_id: str, text: str, message_id: str) -> str | None:
        """Keep a customer's message on the ticket that is held of their conversation, once by its id, and have staff
        told. Returns the ticket's id; None when none is held, and nothing was kept."""
        return await self._note(thread_id, text, message_id) if await self.held(thread_id) else None

    @writes
    def _note(self, session: Session, thread_id: str, text: str, message_id: str) -> str | None:
        row, now = session.scalar(_HELD.where(TicketRow.thread_id == thread_id).with_for_update()), self._db.clock()
        if row is None:
            return None
        key = f"{row.id}:{message_id}"
        if session.get(TicketMessageRow, key) is None:
            say(session, row, "reply", text, author=str(row.customer_id), key=key, now=now)
            notify_of_ticket(session, "ticket.heard", row, roles_of(row), now)
        return row.id

    async def enforce_deadlines(self) -> dict[str, str]:
        """Escalate what is due, each once, however many do this at the same time; returns {ticket: what happened}."""
        now = self._db.clock()
        done = {ticket_id: await self._escalate(ticket_id, now) for ticket_id in await self._due(now)}
        return {ticket_id: happened for ticket_id, happened in done.items() if happened}

    @reads
    def _due(self, session: Session, now: datetime) -> Sequence[str]:
        due = (TicketRow.status.in_(("open", "taken")), TicketRow.due_at <= now)
        return session.scalars(select(TicketRow.id).where(*due).order_by(TicketRow.due_at).limit(BATCH_SIZE)).all()

    @writes
    def _escalate(self, session: Session, ticket_id: str, now: datetime) -> Literal["escalated", "overdue"] | None:
        row = session.get_one(TicketRow, ticket_id, with_for_update=True)
        return escalate(session, row, now) if is_due(row, now) else None


_WHOLE: Final = and_(TicketRow.topic == "person", TicketRow.status == "open")
_SILENCES: Final = or_(TicketRow.status == "taken", _WHOLE)
IS_HELD: Final = exists().where(_SILENCES, TicketRow.thread_id == bindparam("of_thread"))
"""Whether the desk is silent in a conversation (see `Tickets.held`), for a query that names `of_thread`."""
_HELD: Final = (
    select(TicketRow).where(_SILENCES).order_by(TicketRow.status.desc(), TicketRow.taken_at, TicketRow.id).limit(1)
)


def _for(role: Role) -> ColumnElement[bool]:
    """Tickets that this role may work on (`tickets.roles_of`)."""
    turns = {topic: asked_in_turn(topic) for topic in TOPICS}
    return or_(
        *(and_(TicketRow.topic == topic, _reached(role, asked)) for topic, asked in turns.items() if role in asked)
    )


def _reached(role: Role, asked: list[Role]) -> ColumnElement[bool]:
    reached = TicketRow.role.in_(asked[asked.index(role) :])
    return or_(reached, TicketRow.role.is_(None)) if asked[0] == role else reached


def _line(row: TicketRow) -> TicketLine:
    roles = roles_of(row)
    return TicketLine(
        id=row.id,
        topic=row.topic,
        status=row.status,  # type: ignore[typeddict-item]
        roles=roles,
        escalated=len(roles) > 1,
        due=row.due_at.isoformat() if row.due_at and row.status != "closed" else None,
        customer_id=row.customer_id,
        order_id=row.order_id,
        thread_id=row.thread_id,
        begins=" ".join(row.text.split())[:GLIMPSE],
        at=row.at.isoformat(),
        taken_by=row.taken_by,
        closed_by=row.closed_by,
        closed_at=row.closed_at.isoformat() if row.closed_at else None,
    )


def _view(session: Session, row: TicketRow) -> TicketView:
    said = TicketMessageRow
    last = select(said).where(said.ticket_id == row.id).order_by(said.number.desc()).limit(MOST_SHOWN)
    messages = [
        TicketMessage(number=each.number, kind=each.kind, author=each.author, text=each.text, at=each.at.isoformat())  # type: ignore[typeddict-item]
        for each in session.scalars(last)
    ]
    return TicketView(**_line(row), text=row.text, messages=messages[::-1])
