"""Tickets: cases that people work on. Who may take one, how it moves, and what its customer hears of it.

The queue, the clock and the customer's part are in `ticket_queue`; who is asked next, in `agent.escalation`.
"""

from datetime import datetime, timedelta
from typing import Any, Final, Literal, cast, get_args

from sqlalchemy import exists, func, select
from sqlalchemy.orm import Session

from agent.commerce.policy import policy_denied
from agent.commerce.ticket_commands import AnswerTicket, CloseTicket, TakeTicket, TicketCommand, TicketTopic
from agent.escalation import BY_TOPIC, LAST_RESORT, Step
from agent.identity import Role
from agent.ledger.database import emit_once_committed
from agent.ledger.tables import TicketMessageRow, TicketRow
from agent.notifications.notify import notify
from agent.notifications.ticket_notifications import TicketEvent, notify_of_ticket

TicketStatus = Literal["open", "taken", "closed"]
MessageKind = Literal["answer", "reply", "note"]
"""To the customer; by the customer; among staff."""

MOVES: Final[dict[TicketStatus, dict[TicketStatus, str]]] = {
    "open": {"taken": "people"},
    "taken": {"closed": "people", "open": "clock"},
    "closed": {},
}
"""How a ticket may go on, and by whom. Any other move is refused (TICKET-STATUS)."""

TOPICS: Final[tuple[TicketTopic, ...]] = get_args(TicketTopic)


def steps_of(topic: str) -> tuple[Step, ...]:
    """The chain of a topic's tickets: that of approvals on the topic, or the general agents'."""
    return BY_TOPIC[topic] if topic in BY_TOPIC else BY_TOPIC["general"]


def asked_in_turn(topic: str) -> list[Role]:
    """Who is told of a topic's ticket, one after the other, while nobody takes it."""
    return [*(step["role"] for step in steps_of(topic)), LAST_RESORT]


WORKERS: Final[frozenset[Role]] = frozenset(role for topic in TOPICS for role in asked_in_turn(topic))
"""Roles that some ticket may be for."""


def roles_of(ticket: TicketRow) -> list[Role]:
    """Who may work on a ticket now: the first role of its chain, and those that it was escalated to."""
    asked = asked_in_turn(ticket.topic)
    return asked[: asked.index(cast(Role, ticket.role)) + 1] if ticket.role else asked[:1]


def is_due(ticket: TicketRow, now: datetime) -> bool:
    """Whether its time is up: nobody has taken it, or nothing came of it from who has."""
    return ticket.status != "closed" and ticket.due_at is not None and ticket.due_at <= now


def add_ticket(session: Session, ticket_id: str, *, topic: str, text: str, now: datetime, **about: Any) -> TicketRow:
    """Write a new ticket, for the first role of its topic. `about`: customer_id, order_id, thread_id."""
    ticket = TicketRow(id=ticket_id, topic=topic, text=text, status="open", at=now, **about)
    ticket.role, ticket.due_at = asked_in_turn(topic)[0], _after(ticket, "due_seconds", now)
    session.add(ticket)
    notify_of_ticket(session, "ticket.opened", ticket, roles_of(ticket), now)
    return ticket


def take(session: Session, command: TakeTicket, now: datetime) -> TicketRow:
    """TakeTicket. Raises `PolicyDenied` TICKET-EXISTS, TICKET-ROLE, TICKET-TAKER, TICKET-STATUS."""
    ticket = _for(session, command)
    if ticket.status == "taken":
        _check_taker(ticket, command)
        return ticket
    move(ticket, "taken")
    ticket.taken_by, ticket.taken_at, ticket.due_at = command.actor, now, _after(ticket, "expiry_seconds", now)
    emit_once_committed(session, "ticket.taken", ticket_id=ticket.id, role=command.role)
    return ticket


def answer(session: Session, command: AnswerTicket, now: datetime) -> TicketRow:
    """AnswerTicket: the customer hears it. Raises `PolicyDenied` as `take` does, and TICKET-CUSTOMER."""
    ticket = _taken(session, command)
    if ticket.customer_id is None:
        raise policy_denied("TICKET-CUSTOMER")
    number = say(session, ticket, "answer", command.text, author=command.actor, key=command.key, now=now)
    ticket.due_at = _after(ticket, "expiry_seconds", now)
    notify(
        session,
        "ticket.answered",
        f"{ticket.id}:{number}",
        now=now,
        customer_id=ticket.customer_id,
        order_id=ticket.order_id,
        ticket_id=ticket.id,
        answer=command.text,
    )
    emit_once_committed(session, "ticket.answered", ticket_id=ticket.id, role=command.role)
    return ticket


