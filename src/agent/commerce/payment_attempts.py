"""One attempt to take money, in the ledger: written before its provider is asked, closed by the answer.

Each function is part of somebody else's transaction. Which outcomes may follow one another is in `lifecycle`, what they
mean for the order in `payment_outcomes`, who is asked and when in `payments`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final, Self

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from agent.commerce import payment_outcomes
from agent.commerce.booking import GIFT_CARD
from agent.commerce.compensation import finish
from agent.commerce.fulfilment import plan_parcels
from agent.commerce.lifecycle import CHARGEABLE, NOT_PAID_YET, UNANSWERED, UNDECIDED, Stage
from agent.commerce.locks import OrderRef, locked, move_payment, open_case
from agent.commerce.policy import money, policy_denied
from agent.commerce.price_payments import method_and_latest
from agent.ledger.tables import OrderRow, PaymentMethodRow, PaymentRow
from agent.providers.payment import Attempt, Charge
from agent.shop import SHOP

FIRST_WAIT: Final = timedelta(minutes=1)
"""After a change's payment was asked for; doubled each time, up to LONGEST_WAIT."""

LONGEST_WAIT: Final = timedelta(hours=1)

NO_ANSWER_LIMIT: Final = timedelta(days=3)
"""After so long a person looks into a change's payment that no provider has answered."""

NOT_COLLECTED: Final[frozenset[Stage]] = NOT_PAID_YET | {"cancelling", "cancelled"}
"""Stages of orders of which nothing is captured but their own price, by their process."""


@dataclass(frozen=True)
class PaymentAttempt(Attempt):
    """An attempt: what its provider is sent, and what the ledger knows of it.

    `provider` may know of it; None: surely nobody does. `token` is its token, `tokens` are those of all that take the
    method. `attempts_sent` counts this time too. When it may have been `sent_before`, only that provider can tell what
    became of it.
    """

    order_id: str
    outcome: str
    provider: str | None
    tokens: Mapping[str, str]
    attempts_sent: int
    sent_before: bool

    @classmethod
    def of(cls, row: PaymentRow, method: PaymentMethodRow, *, sent_before: bool) -> Self:
        """The attempt of this row, by this method."""
        name = row.provider or ""
        tokens = method.tokens_by_provider(name)  # a token without a name is of the one that it was sent to
        return cls(
            row.key,
            row.amount,
            SHOP.currency,
            tokens.get(name, ""),
            order_id=row.order_id,
            outcome=row.outcome,
            provider=row.provider,
            tokens=tokens,
            attempts_sent=row.attempts_sent,
            sent_before=sent_before,
        )

    def at(self, provider: str) -> Self:
        """The same, as another provider is sent it."""
        return replace(self, provider=provider, token=self.tokens[provider])


@dataclass(frozen=True)
class CaptureResult:
    """What came of an attempt: `captured`, `declined`, …; and the order's parcels that have yet to leave."""

    outcome: str
    parcels: list[str]


def attempt_price(
    session: Session, order_ref: OrderRef, providers: Sequence[str], *, now: datetime
) -> CaptureResult | PaymentAttempt:
    """The attempt at an order's own price, a new one if none is undecided; or what came of it already.

    The first of `providers` that takes its method is about to be sent it; of none: nobody. Raises `PolicyDenied`
    ORDER-STAGE.
    """
    order = locked(session, order_ref)
    before = order.stage
    method, payment = method_and_latest(session, order.id, order.payment_method_id)
    if payment and (order.stage == "declined" or (payment.outcome == "captured" and order.stage not in CHARGEABLE)):
        return _result(session, order, payment, before)
    if order.stage not in CHARGEABLE:
        raise policy_denied("ORDER-STAGE", order.stage)
    if payment is None or payment.outcome not in UNDECIDED:
        number = (payment.attempt or 0) + 1 if payment else 1
        payment = PaymentRow(
            key=f"{order.id}:pay:{number}",
            order_id=order.id,
            attempt=number,
            method_id=method.id,
            amount=order.total,
            outcome="open",
            attempts_sent=0,
            at=now,
        )
        session.add(payment)
    if method.kind == GIFT_CARD:
        session.flush()
        payment_outcomes.by_gift_card(session, order, payment, now=now)
        return _result(session, order, payment, before)
    return PaymentAttempt.of(
        payment, method, sent_before=bool(providers) and _begin_to_send(payment, method, providers)
    )


