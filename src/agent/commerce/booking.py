"""Booking money in the ledger, in the transaction of its cause.

Gift cards are the shop's own money and move at once; everything else is written as due or owed, and moved by the
provider after the transaction (`payments`, `refunds`).
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from sqlalchemy import Exists, SQLColumnExpression, exists, select
from sqlalchemy.orm import Session

from agent.commerce.lifecycle import UNANSWERED, Cause, Outcome
from agent.commerce.locks import move_payment
from agent.commerce.policy import policy_denied
from agent.ledger.base import total
from agent.ledger.database import emit_once_committed
from agent.ledger.statements import add
from agent.ledger.tables import DebtRow, MoneyEntryRow, OrderRow, PaymentMethodRow, PaymentRow
from agent.notifications.notify import notify

GIFT_CARD: Final = "gift_card"


def gift_balance(session: Session, method_id: str) -> int:
    """What is left on a gift card, in minor units: issued and credited, less what was paid with it."""
    booked = session.scalar(select(total(MoneyEntryRow.amount)).where(MoneyEntryRow.method_id == method_id))
    return -(booked or 0)


def own_method(session: Session, method_id: str, customer_id: str, rule: str = "DIFFERENCE-METHOD") -> PaymentMethodRow:
    """The customer's own payment method, locked. Raises `PolicyDenied` with `rule` for any other."""
    method = session.get(PaymentMethodRow, method_id, with_for_update=True)
    if method is None or method.customer_id != customer_id:
        raise policy_denied(rule, method_id)
    return method


def payments_of(session: Session, order_id: str, *outcomes: Outcome) -> Sequence[PaymentRow]:
    """The order's payments with these outcomes, oldest first."""
    query = select(PaymentRow).where(PaymentRow.order_id == order_id, PaymentRow.outcome.in_(outcomes))
    return session.scalars(query.order_by(PaymentRow.at, PaymentRow.key)).all()


def refundable(session: Session, payment: PaymentRow) -> int:
    """What of a captured payment is neither refunded nor owed yet, in minor units."""
    owed = session.scalar(
        select(total(DebtRow.amount)).where(DebtRow.payment_key == payment.key, DebtRow.returned.is_(False))
    )
    return payment.amount - (owed or 0)


def refundable_of_order(session: Session, order_id: str) -> int:
    """What of an order's captured payments is neither refunded nor owed yet, in minor units."""
    return sum(refundable(session, payment) for payment in payments_of(session, order_id, "captured"))


def demand(
    session: Session,
    order: OrderRow,
    method: PaymentMethodRow,
    amount: int,
    *,
    key: str,
    now: datetime,
    rule: str,
    replaces: str | None = None,
    tries: int = 1,
) -> PaymentRow:
    """Have `amount` paid by a method: by gift card at once, by others due. Raises `PolicyDenied` with `rule` when a
    gift card does not cover it. See `PaymentRow` for `replaces` and `tries`."""
    by_gift_card = method.kind == GIFT_CARD
    if by_gift_card and gift_balance(session, method.id) < amount:
        raise policy_denied(rule)
    payment = PaymentRow(
        key=key,
        order_id=order.id,
        method_id=method.id,
        amount=amount,
        outcome="captured" if by_gift_card else "due",
        replaces=replaces,
        tries=tries,
        at=now,
    )
    session.add(payment)
    session.flush()
    if by_gift_card:
        book(session, order, method.id, "gift_debit", amount, key=key, now=now)
    return payment


def owe(
    session: Session,
    order: OrderRow,
    payment: PaymentRow,
    method: PaymentMethodRow,
    amount: int,
    *,
    key: str,
    now: datetime,
) -> None:
    """Give `amount` of a payment back to a method: to a gift card at once, to others owed."""
    to_gift_card = method.kind == GIFT_CARD
    session.add(
        DebtRow(
            key=key,
            order_id=order.id,
            payment_key=payment.key,
            method_id=method.id,
            amount=amount,
            settled=to_gift_card,
            at=now,
            next_at=now,
        )
    )
    session.flush()
    if to_gift_card:
        book(session, order, method.id, "gift_credit", -amount, key=key, now=now)
        notify(session, "refund.settled", key, order=order, now=now, amount=amount)
    emit_once_committed(session, "refund.owed", order_id=order.id, amount=amount)


def give_back(
    session: Session, order: OrderRow, method: PaymentMethodRow, amount: int, *, key: str, now: datetime
) -> int:
    """Owe an amount out of what the order was paid with, to the method that was named; as far as that goes.

    Returns what is owed now, which is less when something was refunded before.
    """
    owed = 0
    for n, payment in enumerate(payments_of(session, order.id, "captured")):
        part = min(amount - owed, refundable(session, payment))
        if part > 0:
            owe(session, order, payment, method, part, key=f"{key}:{n}", now=now)
            owed += part
    return owed


def owe_part(session: Session, order: OrderRow, amount: int, *, key: str, now: datetime) -> int:
    """Owe an amount out of what the order was paid with, each part to where it came from; as far as that goes.

    Returns what is owed now (see `give_back`).
    """
    owed = 0
    for payment in payments_of(session, order.id, "captured"):
        if part := min(amount - owed, refundable(session, payment)):
            method = session.get_one(PaymentMethodRow, payment.method_id)
            owe(session, order, payment, method, part, key=f"{key}:{payment.key}", now=now)
            owed += part
    return owed


def is_paid(session: Session, order: OrderRow) -> bool:
    """Whether all that was to be paid for a paid order's changes is captured: before that nothing leaves the house.

    An attempt at its own price that was declined does not count: another was captured. Nor does one that is to take the
    place of a payment that was captured.
    """
    return not session.scalar(select(unpaid(order.id)))


def unpaid(order_id: str | SQLColumnExpression[str]) -> Exists:
    """Whether something of a paid order is due, without an answer, or was declined (see `is_paid`)."""
    declined = (PaymentRow.outcome == "declined") & PaymentRow.attempt.is_(None)
    waiting = PaymentRow.outcome.in_(UNANSWERED) | declined
    return exists().where(PaymentRow.order_id == order_id, PaymentRow.replaces.is_(None), waiting)


def owe_everything(session: Session, order: OrderRow, *, by: Cause, now: datetime) -> None:
    """Give the rest of each captured payment back to where it came from (CANCEL-REFUND); nothing is due any more."""
    for payment in payments_of(session, order.id, "captured"):
        if rest := refundable(session, payment):
            method = session.get_one(PaymentMethodRow, payment.method_id)
            owe(session, order, payment, method, rest, key=f"{payment.key}:rest", now=now)
    for payment in payments_of(session, order.id, "due"):
        move_payment(session, payment, "void", by)


def book(session: Session, order: OrderRow, method_id: str, kind: str, amount: int, *, key: str, now: datetime) -> None:
    """Append a movement of money. Positive: towards the shop."""
    add(
        session,
        MoneyEntryRow,
        {
            "key": key,
            "order_id": order.id,
            "customer_id": order.customer_id,
            "method_id": method_id,
            "kind": kind,
            "amount": amount,
            "at": now,
        },
    )
