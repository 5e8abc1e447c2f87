"""What an answer about a payment means for its order: booked, owed back, declined, or a case for a person.

Each is part of somebody else's transaction. Who is asked, and when, is in `payments`.
"""

from datetime import datetime
from typing import Unpack

from sqlalchemy.orm import Session

from agent.commerce import differences
from agent.commerce.booking import book, gift_balance, owe, owe_everything, refundable
from agent.commerce.lifecycle import CHARGEABLE
from agent.commerce.locks import move, move_payment, open_case
from agent.commerce.policy import money
from agent.ledger.database import emit_once_committed
from agent.ledger.statements import change
from agent.ledger.tables import OrderRow, PaymentMethodRow, PaymentRow
from agent.notifications.notify import notify, notify_staff
from agent.observability.events import EventName, Fields


def captured(session: Session, order: OrderRow, payment: PaymentRow, *, now: datetime, kind: str = "capture") -> None:
    """Book the money, as an entry of this kind; of an order that was undone meanwhile it is owed back at once."""
    book(session, order, payment.method_id, kind, payment.amount, key=payment.key, now=now)
    if order.stage in CHARGEABLE:
        move(session, order, "paid", "provider", touched_at=now)
    elif order.status == "cancelled":
        owe_everything(session, order, by="provider", now=now)
    elif payment.attempt is None:
        differences.captured(session, order, payment, now=now)
    _record(session, "payment.late" if order.status == "cancelled" else "payment.captured", payment)


def late(session: Session, order: OrderRow, payment: PaymentRow, *, now: datetime) -> None:
    """Money that was taken after all, of a payment that we had given up: nothing is bought with it, so all of it is
    owed back at once."""
    change(session, payment, reason="PAYMENT-LATE")
    book(session, order, payment.method_id, "capture", payment.amount, key=payment.key, now=now)
    if rest := refundable(session, payment):
        method = session.get_one(PaymentMethodRow, payment.method_id)
        owe(session, order, payment, method, rest, key=f"{payment.key}:rest", now=now)
    _record(session, "payment.late", payment)


def declined(session: Session, order: OrderRow, payment: PaymentRow, rule: str, *, now: datetime) -> None:
    """The order's own price: it waits for another method. What a change of it costs: see `differences`."""
    change(session, payment, reason=rule)
    if order.stage in CHARGEABLE:
        move(session, order, "declined", "provider", touched_at=now)
        change(session, payment, at=now)
        notify(session, "payment.declined", payment.key, order=order, now=now, rule=rule)
    elif payment.attempt is None:
        differences.declined(session, order, payment, rule, now=now)
    _record(session, "payment.declined", payment)


def rejected(session: Session, order: OrderRow, payment: PaymentRow, error: str, *, now: datetime) -> None:
    """The provider does not accept it by our own fault: a person looks into it, and the order waits."""
    text = f"{money(payment.amount)} were rejected by the provider ({error}): our settings or our key are wrong"
    open_case(session, order, payment.key, topic="billing", text=text, now=now)
    _record(session, "payment.rejected", payment, error=error)


def disputed(session: Session, order: OrderRow, payment: PaymentRow, *, now: datetime) -> None:
    """The customer disputes a payment at their bank, which may take it back: people look into it."""
    text = f"The payment {payment.key} of {money(payment.amount)} is disputed at the customer's bank"
    open_case(session, order, f"{payment.key}:disputed", topic="billing", text=text, now=now)
    facts = {"payment": payment.key, "amount": payment.amount}
    notify_staff(session, "payment.disputed", payment.key, now=now, order_id=order.id, facts=facts)
    _record(session, "payment.disputed", payment)


def by_gift_card(session: Session, order: OrderRow, payment: PaymentRow, *, now: datetime) -> None:
    """A gift card is the shop's own money: debited at once, if it covers everything (PAYMENT-GIFT-COVERS)."""
    session.get_one(PaymentMethodRow, payment.method_id, with_for_update=True)
    if gift_balance(session, payment.method_id) >= payment.amount:
        move_payment(session, payment, "captured", "provider")
        captured(session, order, payment, now=now, kind="gift_debit")
    else:
        move_payment(session, payment, "declined", "provider")
        declined(session, order, payment, "PAYMENT-GIFT-COVERS", now=now)


def unknown(session: Session, payment: PaymentRow) -> None:
    """The provider was asked, and its answer was lost: only a look-up tells (law 3)."""
    if payment.outcome == "open":
        _record(session, "payment.unknown", payment)
    move_payment(session, payment, "unknown", "process")


def _record(session: Session, event: EventName, row: PaymentRow, **more: Unpack[Fields]) -> None:
    facts = Fields(order_id=row.order_id, provider=row.provider, amount=row.amount)
    emit_once_committed(session, event, **(facts | more))
