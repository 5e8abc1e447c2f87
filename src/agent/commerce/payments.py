"""Taking money exactly once: an attempt is written before the provider is asked, closed by its answer.

An order's price is captured by its process; what a change made due is captured by `collect`.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final, Self, cast

from sqlalchemy import ScalarSelect, SQLColumnExpression, bindparam, func, select
from sqlalchemy.orm import Session

from agent.commerce import payment_outcomes
from agent.commerce.booking import GIFT_CARD, UNDECIDED
from agent.commerce.compensation import finish
from agent.commerce.fulfilment import plan_parcels
from agent.commerce.lifecycle import CHARGEABLE, NOT_PAID_YET, Stage
from agent.commerce.locks import OrderRef, locked, move, open_case
from agent.commerce.policy import PAYMENT_ATTEMPTS, money, policy_denied
from agent.ledger.database import Database
from agent.ledger.statements import change
from agent.ledger.tables import OrderRow, PaymentMethodRow, PaymentRow
from agent.ledger.transactions import reads, writes
from agent.notifications.notify import notify
from agent.observability.events import emit
from agent.providers.payment import (
    Attempt,
    Charge,
    PaymentError,
    PaymentFaultError,
    PaymentNotSentError,
    PaymentProvider,
    PaymentRejectedError,
    PaymentUnknownError,
)
from agent.resilience import CircuitOpenError

ATTEMPTS: Final = PAYMENT_ATTEMPTS

FIRST_WAIT: Final = timedelta(minutes=1)
"""After a change's payment was asked for; doubled each time, up to LONGEST_WAIT."""

LONGEST_WAIT: Final = timedelta(hours=1)

NO_ANSWER_LIMIT: Final = timedelta(days=3)
"""After so long a person looks into a change's payment that no provider has answered."""

BATCH_SIZE: Final = 500
"""How many of the payments that are due are asked for in one round."""

NOT_COLLECTED: Final[frozenset[Stage]] = NOT_PAID_YET | {"cancelling", "cancelled"}
"""Stages of orders of which nothing is captured by `collect`."""


@dataclass(frozen=True)
class Taken:
    """What came of a payment: `captured`, `declined`, …; and the order's parcels that have yet to leave."""

    outcome: str
    parcels: list[str]


@dataclass(frozen=True)
class _Asked:
    """An attempt as it is about to be made: by whom, how often before, and whether somebody may know of it."""

    attempt: Attempt
    order_id: str
    outcome: str
    provider: str | None
    asks: int
    before: bool

    @classmethod
    def of(cls, row: PaymentRow, method: PaymentMethodRow, before: bool) -> Self:
        attempt = Attempt(row.key, row.amount, "USD", method.token)
        return cls(attempt, row.order_id, row.outcome, row.provider, row.asks, before)


