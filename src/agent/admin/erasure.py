"""What of a customer is in the ledger, and how it is erased: what must end before, which threads are theirs, the words.

Ids, amounts, times, money entries and the approval trail stay; docs/security.md says what and why.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import ColumnElement, or_, select
from sqlalchemy.orm import Session

from agent.approvals.erasure import ERASED, erase_words
from agent.approvals.trail import Trail
from agent.commerce.booking import gift_balance
from agent.commerce.lifecycle import AT_WORK, UNANSWERED
from agent.identity import owner_by
from agent.ledger.base import Base
from agent.ledger.database import Effect, emit_once_committed
from agent.ledger.tables import (
    ApprovalRow,
    ConversationRow,
    CustomerRow,
    DebtRow,
    EffectRow,
    NotificationRow,
    OrderRow,
    ParcelRow,
    PaymentMethodRow,
    PaymentRow,
    QuarantineRow,
    ReturnRow,
    TicketMessageRow,
    TicketRow,
)
from agent.platform import order_threads

_PERSONAL: Final[dict[str, Any]] = {"ship_to": {}, "address": {}} | dict.fromkeys(
    ("question", "answer", "sentence", "text"), ERASED
)
"""What is erased of answers of commands and of facts of notifications, by name; the rest is ids, numbers and states."""


@dataclass(frozen=True)
class Obstacle:
    """Something that has to end before a customer can be forgotten, and how one ends it."""

    what: str
    how: str


def obstacles(session: Session, customer_id: str) -> list[Obstacle]:
    """All that keeps a customer from being forgotten: what the shop owes them, they owe, or somebody waits for."""
    return list(_obstacles(session, customer_id))


def _obstacles(session: Session, customer_id: str) -> Iterator[Obstacle]:
    own = OrderRow.customer_id == customer_id
    for order in session.scalars(select(OrderRow).where(own, OrderRow.stage.in_((*AT_WORK, "imported")))):
        yield Obstacle(f"order {order.id} is {order.stage}", f"desk debug {order.id}")
    for parcel in session.scalars(_of_order(ParcelRow).where(own, ParcelRow.state == "handed_over")):
        yield Obstacle(f"parcel {parcel.id} is on its way", f"desk orders deliver {parcel.order_id}")
    difference = (PaymentRow.outcome == "declined") & PaymentRow.attempt.is_(None) & PaymentRow.replaces.is_(None)
    unpaid = or_(PaymentRow.outcome.in_(UNANSWERED), difference & (OrderRow.stage != "cancelled"))
    for payment in session.scalars(_of_order(PaymentRow).where(own, unpaid)):
        yield Obstacle(f"payment {payment.key} is {payment.outcome}", f"desk debug {payment.order_id}")
    for debt in session.scalars(_of_order(DebtRow).where(own, ~DebtRow.settled)):
        yield Obstacle(f"debt {debt.key} is not settled", f"desk debug {debt.order_id}")
    for returned in session.scalars(_of_order(ReturnRow).where(own, ReturnRow.state == "open")):
        yield Obstacle(f"{returned.kind} {returned.id} is open", f"desk orders receive {returned.order_id}")
    to_make = (ApprovalRow.status == "approved") & ApprovalRow.thread_is_current.is_(False)
    waits = (ApprovalRow.subject == customer_id, (ApprovalRow.status == "open") | to_make)
    for request in session.scalars(select(ApprovalRow).where(*waits)):
        yield Obstacle(f"request {request.id} is {request.status}", f"desk debug {request.thread_id}")
    is_open = (TicketRow.customer_id == customer_id, TicketRow.status != "closed")
    for ticket in session.scalars(select(TicketRow).where(*is_open)):
        yield Obstacle(f"ticket {ticket.id} is {ticket.status}", f"desk tickets take {ticket.id}, then close")


def gift_cards_left(session: Session, customer_id: str) -> dict[str, int]:
    """What is left on the customer's gift cards, in minor units, and is given up with them."""
    is_gift_card = (PaymentMethodRow.customer_id == customer_id, PaymentMethodRow.kind == "gift_card")
    cards = session.scalars(select(PaymentMethodRow.id).where(*is_gift_card)).all()
    return {card: left for card in cards if (left := gift_balance(session, card))}


