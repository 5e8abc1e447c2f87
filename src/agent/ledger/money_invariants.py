"""What breaks the promises about money, taken, given back and owed: one query each, all named in `invariants`."""

from typing import Any, Final

from sqlalchemy import Select, and_, func, or_, select

from agent.ledger.base import total
from agent.ledger.tables import (
    DebtRow,
    MoneyEntryRow,
    OrderRow,
    PaymentMethodRow,
    PaymentRow,
)

Query = Select[*tuple[Any, ...]]

_UNDECIDED: Final = ("open", "unknown")
_CAPTURES: Final = ("capture", "gift_debit")
_REFUNDS: Final = ("refund", "gift_credit", "hand_refund")


def captured_once() -> Query:
    """Captured payments without their one money entry."""
    booked = and_(MoneyEntryRow.key == PaymentRow.key, MoneyEntryRow.kind.in_(_CAPTURES))
    return (
        select(PaymentRow.key, PaymentRow.outcome, PaymentRow.amount, MoneyEntryRow.amount.label("booked"))
        .outerjoin(MoneyEntryRow, booked)
        .where(
            PaymentRow.outcome == "captured",
            or_(
                MoneyEntryRow.key.is_(None),
                MoneyEntryRow.amount != PaymentRow.amount,
                MoneyEntryRow.order_id != PaymentRow.order_id,
                MoneyEntryRow.method_id != PaymentRow.method_id,
            ),
        )
    )


def price_captured_once() -> Query:
    """Orders whose own price was captured twice; what came late is owed back."""
    captured, in_time = func.count(PaymentRow.key), func.coalesce(PaymentRow.reason, "") != "PAYMENT-LATE"
    return (
        select(PaymentRow.order_id, captured.label("captured"))
        .where(PaymentRow.attempt.is_not(None), PaymentRow.outcome == "captured", in_time)
        .group_by(PaymentRow.order_id)
        .having(captured > 1)
    )


def captures_explained() -> Query:
    """Money taken without a captured payment."""
    captured = and_(PaymentRow.key == MoneyEntryRow.key, PaymentRow.outcome == "captured")
    return (
        select(MoneyEntryRow.key, MoneyEntryRow.kind, MoneyEntryRow.amount)
        .outerjoin(PaymentRow, captured)
        .where(MoneyEntryRow.kind.in_(_CAPTURES), PaymentRow.key.is_(None))
    )


def settled_once() -> Query:
    """Settled refunds without their one money entry."""
    booked = and_(MoneyEntryRow.key == DebtRow.key, MoneyEntryRow.kind.in_(_REFUNDS))
    return (
        select(DebtRow.key, DebtRow.amount, MoneyEntryRow.amount.label("booked"))
        .outerjoin(MoneyEntryRow, booked)
        .where(
            DebtRow.settled,
            DebtRow.kind == "refund",
            or_(
                MoneyEntryRow.key.is_(None),
                MoneyEntryRow.amount != -DebtRow.amount,
                MoneyEntryRow.order_id != DebtRow.order_id,
            ),
        )
    )


def returns_booked() -> Query:
    """Refunds that came back, without the entry that says so."""
    came_back = and_(MoneyEntryRow.key == DebtRow.key + ":returned", MoneyEntryRow.kind == "refund_returned")
    return (
        select(DebtRow.key, DebtRow.amount, MoneyEntryRow.amount.label("booked"))
        .outerjoin(MoneyEntryRow, came_back)
        .where(DebtRow.returned, or_(MoneyEntryRow.key.is_(None), MoneyEntryRow.amount != DebtRow.amount))
    )


def refunds_explained() -> Query:
    """Money given back that settled no debt."""
    settled = and_(DebtRow.key == MoneyEntryRow.key, DebtRow.settled)
    return (
        select(MoneyEntryRow.key, MoneyEntryRow.kind, MoneyEntryRow.amount)
        .outerjoin(DebtRow, settled)
        .where(MoneyEntryRow.kind.in_(_REFUNDS), DebtRow.key.is_(None))
    )


def refunded_at_most_once() -> Query:
    """Payments of which more is owed or refunded than was captured."""
    owed = total(DebtRow.amount)
    return (
        select(PaymentRow.key, PaymentRow.outcome, PaymentRow.amount, owed.label("owed_or_refunded"))
        .join(
            DebtRow,
            and_(DebtRow.payment_key == PaymentRow.key, DebtRow.kind == "refund", DebtRow.returned.is_(False)),
        )
        .group_by(PaymentRow.key, PaymentRow.outcome, PaymentRow.amount)
        .having(or_(PaymentRow.outcome != "captured", owed > PaymentRow.amount))
    )


def repaid() -> Query:
    """Undone orders of which not all that was captured is owed back."""
    captured = (
        select(PaymentRow.order_id, total(PaymentRow.amount).label("amount"))
        .where(PaymentRow.outcome == "captured")
        .group_by(PaymentRow.order_id)
        .subquery()
    )
    owed = (
        select(DebtRow.order_id, total(DebtRow.amount).label("amount"))
        .where(DebtRow.returned.is_(False))
        .group_by(DebtRow.order_id)
        .subquery()
    )
    return (
        select(OrderRow.id, captured.c.amount.label("captured"), owed.c.amount.label("owed_or_refunded"))
        .join(captured, captured.c.order_id == OrderRow.id)
        .outerjoin(owed, owed.c.order_id == OrderRow.id)
        .where(OrderRow.stage == "cancelled", captured.c.amount != func.coalesce(owed.c.amount, 0))
    )


def debt_form() -> Query:
    """Debts that do not have what their kind needs."""
    of_payment, of_parcel = DebtRow.payment_key.is_not(None), DebtRow.parcel_id.is_not(None)
    whole = or_(
        and_(DebtRow.kind == "refund", of_payment, DebtRow.method_id.is_not(None), ~of_parcel, DebtRow.amount > 0),
        and_(DebtRow.kind == "void", of_payment, ~of_parcel, DebtRow.amount == 0),
        and_(DebtRow.kind == "stop", of_parcel, ~of_payment, DebtRow.amount == 0),
    )
    return select(DebtRow.key, DebtRow.kind, DebtRow.payment_key, DebtRow.parcel_id, DebtRow.amount).where(~whole)


def voids_decided() -> Query:
    """Payments that were to be voided, are said to be, and may still come."""
    return (
        select(DebtRow.key, PaymentRow.outcome)
        .join(PaymentRow, PaymentRow.key == DebtRow.payment_key)
        .where(DebtRow.kind == "void", DebtRow.settled, PaymentRow.outcome.in_(_UNDECIDED))
    )


def gift_balance() -> Query:
    """Overdrawn gift cards."""
    balance = -total(MoneyEntryRow.amount)
    return (
        select(PaymentMethodRow.id, balance.label("balance"))
        .join(MoneyEntryRow, MoneyEntryRow.method_id == PaymentMethodRow.id)
        .where(PaymentMethodRow.kind == "gift_card")
        .group_by(PaymentMethodRow.id)
        .having(balance < 0)
    )