class Payments:
    """Captures of orders, through the payment port.

    Args:
        database: the ledger.
        providers: the first is asked; another only when nobody before it can have charged.
        wait: how long a declined order waits for another payment method.
        refusal: why no provider would be asked now, if so; then nothing is written down that would be taken back.
    """

    def __init__(
        self,
        database: Database,
        providers: Sequence[PaymentProvider],
        wait: timedelta,
        refusal: Callable[[], CircuitOpenError | None] = lambda: None,
    ) -> None:
        self._db = database
        self._providers = providers
        self._wait = wait
        self._refusal = refusal

    async def capture(self, order: OrderRef) -> Taken:
        """Take the order's money, or find out that it was taken; a captured order has its parcels planned.

        An attempt that was made before is looked up first (law 3). Raises `PaymentNotSentError` or `CircuitOpenError`
        (no effect: defer), `PaymentUnknownError` (look it up later), `PolicyDenied` ORDER-STAGE.
        """
        refusal = self._refusal()
        step = await self._attempt(order, begin=refusal is None)
        if isinstance(step, Taken):
            return step
        if refusal:
            raise refusal
        return await self._ask(step)

    async def collect(self, order_id: str | None = None) -> dict[str, str]:
        """Capture what changes of orders made due, of one order or of all; returns {payment key: outcome}.

        What the provider can't answer stays as it is, and is looked up before it is asked for again.
        """
        return {key: await self._collect(key) for key in await self._due(order_id)}

    async def void(self, key: str) -> None:
        """Make sure that a payment of an order that is being undone never comes; one that had come is booked, and owed
        back.

        Raises what the provider raises while it can't tell.
        """
        asked = await self._asked(key)
        if asked and asked.outcome in UNDECIDED and asked.provider:
            charge = await named(self._providers, asked.provider).void(asked.attempt)
            if charge:
                await self._record(key, asked.order_id, charge)

    async def look_up(self, key: str) -> str | None:
        """Something happened to this payment, says its provider: find out what. Returns the order's id.

        None for a payment that nobody here knows. Raises what the provider raises while it can't tell.
        """
        asked = await self._asked(key)
        if asked is None:
            return None
        if asked.outcome != "captured" and asked.provider:  # what was void, or declined, may have come after all
            charge = await named(self._providers, asked.provider).find(asked.attempt)
            if charge:
                await self._record(key, asked.order_id, charge)
        return asked.order_id

    @writes
    def disputed(self, session: Session, provider_id: str) -> str | None:
        """A customer disputes this payment at their bank, says its provider: a person looks into it. Returns the
        order's id; None for a payment that nobody here knows."""
        payment = session.scalar(select(PaymentRow).where(PaymentRow.provider_id == provider_id))
        if payment is None:
            return None
        payment_outcomes.disputed(session, locked(session, payment.order_id), payment, now=self._db.clock())
        return payment.order_id

    @reads
    def outcome(self, session: Session, order_id: str) -> str:
        """How the order's own price stands (see `outcome_of`)."""
        return outcome_of(session.scalar(select(price_outcome(order_id))))

    @reads
    def declined(self, session: Session, order_id: str) -> tuple[str, bool]:
        """The rule behind a declined payment of an order's price, and whether its customer may still name another
        method: not too often, not too late."""
        payment = latest(session, order_id)
        if payment is None or payment.attempt is None:
            return "PAYMENT-DECLINED", False
        kind = session.scalar(select(PaymentMethodRow.kind).where(PaymentMethodRow.id == payment.method_id))
        rule = payment.reason or ("PAYMENT-GIFT-COVERS" if kind == GIFT_CARD else "PAYMENT-DECLINED")
        return rule, payment.attempt < ATTEMPTS and self._db.clock() - payment.at < self._wait

    @writes
    def park(self, session: Session, order_ref: OrderRef) -> tuple[Stage, str]:
        """Leave an order for the reconciler, and say in which stage it is and how its payment stands.

        One whose money could not be taken yet is marked `parked`; any other stage stays as it is.
        """
        order, now = locked(session, order_ref), self._db.clock()
        if order.stage == "approved":
            move(session, order, "parked", "process")
            notify(session, "payment.deferred", order.id, order=order, now=now)
        change(session, order, touched_at=now)
        return cast(Stage, order.stage), outcome_of(session.scalar(select(price_outcome(order.id))))

    @writes
    def _attempt(self, session: Session, order_ref: OrderRef, *, begin: bool) -> Taken | _Asked:
        """The order's attempt, written before anything is sent; or what came of it already.

        With `begin` somebody is about to be asked.
        """
        order = locked(session, order_ref)
        was, now = order.stage, self._db.clock()
        method, payment = session.execute(
            _METHOD_AND_LATEST, {"of_order": order.id, "by": order.payment_method_id}
        ).one()
        if payment and (order.stage == "declined" or (payment.outcome == "captured" and order.stage not in CHARGEABLE)):
            return _taken(session, order, payment, was)
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
                asks=0,
                at=now,
            )
            session.add(payment)
        if method.kind == GIFT_CARD:
            session.flush()
            payment_outcomes.by_gift_card(session, order, payment, now=now)
            return _taken(session, order, payment, was)
        return _Asked.of(payment, method, begin and self._begin(payment))

    @reads
    def _due(self, session: Session, order_id: str | None) -> Sequence[str]:
        """One order's at once; of all those whose turn it is, the longest due first: none keeps others waiting."""
        waiting = (PaymentRow.outcome.in_(("due", *UNDECIDED)), OrderRow.stage.not_in(NOT_COLLECTED))
        query = select(PaymentRow.key).join(OrderRow, OrderRow.id == PaymentRow.order_id).where(*waiting)
        if order_id:
            return session.scalars(query.where(OrderRow.id == order_id)).all()
        turn = func.coalesce(PaymentRow.next_at, PaymentRow.at)
        query = query.where(turn <= self._db.clock()).order_by(turn, PaymentRow.key)
        return session.scalars(query.limit(BATCH_SIZE)).all()

    async def _collect(self, key: str) -> str:
        step = await self._begin_to_collect(key)
        if isinstance(step, str):
            return step
        try:
            return (await self._ask(step)).outcome
        except (PaymentError, CircuitOpenError) as error:
            return type(error).__name__

    @writes
    def _begin_to_collect(self, session: Session, key: str) -> str | _Asked:
        payment, order = _locked(session, key)
        if order.stage in NOT_COLLECTED or payment.outcome not in ("due", *UNDECIDED):  # meanwhile
            return payment.outcome
        if payment.outcome == "due":
            payment.outcome = "open"
        now = self._db.clock()
        payment.next_at = now + min(LONGEST_WAIT, FIRST_WAIT * 2 ** min(payment.asks, 16))
        if now - payment.at > NO_ANSWER_LIMIT:
            text = f"{money(payment.amount)} for a change of the order: no provider has answered for days"
            open_case(session, order, f"{payment.key}:no-answer", topic="billing", text=text, now=now)
        method = session.get_one(PaymentMethodRow, payment.method_id)
        return _Asked.of(payment, method, self._begin(payment))

    def _begin(self, payment: PaymentRow) -> bool:
        """Write down that somebody is about to be asked; True when somebody may have been before."""
        asked = payment.provider is not None
        payment.provider = payment.provider or self._providers[0].name
        payment.asks += 1
        return asked

    async def _ask(self, asked: _Asked) -> Taken:
        """Look the attempt up if it was made before, else make it; book the answer."""
        try:
            if not asked.before:
                charge = await self._first_who_can(asked)
            else:  # it may still be on its way there: only the same provider tells them apart
                provider = named(self._providers, asked.provider)
                charge = await provider.find(asked.attempt) or await provider.capture(asked.attempt)
        except PaymentUnknownError:
            await self._unknown(asked.attempt.key)
            raise
        except PaymentFaultError as error:
            await self._rejected(asked.attempt.key, error)
            raise
        except PaymentRejectedError:
            never = Charge(asked.attempt.key, "declined", "", asked.attempt.amount, "rejected")
            return await self._record(asked.attempt.key, asked.order_id, never, "PAYMENT-REJECTED")
        return await self._record(asked.attempt.key, asked.order_id, charge)

    async def _first_who_can(self, asked: _Asked) -> Charge:
        """Ask the first provider; the next one only when nothing reached the one before."""
        for provider, following in zip(self._providers, [*self._providers[1:], None], strict=True):
            try:
                return await provider.capture(asked.attempt)
            except (PaymentNotSentError, CircuitOpenError) as error:
                turned = await self._turn_to(asked.attempt.key, asked.asks, following.name if following else None)
                if not turned or following is None:
                    raise
                emit("payment.fallback", provider=following.name, error=type(error).__name__)
        raise AssertionError("there is a provider")

    @writes
    def _turn_to(self, session: Session, key: str, asks: int, provider: str | None) -> bool:
        """Write down who is asked next; None: nobody knows of the attempt.

        False, and nothing written, when that is not sure any more: another worker began to ask meanwhile, or the order
        was undone.
        """
        row, order = _locked(session, key)
        sure = row.asks == asks and row.outcome in UNDECIDED and order.status != "cancelled"
        if sure:
            row.provider = provider
        return sure

    @writes
    def _record(
        self, session: Session, key: str, order_id: str, charge: Charge, rule: str = "PAYMENT-DECLINED"
    ) -> Taken:
        """Write down what a provider answered; `rule` is why, if it was declined."""
        order = locked(session, order_id)
        row, was = session.get_one(PaymentRow, key), order.stage
        given_up = row.outcome in ("declined", "void")
        if row.outcome != "captured" and not (given_up and charge.outcome == "declined"):
            now = self._db.clock()
            change(session, row, outcome=charge.outcome, provider_id=charge.provider_id or None)
            if given_up:  # money that was taken counts, whatever we took it for
                payment_outcomes.late(session, order, row, now=now)
            elif charge.outcome == "captured":
                payment_outcomes.captured(session, order, row, now=now)
            else:
                payment_outcomes.declined(session, order, row, rule, now=now)
            finish(session, order, by="provider", now=now)
        return _taken(session, order, row, was)

    @writes
    def _rejected(self, session: Session, key: str, error: Exception) -> None:
        payment, order = _locked(session, key)
        payment_outcomes.rejected(session, order, payment, type(error).__name__, now=self._db.clock())

    @writes
    def _unknown(self, session: Session, key: str) -> None:
        row, _ = _locked(session, key)
        if row.outcome in UNDECIDED:
            row.outcome = "unknown"

    @reads
    def _asked(self, session: Session, key: str) -> _Asked | None:
        payment = session.get(PaymentRow, key)
        method = session.get_one(PaymentMethodRow, payment.method_id) if payment else None
        return _Asked.of(payment, method, before=True) if payment and method else None