def threads_of(session: Session, customer_id: str) -> set[str]:
    """The threads on the platform that the ledger knows to be the customer's; some may be gone."""
    threads = set[str]()
    for order in session.scalars(select(OrderRow).where(OrderRow.customer_id == customer_id)):
        owner = owner_by(order.placed_by, customer_id)
        threads |= order_threads(order.id, owner, order.generation) | {order.thread_id or ""}
    for column, is_theirs in (
        (ApprovalRow.thread_id, ApprovalRow.subject == customer_id),
        (TicketRow.thread_id, TicketRow.customer_id == customer_id),
        (NotificationRow.thread_id, NotificationRow.customer_id == customer_id),
        (ConversationRow.thread_id, ConversationRow.customer_id == customer_id),
    ):
        threads |= {thread or "" for thread in session.scalars(select(column).where(is_theirs).distinct())}
    return {thread for thread in threads if thread.count("-") == 4}  # the others stand for no thread


def erase(session: Session, trail: Trail, customer_id: str, actor: str, now: datetime) -> bool:
    """Erase what is personal of a customer in the ledger, as one transaction; whether it was the first time.

    Safe to repeat. Raises `BrokenTrailError` for a request that can't be proved.
    """
    customer = session.get_one(CustomerRow, customer_id, with_for_update=True)
    is_first = customer.forgotten_at is None
    for request in session.scalars(select(ApprovalRow).where(ApprovalRow.subject == customer_id)):
        erase_words(session, trail, request)
    threads = threads_of(session, customer_id)
    orders = session.scalars(select(OrderRow).where(OrderRow.customer_id == customer_id)).all()
    for order in orders:
        order.ship_to = {"country": order.ship_to["country"]} if "country" in order.ship_to else {}
    for method in session.scalars(select(PaymentMethodRow).where(PaymentMethodRow.customer_id == customer_id)):
        method.label, method.token, method.tokens = ERASED, "", None
    for ticket in session.scalars(select(TicketRow).where(TicketRow.customer_id == customer_id)):
        ticket.text = ERASED
        for message in session.scalars(select(TicketMessageRow).where(TicketMessageRow.ticket_id == ticket.id)):
            message.text = ERASED
    for notification in session.scalars(select(NotificationRow).where(NotificationRow.customer_id == customer_id)):
        notification.facts = _without_personal(notification.facts)
    for effect in session.scalars(select(EffectRow).where(EffectRow.subject == customer_id)):
        effect.answer = _without_personal(effect.answer)
    for damaged in session.scalars(select(QuarantineRow).where(_set_aside(threads, {order.id for order in orders}))):
        damaged.state = {"erased": True}
    customer.first_name = customer.last_name = ERASED
    customer.email, customer.address = f"{ERASED} {customer_id}", {}
    customer.profile_changed_at = None
    if is_first:
        customer.forgotten_at = now
        record(session, "ForgetCustomer", customer_id, actor, now)
        emit_once_committed(session, "customer.forgotten", customer_id=customer_id, orders=len(orders))
    return is_first


def record(session: Session, name: str, customer_id: str, actor: str, now: datetime) -> None:
    """Keep who had a customer's data exported or erased, and when, as it is kept of commands."""
    effect = Effect(f"{name}:{customer_id}:{now.isoformat()}", name, actor, customer_id)
    kept = {"fingerprint": effect.fingerprint, "answer": {"id": customer_id}, "at": now}
    session.add(EffectRow(key=effect.key, name=name, actor=actor, subject=customer_id, **kept))


def _set_aside(threads: set[str], orders: set[str]) -> ColumnElement[bool]:
    return QuarantineRow.thread_id.in_(threads) | QuarantineRow.order_id.in_(orders)


def _of_order(form: type[Base]) -> Any:
    """Rows of orders, beside their orders."""
    return select(form).join(OrderRow, OrderRow.id == form.order_id)  # type: ignore[attr-defined]


def _without_personal(value: Any) -> Any:
    match value:
        case dict():
            return {k: _PERSONAL[k] if k in _PERSONAL else _without_personal(v) for k, v in value.items()}
        case list():
            return [_without_personal(each) for each in value]
        case _:
            return value