def attempt_due(session: Session, key: str, providers: Sequence[str], *, now: datetime) -> str | PaymentAttempt:
    """The attempt at the price of a change, which the first of these that takes its method is about to be sent; or its
    outcome, if nobody is to be asked any more. A person looks into one that has had no answer for NO_ANSWER_LIMIT."""
    payment, order = locked_payment(session, key)
    if order.stage in NOT_COLLECTED or payment.outcome not in UNANSWERED:  # meanwhile
        return payment.outcome
    if payment.outcome == "due":
        move_payment(session, payment, "open", "process")
    payment.next_at = now + min(LONGEST_WAIT, FIRST_WAIT * 2 ** min(payment.attempts_sent, 16))
    if now - payment.at > NO_ANSWER_LIMIT:
        text = f"{money(payment.amount)} for a change of the order: no provider has answered for days"
        open_case(session, order, f"{payment.key}:no-answer", topic="billing", text=text, now=now)
    method = session.get_one(PaymentMethodRow, payment.method_id)
    return PaymentAttempt.of(payment, method, sent_before=_begin_to_send(payment, method, providers))


def find_attempt(session: Session, key: str) -> PaymentAttempt | None:
    """The attempt with this key, as somebody may know it."""
    payment = session.get(PaymentRow, key)
    method = session.get_one(PaymentMethodRow, payment.method_id) if payment else None
    return PaymentAttempt.of(payment, method, sent_before=True) if payment and method else None


def attempts_due(session: Session, order_id: str | None, limit: int, *, now: datetime) -> Sequence[str]:
    """The keys of what changes made due: of one order all, at once; of all orders those whose turn it is, at most
    `limit`, the longest due first: none keeps others waiting."""
    waiting = (PaymentRow.outcome.in_(UNANSWERED), OrderRow.stage.not_in(NOT_COLLECTED))
    query = select(PaymentRow.key).join(OrderRow, OrderRow.id == PaymentRow.order_id).where(*waiting)
    if order_id:
        return session.scalars(query.where(OrderRow.id == order_id)).all()
    turn = func.coalesce(PaymentRow.next_at, PaymentRow.at)
    return session.scalars(query.where(turn <= now).order_by(turn, PaymentRow.key).limit(limit)).all()


def send_to_another(session: Session, attempt: PaymentAttempt, provider: str | None) -> bool:
    """Write down who is sent the attempt next, since nobody knows of it; None: nobody is.

    False, and nothing written, when that is not sure any more: another worker began to send it meanwhile, or the order
    was undone.
    """
    payment, order = locked_payment(session, attempt.key)
    sure = payment.attempts_sent == attempt.attempts_sent and payment.outcome in UNDECIDED
    if sure and order.status != "cancelled":
        payment.provider = provider
        return True
    return False


def record_answer(
    session: Session, attempt: PaymentAttempt, charge: Charge, rule: str, *, now: datetime
) -> CaptureResult:
    """Write down what a provider answered, with what follows; `rule` is why, if it was declined."""
    order = locked(session, attempt.order_id)
    payment, before = session.get_one(PaymentRow, attempt.key), order.stage
    given_up = payment.outcome in ("declined", "void")
    if payment.outcome != "captured" and not (given_up and charge.outcome == "declined"):
        move_payment(session, payment, charge.outcome, "provider", provider_id=charge.provider_id or None)
        if given_up:  # money that was taken counts, whatever we took it for
            payment_outcomes.late(session, order, payment, now=now)
        elif charge.outcome == "captured":
            payment_outcomes.captured(session, order, payment, now=now)
        else:
            payment_outcomes.declined(session, order, payment, rule, now=now)
        finish(session, order, by="provider", now=now)
    return _result(session, order, payment, before)


def record_no_answer(session: Session, key: str) -> None:
    """The provider was asked, and its answer was lost: only a look-up tells (law 3)."""
    payment, _ = locked_payment(session, key)
    if payment.outcome in UNDECIDED:
        payment_outcomes.unknown(session, payment)


def locked_payment(session: Session, key: str) -> tuple[PaymentRow, OrderRow]:
    """The payment with its order, both as they are under the order's lock."""
    order_id = session.scalar(select(PaymentRow.order_id).where(PaymentRow.key == key))
    order = locked(session, order_id or "")
    return session.get_one(PaymentRow, key), order


def _begin_to_send(payment: PaymentRow, method: PaymentMethodRow, providers: Sequence[str]) -> bool:
    """Write down that somebody is about to be sent it; True when somebody may have been before."""
    sent_before = payment.provider is not None
    tokens = method.tokens_by_provider(providers[0])
    payment.provider = payment.provider or next((name for name in providers if name in tokens), None)
    payment.attempts_sent += 1
    return sent_before


def _result(session: Session, order: OrderRow, payment: PaymentRow, before: str) -> CaptureResult:
    """What came of a payment of an order that was in this stage before."""
    just_paid = before in NOT_PAID_YET and order.stage == "paid"
    parcels = plan_parcels(session, order, just_paid=just_paid) if order.stage in ("paid", "completed") else []
    never = order.stage == "declined" or payment.outcome == "void"
    return CaptureResult("declined" if never else payment.outcome, parcels)