def named(providers: Sequence[PaymentProvider], name: str | None) -> PaymentProvider:
    """The provider of this name. Raises `PaymentNotSentError` for one that is not configured any more."""
    for provider in providers:
        if provider.name == name:
            return provider
    raise PaymentNotSentError(f"no provider {name!r} is configured")


def _taken(session: Session, order: OrderRow, payment: PaymentRow, was: str) -> Taken:
    """What came of a payment of an order that was in this stage before."""
    just_paid = was in NOT_PAID_YET and order.stage == "paid"
    parcels = plan_parcels(session, order, just_paid=just_paid) if order.stage in ("paid", "completed") else []
    never = order.stage == "declined" or payment.outcome == "void"
    return Taken("declined" if never else payment.outcome, parcels)


_LATEST: Final = (
    select(func.max(PaymentRow.attempt)).where(PaymentRow.order_id == bindparam("of_order")).scalar_subquery()
)
_METHOD_AND_LATEST: Final = (
    select(PaymentMethodRow, PaymentRow)
    .outerjoin(PaymentRow, (PaymentRow.order_id == bindparam("of_order")) & (PaymentRow.attempt == _LATEST))
    .where(PaymentMethodRow.id == bindparam("by"))
)


def latest(session: Session, order_id: str) -> PaymentRow | None:
    """The latest attempt at the order's own price."""
    query = select(PaymentRow).where(PaymentRow.order_id == order_id, PaymentRow.attempt.is_not(None))
    return session.scalar(query.order_by(PaymentRow.attempt.desc()).limit(1))


def price_outcome(order_id: str | SQLColumnExpression[str]) -> ScalarSelect[str]:
    """The outcome of the latest attempt at the order's own price, for a query; read it by `outcome_of`."""
    query = select(PaymentRow.outcome).where(PaymentRow.order_id == order_id, PaymentRow.attempt.is_not(None))
    return query.order_by(PaymentRow.attempt.desc()).limit(1).scalar_subquery()


def outcome_of(latest: str | None) -> str:
    """`none`, `deferred` (nothing was sent), `unknown`, `captured`, `declined` or `void`: how the order's own price
    stands, whatever its changes made due."""
    return {"open": "deferred", None: "none"}.get(latest, latest or "")


def _locked(session: Session, key: str) -> tuple[PaymentRow, OrderRow]:
    """The payment with its order, both as they are under the order's lock."""
    order_id = session.scalar(select(PaymentRow.order_id).where(PaymentRow.key == key))
    order = locked(session, order_id or "")
    return session.get_one(PaymentRow, key), order
