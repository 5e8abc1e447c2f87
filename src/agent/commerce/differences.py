"""Payments beside an order's own price: the difference of changed items or of an exchange, and a change of method.

Each has an end: paid, paid by another method, or undone. Each function is part of somebody else's transaction.
"""

from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from agent.commerce import changed_items, returned_pieces
from agent.commerce.booking import GIFT_CARD, demand, gift_balance, owe, own_method, refundable
from agent.commerce.lifecycle import Cause
from agent.commerce.locks import move_payment
from agent.commerce.policy import PAYMENT_ATTEMPTS, policy_denied
from agent.ledger.database import emit_once_committed
from agent.ledger.statements import change
from agent.ledger.tables import OrderRow, PaymentMethodRow, PaymentRow
from agent.notifications.notify import CustomerEvent, notify


def declined_difference(session: Session, order_id: str) -> PaymentRow | None:
    """What was to be paid for a change or an exchange of the order, and was declined."""
    declined = (PaymentRow.outcome == "declined", PaymentRow.attempt.is_(None), PaymentRow.replaces.is_(None))
    return session.scalar(select(PaymentRow).where(PaymentRow.order_id == order_id, *declined).limit(1))


def captured(session: Session, order: OrderRow, payment: PaymentRow, *, now: datetime) -> None:
    """What the payment was for happens: the old method is refunded, the replaced pieces are free, the exchanged ones
    leave."""
    if payment.replaces:
        _give_old_back(session, order, payment, now)
        return
    changed_items.let_go(session, order.id)
    returned_pieces.let_leave(session, order, payment.key, now=now)


def declined(session: Session, order: OrderRow, payment: PaymentRow, rule: str, *, now: datetime) -> None:
    """The customer hears of it. A change of method has not happened; a difference waits for another method."""
    if order.stage in ("cancelling", "cancelled"):
        return
    change(session, payment, at=now)
    event: CustomerEvent = "method.kept" if payment.replaces else "difference.declined"
    notify(session, event, payment.key, order=order, now=now, rule=rule, amount=payment.amount)


def demand_later(
    session: Session, order: OrderRow, method: PaymentMethodRow, amount: int, *, key: str, now: datetime
) -> PaymentRow:
    """Have a difference paid that can't be denied any more: what a gift card does not cover is declined."""
    if method.kind != GIFT_CARD or gift_balance(session, method.id) >= amount:
        return demand(session, order, method, amount, key=key, now=now, rule="DIFFERENCE-GIFT-COVERS")
    rule = "DIFFERENCE-GIFT-COVERS"
    payment = PaymentRow(
        key=key, order_id=order.id, method_id=method.id, amount=amount, outcome="declined", reason=rule, at=now
    )
    session.add(payment)
    session.flush()
    declined(session, order, payment, rule, now=now)
    return payment


def pay_otherwise(
    session: Session, order: OrderRow, owed: PaymentRow, method_id: str, *, key: str, now: datetime
) -> None:
    """Have a declined difference paid by another method. Raises `PolicyDenied` PAYMENT-DIFFERENT, PAYMENT-STATUS
    after too many, DIFFERENCE-GIFT-COVERS."""
    method = own_method(session, method_id, order.customer_id, "PAYMENT-DIFFERENT")
    if method.id == owed.method_id:
        raise policy_denied("PAYMENT-DIFFERENT", method.id)
    if owed.tries >= PAYMENT_ATTEMPTS:
        raise policy_denied("PAYMENT-STATUS", f"{owed.tries} methods were tried")
    move_payment(session, owed, "void", "customer")
    payment = demand(
        session, order, method, owed.amount, key=key, now=now, rule="DIFFERENCE-GIFT-COVERS", tries=owed.tries + 1
    )
    returned_pieces.wait_for_another(session, owed.key, payment.key)
    if payment.outcome == "captured":
        captured(session, order, payment, now=now)


def give_up(session: Session, order: OrderRow, owed: PaymentRow, *, by: Cause, now: datetime) -> None:
    """A declined difference is not paid any more: changed items are as they were, an exchange becomes a return."""
    move_payment(session, owed, "void", by)
    if changed_items.unpaid_pieces(session, order.id):
        changed_items.take_back(session, order)
        notify(session, "change.undone", owed.key, order=order, now=now)
    else:
        given = returned_pieces.refund_instead(session, order, owed.key, now=now)
        notify(session, "exchange.refunded", owed.key, order=order, now=now, amount=given)
    emit_once_committed(session, "change.undone", order_id=order.id, amount=owed.amount)


def is_over(owed: PaymentRow, wait: timedelta, now: datetime) -> bool:
    """Whether no other method may be named any more: too often, or too late."""
    return owed.tries >= PAYMENT_ATTEMPTS or now - owed.at >= wait


def _give_old_back(session: Session, order: OrderRow, payment: PaymentRow, now: datetime) -> None:
    old = session.get_one(PaymentRow, payment.replaces)
    if rest := refundable(session, old):
        method = session.get_one(PaymentMethodRow, old.method_id)
        owe(session, order, old, method, rest, key=f"{payment.key}:back", now=now)
    change(session, order, payment_method_id=payment.method_id)
