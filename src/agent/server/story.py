"""The ledger's story of an order or a conversation: what happened when, in words that name ids, amounts and rules.

No words of customers, and of staff's only notes that the reader may read. What comes next is in `story_outlook`.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, NotRequired

from sqlalchemy import ColumnElement, func, or_, select
from sqlalchemy.orm import Session
from typing_extensions import TypedDict

from agent.approvals.card import decisions_of
from agent.approvals.trail import BrokenTrailError, Trail
from agent.commerce.policy import money
from agent.commerce.tickets import roles_of
from agent.identity import Role
from agent.ledger.tables import (
    ApprovalRow,
    DebtRow,
    EffectRow,
    MoneyEntryRow,
    NotificationRow,
    OrderLineRow,
    OrderRow,
    PaymentRow,
    QuarantineRow,
    QuestionRow,
    ReturnRow,
    TicketMessageRow,
    TicketRow,
)
from agent.notifications.conversations import IN_REPLY
from agent.notifications.notify import NO_CONVERSATION
from agent.server.permissions import TICKET_OVERSEERS

SEAL_SHOWN: Final = 8
"""How many characters of a seal are shown: `desk audit show` has all of it."""


class Entry(TypedDict):
    """Something that happened: when (ISO 8601, UTC), to what, in words; with the note that staff left, if they did."""

    at: str
    what: str
    says: str
    note: NotRequired[str]


@dataclass(frozen=True)
class About:
    """What a story is about: an order, or a conversation by its thread; and what the ledger has of it."""

    order: OrderRow | None
    requests: Sequence[ApprovalRow]
    tickets: Sequence[TicketRow]
    notifications: Sequence[NotificationRow]
    damaged: Sequence[QuarantineRow]


def about_order(session: Session, order: OrderRow) -> About:
    """All that the ledger has of an order."""
    ours = or_(NotificationRow.customer_id == order.customer_id, NotificationRow.customer_id.is_(None))
    return About(
        order,
        session.scalars(select(ApprovalRow).where(ApprovalRow.order_id == order.id)).all(),
        session.scalars(
            select(TicketRow).where(TicketRow.customer_id == order.customer_id, TicketRow.order_id == order.id)
        ).all(),
        session.scalars(select(NotificationRow).where(ours, NotificationRow.order_id == order.id)).all(),
        session.scalars(select(QuarantineRow).where(QuarantineRow.order_id == order.id)).all(),
    )


def about_thread(session: Session, thread_id: str) -> About:
    """All that the ledger has of a conversation."""
    return About(
        None,
        session.scalars(select(ApprovalRow).where(ApprovalRow.thread_id == thread_id)).all(),
        session.scalars(select(TicketRow).where(TicketRow.thread_id == thread_id)).all(),
        session.scalars(select(NotificationRow).where(NotificationRow.thread_id == thread_id)).all(),
        session.scalars(select(QuarantineRow).where(QuarantineRow.thread_id == thread_id)).all(),
    )


def entries(session: Session, about: About, trail: Trail, reader: Role) -> list[Entry]:
    """What happened, oldest first."""
    found: list[Entry] = []
    if about.order:
        found += _of_order(session, about.order)
    for request in about.requests:
        found += _of_request(session, request, trail)
    for ticket in about.tickets:
        found += _of_ticket(session, ticket, reader)
    for told in about.notifications:
        found.append(_entry(told.at, "notification", f"{told.audience} are told {told.event}: {_delivered(told)}"))
    for damaged in about.damaged:
        words = f"a damaged state was set aside before {damaged.node}: {damaged.found}"
        found.append(_entry(damaged.at, f"thread {damaged.thread_id}", words))
    return sorted(found, key=lambda entry: entry["at"])


def _of_order(session: Session, order: OrderRow) -> Iterator[Entry]:
    lines = session.scalar(select(func.count()).where(OrderLineRow.order_id == order.id)) or 0
    words = (
        f"placed by {order.placed_by} for {order.customer_id}: {lines} line{'s' * (lines != 1)}, {money(order.total)}"
    )
    yield _entry(order.placed_at, f"order {order.id}", words)
    for effect in session.scalars(select(EffectRow).where(*_about(order))):
        denied = (effect.answer.get("denied") or {}).get("rule")
        outcome = f"refused, {denied}" if denied else "done"
        yield _entry(effect.at, "command", f"{effect.name} by {effect.actor}: {outcome} (key {effect.key})")
    for payment in session.scalars(select(PaymentRow).where(PaymentRow.order_id == order.id)):
        kind = f"attempt {payment.attempt}" if payment.attempt else "the price of a change"
        sent = f", sent {payment.attempts_sent} times" if payment.attempts_sent > 1 else ""
        by = f"{payment.method_id}{f' at {payment.provider}' if payment.provider else ''}"
        why = f", {payment.reason}" if payment.reason else ""
        words = f"{kind}: {money(payment.amount)} by {by}{sent}: {payment.outcome}{why}"
        yield _entry(payment.at, f"payment {payment.key}", words)
    for moved in session.scalars(select(MoneyEntryRow).where(MoneyEntryRow.order_id == order.id)):
        yield _entry(moved.at, f"money {moved.key}", f"{moved.kind} of {money(moved.amount)} is booked")
    for debt in session.scalars(select(DebtRow).where(DebtRow.order_id == order.id)):
        amount = f" of {money(debt.amount)}" if debt.kind == "refund" else ""
        stands = "settled" if debt.settled else f"not settled after {debt.attempts} attempts"
        yield _entry(debt.at, f"debt {debt.key}", f"a {debt.kind}{amount} is owed: {stands}")
        if debt.pending_since:
            yield _entry(debt.pending_since, f"debt {debt.key}", "its provider has taken it on")
    for returned in session.scalars(select(ReturnRow).where(ReturnRow.order_id == order.id)):
        yield _entry(returned.at, f"{returned.kind} {returned.id}", "asked for")
        if returned.reminded_at:
            yield _entry(returned.reminded_at, f"{returned.kind} {returned.id}", "the customer is reminded")
        if returned.closed_at:
            yield _entry(returned.closed_at, f"{returned.kind} {returned.id}", returned.state)


def _about(order: OrderRow) -> tuple[ColumnElement[bool], ...]:
    """Commands on an order: those whose answer is the order, or whose key names it."""
    answer = or_(
        EffectRow.answer["id"].as_string() == order.id,
        EffectRow.answer["order_id"].as_string() == order.id,
        EffectRow.key.contains(f":{order.id}:", autoescape=True),
    )
    return EffectRow.subject == order.customer_id, answer


def _of_request(session: Session, row: ApprovalRow, trail: Trail) -> Iterator[Entry]:
    said, what = decisions_of(session, row), f"request {row.id}"
    chain = " → ".join(step["role"] for step in row.chain)
    yield _entry(
        row.created_at, what, f"{row.action['name']} is asked of {chain} by {row.asked_by} ({_seal(row.seal)})"
    )
    for decision in said:
        seen = (decision.over or {}).get("seen")
        words = f"{decision.decision} by {decision.role} {decision.actor}, step {decision.step + 1}"
        words += f", which saw {seen}" if seen else ""
        yield _entry(decision.at, what, f"{words} ({_seal(decision.seal)})", decision.note)
    for question in session.scalars(select(QuestionRow).where(QuestionRow.request_id == row.id)):
        yield _entry(question.at, what, f"{question.asked_by} asks the customer, question {question.number}")
        if question.answered_at:
            yield _entry(question.answered_at, what, f"the customer answers question {question.number}")
    try:
        trail.prove(row, said)
        proved = "its trail holds" if row.seal else "it was made before there were seals"
    except BrokenTrailError as error:
        proved = f"ITS TRAIL IS BROKEN at {error}"
    last = max([row.created_at, *(decision.at for decision in said)])
    late = ", escalated" if row.escalated else ""
    yield _entry(last, what, f"is {row.status}{late}; {proved}")


def _of_ticket(session: Session, row: TicketRow, reader: Role) -> Iterator[Entry]:
    what, may_read = f"ticket {row.id}", reader in (*roles_of(row), *TICKET_OVERSEERS)
    yield _entry(row.at, what, f"opened, {row.topic}")
    if row.taken_at:
        yield _entry(row.taken_at, what, f"taken by {row.taken_by}")
    for said in session.scalars(select(TicketMessageRow).where(TicketMessageRow.ticket_id == row.id)):
        note = said.text if said.kind == "note" and may_read else ""
        yield _entry(said.at, what, f"{said.kind} by {said.author}", note)
    if row.closed_at:
        yield _entry(row.closed_at, what, f"closed by {row.closed_by}")


def _delivered(told: NotificationRow) -> str:
    if told.audience == "staff":
        return "by webhook" if told.sent else "given to their addresses" if told.routed_at else "not delivered yet"
    heard = {None: "not in a conversation yet", NO_CONVERSATION: "no conversation yet", IN_REPLY: "in a reply"}
    where = heard.get(told.thread_id, f"in conversation {told.thread_id}")
    return where + (", by webhook" if told.sent else f", webhook tried {told.attempts} times" if told.attempts else "")


def _seal(seal: str | None) -> str:
    return f"seal {seal[:SEAL_SHOWN]}" if seal else "no seal"


def _entry(at: datetime, what: str, says: str, note: str = "") -> Entry:
    entry = Entry(at=at.isoformat(), what=what, says=says)
    return entry | {"note": note} if note else entry
