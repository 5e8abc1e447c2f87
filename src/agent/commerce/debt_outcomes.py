"""What is found out about one debt, in the ledger: it is settled, pending, put off, or owed again.

Each function is part of somebody else's transaction. Who is asked, and when, is in `debts`.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy.orm import Session

from agent.commerce.booking import book
from agent.commerce.compensation import finish
from agent.commerce.lifecycle import UNDECIDED, Cause
from agent.commerce.locks import locked, move_payment, open_case
from agent.commerce.parcels import let_go, locked_parcel, release
from agent.commerce.policy import money
from agent.ledger.database import digest, emit_once_committed
from agent.ledger.tables import DebtRow, MoneyEntryRow, PaymentRow
from agent.notifications.notify import notify
from agent.providers.payment import PaymentRejectedError
from agent.resilience import CircuitOpenError

ATTEMPTS: Final = 8
"""Attempts before people are asked what to do, and again after each time that they say: try again."""

LONGEST_WAIT: Final = timedelta(hours=1)
"""Between two attempts, or two looks at a refund that is pending."""

PENDING_LIMIT: Final = timedelta(days=14)
"""After so long a person looks into a refund that is still pending."""

AGAIN: Final = "~"
"""In the key of a refund that is made anew: a provider keeps one that failed as failed, under its key."""


@dataclass(frozen=True)
class OwedDebt:
    """A debt as providers and carrier are asked to settle it. `provider_id` only when it goes back to what paid it;
    else `token` is that of the method at `provider`, empty for one that it does not take."""

    key: str
    order_id: str
    kind: str
    amount: int
    payment_key: str
    parcel_id: str
    provider: str
    provider_id: str | None
    token: str
    pending: bool
    attempts: int
    failures: int

    @property
    def provider_key(self) -> str:
        """The key of the refund that is made for it now."""
        return refund_keys(self.key, self.failures)[-1]


def refund_keys(key: str, failures: int = 0) -> list[str]:
    """The keys under which a provider was asked for one refund, each after another had failed; of one of them, the
    debt's own is the first."""
    debt_key = key.partition(AGAIN)[0]
    return [debt_key, *(f"{debt_key}{AGAIN}{number}" for number in range(1, failures + 1))]


def people_decided(session: Session, key: str, *, by_hand: bool, now: datetime) -> None:
    """People have said what becomes of a debt past its limit: they did it elsewhere, or it shall be tried again."""
    debt = session.get_one(DebtRow, key, with_for_update=True)
    debt.asked, debt.next_at = debt.attempts // ATTEMPTS, now
    if by_hand:
        close_debt(session, key, "people", now=now, kind="hand_refund")
        emit_once_committed(session, "debt.settled_by_hand", order_id=debt.order_id, kind=debt.kind, amount=debt.amount)


def close_debt(
    session: Session, key: str, by: Cause, *, now: datetime, kind: str = "refund", left_as: str = ""
) -> None:
    """Close a debt once, with what follows: a refund's money entry is of this `kind`; a parcel that could not be
    stopped left under the tracking id `left_as`."""
    row = session.get_one(DebtRow, key, with_for_update=True)
    if row.settled:  # by another worker, meanwhile
        return
    row.settled, row.pending_since = True, None
    order = locked(session, row.order_id)
    match row.kind:
        case "refund":
            book(session, order, row.method_id or "", kind, -row.amount, key=row.key, now=now)
            notify(session, "refund.settled", row.key, order=order, now=now, amount=row.amount)
            emit_once_committed(session, "refund.settled", order_id=order.id, amount=row.amount)
        case "void":
            payment = session.get_one(PaymentRow, row.payment_key)
            if payment.outcome in UNDECIDED:
                move_payment(session, payment, "void", by)
        case _:
            parcel, _ = locked_parcel(session, row.parcel_id or "")
            if left_as:
                let_go(session, parcel, left_as)
            else:
                release(session, parcel, "stopped")
    session.flush()
    finish(session, order, by=by, now=now)


def pending(session: Session, owed: OwedDebt, *, now: datetime) -> None:
    """Look again later; the customer hears that it is on its way, and a person when it stays so."""
    debt = session.get_one(DebtRow, owed.key, with_for_update=True)
    if debt.settled or debt.failures != owed.failures:  # by another worker, meanwhile
        return
    debt.next_at, order = now + LONGEST_WAIT, locked(session, debt.order_id)
    if debt.pending_since is None:
        debt.pending_since = now
        notify(session, "refund.pending", owed.provider_key, order=order, now=now, amount=debt.amount)
        emit_once_committed(session, "refund.pending", order_id=order.id, amount=debt.amount)
    elif now - debt.pending_since > PENDING_LIMIT:
        text = f"A refund of {money(debt.amount)} is pending since {debt.pending_since:%Y-%m-%d} ({debt.key})"
        open_case(session, order, f"{owed.provider_key}:pending", topic="billing", text=text, now=now)


def came_back(session: Session, key: str, *, now: datetime) -> None:
    """A refund that was made has failed after all: its money is with the shop again, and owed as a new debt."""
    debt = session.get_one(DebtRow, key, with_for_update=True)
    made = session.get(MoneyEntryRow, key)
    if debt.returned or made is None or made.kind != "refund":  # seen before, or not the provider's doing
        return
    debt.returned, order = True, locked(session, debt.order_id)
    book(session, order, debt.method_id or "", "refund_returned", debt.amount, key=f"{key}:returned", now=now)
    session.add(
        DebtRow(
            key=f"{key}{AGAIN}{debt.failures + 1}",
            order_id=debt.order_id,
            payment_key=debt.payment_key,
            method_id=debt.method_id,
            amount=debt.amount,
            next_at=now,
            at=now,
        )
    )
    notify(session, "refund.returned", key, order=order, now=now, amount=debt.amount)
    emit_once_committed(session, "refund.owed", order_id=order.id, amount=debt.amount)


def put_off(
    session: Session,
    owed: OwedDebt,
    error: Exception,
    first_wait: timedelta,
    *,
    refund_failed: bool = False,
    now: datetime,
) -> None:
    """Try again later; an attempt that an open breaker kept back does not count.

    With `refund_failed` its refund has failed for good: the next one is made under a new key.
    """
    debt = session.get_one(DebtRow, owed.key, with_for_update=True)
    if debt.settled or (debt.attempts, debt.failures) != (owed.attempts, owed.failures):  # by another worker, meanwhile
        return
    if refund_failed:
        debt.failures, debt.pending_since = owed.failures + 1, None
    wait = min(LONGEST_WAIT, first_wait * 2 ** min(debt.attempts, 16))
    debt.next_at = now + wait * (0.8 + 0.4 * int(digest(owed.key)[:4], 16) / 0xFFFF)  # not all at once
    if isinstance(error, PaymentRejectedError):  # it never will: people are asked at once
        debt.attempts = ATTEMPTS * (debt.asked + 1)
    elif not isinstance(error, CircuitOpenError):
        debt.attempts += 1
    emit_once_committed(
        session,
        "debt.failed",
        order_id=debt.order_id,
        kind=debt.kind,
        attempts=debt.attempts,
        error=type(error).__name__,
    )