def close(session: Session, command: CloseTicket, now: datetime) -> TicketRow:
    """CloseTicket; its note stays among staff. Raises `PolicyDenied` as `take` does."""
    ticket = _taken(session, command)
    move(ticket, "closed")
    ticket.closed_by, ticket.closed_at = command.actor, now
    if command.note:
        say(session, ticket, "note", command.note, author=command.actor, key=command.key, now=now)
    if ticket.customer_id is not None and (ticket.thread_id is not None or _was_answered(session, ticket)):
        whom, order_id = ticket.customer_id, ticket.order_id
        notify(session, "ticket.closed", ticket.id, now=now, customer_id=whom, order_id=order_id, ticket_id=ticket.id)
    emit_once_committed(session, "ticket.closed", ticket_id=ticket.id, role=command.role)
    return ticket


def escalate(session: Session, ticket: TicketRow, now: datetime) -> Literal["escalated", "overdue"]:
    """Tell the next role of a ticket that is due, and put back into the queue what somebody has who says nothing. At
    the end of the chain it is an event, each time that it is due again."""
    if ticket.status == "taken":
        move(ticket, "open", by="clock")
        ticket.taken_by = ticket.taken_at = None
    asked, so_far = asked_in_turn(ticket.topic), len(roles_of(ticket))
    happened: Literal["escalated", "overdue"] = "escalated" if so_far < len(asked) else "overdue"
    ticket.role = asked[so_far] if happened == "escalated" else asked[-1]
    ticket.due_at = _after(ticket, "due_seconds", now)
    event: TicketEvent = "ticket.escalated" if happened == "escalated" else "ticket.overdue"
    notify_of_ticket(session, event, ticket, roles_of(ticket), now)
    return happened


def move(ticket: TicketRow, to: TicketStatus, by: str = "people") -> None:
    """Move a ticket. Raises `PolicyDenied` TICKET-STATUS for what is not in the table."""
    if MOVES[cast(TicketStatus, ticket.status)].get(to) != by:
        raise policy_denied("TICKET-STATUS", f"it is {ticket.status}")
    ticket.status = to


def say(
    session: Session, ticket: TicketRow, kind: MessageKind, text: str, *, author: str, key: str, now: datetime
) -> int:
    """Keep what was said about a ticket whose row is locked; returns which of its messages it is, from 1."""
    of_ticket = TicketMessageRow.ticket_id == ticket.id
    number = 1 + (session.scalar(select(func.max(TicketMessageRow.number)).where(of_ticket)) or 0)
    message = TicketMessageRow(key=key, ticket_id=ticket.id, number=number, kind=kind, author=author, text=text, at=now)
    session.add(message)
    return number


def _was_answered(session: Session, ticket: TicketRow) -> bool:
    answers = (TicketMessageRow.ticket_id == ticket.id, TicketMessageRow.kind == "answer")
    return bool(session.scalar(select(exists().where(*answers))))


def _for(session: Session, command: TicketCommand) -> TicketRow:
    """The ticket, locked, if the command's role may work on it."""
    ticket = session.get(TicketRow, command.ticket_id, with_for_update=True)
    if ticket is None:
        raise policy_denied("TICKET-EXISTS")
    if command.role not in roles_of(ticket):
        raise policy_denied("TICKET-ROLE", f"it is for {' or '.join(roles_of(ticket))}")
    return ticket


def _taken(session: Session, command: TicketCommand) -> TicketRow:
    ticket = _for(session, command)
    if ticket.status != "taken":
        first = ": take it first" if ticket.status == "open" else ""
        raise policy_denied("TICKET-STATUS", f"it is {ticket.status}{first}")
    _check_taker(ticket, command)
    return ticket


def _check_taker(ticket: TicketRow, command: TicketCommand) -> None:
    if ticket.taken_by != command.actor:
        raise policy_denied("TICKET-TAKER", f"{ticket.taken_by} has it")


def _after(ticket: TicketRow, which: Literal["due_seconds", "expiry_seconds"], now: datetime) -> datetime:
    return now + timedelta(seconds=steps_of(ticket.topic)[0][which])
