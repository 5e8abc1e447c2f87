"""The orders behind a number of the operations page: what each list holds, and how a line of it reads.

A list is read by an index, a page of it at a time. Lines name ids, amounts and rules: no words of customers or staff.
"""

import json
from collections.abc import Callable, Collection, Mapping
from datetime import datetime
from typing import Any, Final

from sqlalchemy import ColumnElement, Select, and_, false, or_, select
from sqlalchemy.orm import Session
from typing_extensions import TypedDict

from agent.commerce.lifecycle import AT_REST, MOVES, PAYMENT_MOVES
from agent.commerce.policy import money
from agent.commerce.tickets import TOPICS, WORKERS, asked_in_turn, roles_of
from agent.identity import APPROVER_ROLES
from agent.ledger.tables import ApprovalRow, DebtRow, NotificationRow, OrderRow, PaymentRow, QuarantineRow, TicketRow
from agent.server.last_hour import provider_name
from agent.server.ledger_facts import chain_as_text
from agent.server.ledger_gauges import DEBT_KINDS
from agent.server.recent import minutes
from agent.services import Services


class Line(TypedDict):
    """One of them: since when, what it is, and where it leads: each id is None where there is none."""

    at: str
    says: str
    order_id: str | None
    thread_id: str | None
    request_id: str | None
    ticket_id: str | None


class UnknownListError(LookupError):
    """There is no such list, or not of that: its text names those that there are. An empty one would say that nothing
    is owed."""


Found = tuple[Select[Any], Callable[[Any], Line]]


def behind(session: Session, shop: Services, name: str, of: str, *, limit: int, offset: int) -> list[Line]:
    """A page of a list. Raises `UnknownListError`."""
    if name not in _LISTS:
        raise UnknownListError(f"no list {name}; there are: {', '.join(_LISTS)}")
    if of not in _KINDS.get(name, (of,)):
        kinds = ", ".join(filter(None, _KINDS[name])) or "all of them together"
        raise UnknownListError(f"{name} of which? There are: {kinds}")
    query, line = _LISTS[name](session, shop, of)
    return [line(row) for row in session.scalars(query.limit(limit).offset(offset))]


def _orders(_: Session, __: Services, stage: str) -> Found:
    """Of a stage, the one that has stood there longest first; of those at rest the latest."""
    order = OrderRow.touched_at.desc() if stage in AT_REST else OrderRow.touched_at
    return select(OrderRow).where(OrderRow.stage == stage).order_by(order), _order


def _ended(_: Session, shop: Services, stage: str) -> Found:
    """In the last hour, the latest first."""
    since = OrderRow.ended_at >= minutes(shop.database.clock())[0]
    query = select(OrderRow).where(since, *([OrderRow.stage == stage] if stage else []))
    return query.order_by(OrderRow.ended_at.desc()), lambda row: _order(row, row.ended_at)


def _payments(_: Session, shop: Services, of: str) -> Found:
    """Attempts of the last hour, of `PROVIDER:OUTCOME` or of all, the latest first."""
    name, colon, outcome = of.partition(":")
    if of and not (colon and outcome in PAYMENT_MOVES):
        raise UnknownListError(f"payments of which PROVIDER:OUTCOME? Outcomes are: {', '.join(PAYMENT_MOVES)}")
    which: list[ColumnElement[bool]] = [PaymentRow.at >= minutes(shop.database.clock())[0]]
    if of:
        provider = None if name == provider_name(None, outcome) else name
        which += [PaymentRow.outcome == outcome, PaymentRow.provider.is_not_distinct_from(provider)]
    return select(PaymentRow).where(*which).order_by(PaymentRow.at.desc()), _payment


def _unknown(_: Session, __: Services, ___: str) -> Found:
    return select(PaymentRow).where(PaymentRow.outcome == "unknown").order_by(PaymentRow.at), _payment


def _debts(_: Session, __: Services, kind: str) -> Found:
    """Not settled, of a kind or of all, the oldest first."""
    which = [DebtRow.settled.is_(False), *([DebtRow.kind == kind] if kind else [])]
    return select(DebtRow).where(*which).order_by(DebtRow.at), _debt


def _requests(session: Session, _: Services, role: str) -> Found:
    """Open ones whose turn it is for a role, or all, the one that has waited longest first."""
    row, is_open = ApprovalRow, ApprovalRow.status == "open"
    query = select(row).where(is_open).order_by(row.step_since)
    if role:
        turns = session.execute(select(chain_as_text(), row.step).where(is_open).distinct()).all()
        theirs = [(steps, step) for steps, step in turns if json.loads(steps)[step]["role"] == role]
        query = query.where(or_(false(), *(and_(chain_as_text() == steps, row.step == step) for steps, step in theirs)))
    return query, _request


def _tickets(_: Session, __: Services, role: str) -> Found:
    """Those that nobody has taken, by the last role asked, or all, the most urgent first."""
    row = TicketRow
    query = select(row).where(row.status == "open").order_by(row.due_at)
    if role:
        first = [topic for topic in TOPICS if asked_in_turn(topic)[0] == role]
        query = query.where(or_(row.role == role, and_(row.role.is_(None), row.topic.in_(first))))
    return query, _ticket


def _undelivered(_: Session, shop: Services, __: str) -> Found:
    row = NotificationRow
    return select(row).where(shop.webhook_delivery.undelivered()).order_by(row.next_at), _notification


def _quarantine(_: Session, __: Services, ___: str) -> Found:
    return select(QuarantineRow).order_by(QuarantineRow.at.desc()), _damaged


_LISTS: Final[Mapping[str, Callable[[Session, Services, str], Found]]] = {
    "orders": _orders,
    "ended": _ended,
    "payments": _payments,
    "unknown": _unknown,
    "debts": _debts,
    "requests": _requests,
    "tickets": _tickets,
    "undelivered": _undelivered,
    "quarantine": _quarantine,
}


_KINDS: Final[Mapping[str, Collection[str]]] = {
    "orders": tuple(MOVES),
    "ended": ("", "completed", "cancelled"),
    "unknown": ("",),
    "debts": ("", *DEBT_KINDS),
    "requests": ("", *sorted(APPROVER_ROLES)),
    "tickets": ("", *sorted(WORKERS)),
    "undelivered": ("",),
    "quarantine": ("",),
}
"""What a list may be of; an empty text, of all. Payments look for themselves."""


def _order(row: OrderRow, at: datetime | None = None) -> Line:
    why = f", {row.reason}" if row.reason else ""
    says = f"{row.stage} ({row.status}){why}: {money(row.total)} of {row.customer_id}"
    return _line(at or row.touched_at, says, row.id, thread_id=row.thread_id)


def _payment(row: PaymentRow) -> Line:
    why = f", {row.reason}" if row.reason else ""
    by = f"{row.method_id} at {provider_name(row.provider, row.outcome)}"
    return _line(row.at, f"{money(row.amount)} by {by}: {row.outcome}{why}", row.order_id)


def _debt(row: DebtRow) -> Line:
    amount = f" of {money(row.amount)}" if row.kind == "refund" else ""
    stands = "its provider has taken it on" if row.pending_since else f"{row.attempts} attempts"
    return _line(row.at, f"a {row.kind}{amount}, {stands}", row.order_id)


def _request(row: ApprovalRow) -> Line:
    late = ", escalated" if row.escalated else ""
    says = f"{row.action['name']}, step {row.step + 1} of {len(row.chain)}, for {row.chain[row.step]['role']}{late}"
    return _line(row.step_since, says, row.order_id, thread_id=row.thread_id, request_id=row.id)


def _ticket(row: TicketRow) -> Line:
    says = f"{row.topic}, for {' or '.join(roles_of(row))}"
    return _line(row.at, says, row.order_id, thread_id=row.thread_id, ticket_id=row.id)


def _notification(row: NotificationRow) -> Line:
    says = f"{row.event} for {row.audience}, {row.attempts} attempts"
    return _line(row.at, says, row.order_id)


def _damaged(row: QuarantineRow) -> Line:
    return _line(row.at, f"before {row.node}: {row.found}", row.order_id, thread_id=row.thread_id)


def _line(at: datetime, says: str, order_id: str | None, **ids: str | None) -> Line:
    where = {"thread_id": None, "request_id": None, "ticket_id": None} | ids
    return Line(at=at.isoformat(), says=says, order_id=order_id, **where)  # type: ignore[typeddict-item, no-any-return]
