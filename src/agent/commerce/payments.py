"""Taking money exactly once: who is asked, in which order, and what is done with a missing answer.

An order's price is captured by its process; what a change made due is captured by `collect`.
"""

from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Final, cast

from sqlalchemy import select
from sqlalchemy.orm import Session

from agent.commerce import payment_attempts, payment_outcomes
from agent.commerce.booking import GIFT_CARD
from agent.commerce.lifecycle import UNDECIDED, Stage
from agent.commerce.locks import OrderRef, locked, move
from agent.commerce.payment_attempts import CaptureResult, PaymentAttempt
from agent.commerce.policy import PAYMENT_ATTEMPTS
from agent.commerce.price_payments import latest, outcome_of, price_outcome
from agent.ledger.database import Database
from agent.ledger.statements import change
from agent.ledger.tables import PaymentMethodRow, PaymentRow
from agent.ledger.traces import in_trace_of
from agent.ledger.transactions import reads, writes
from agent.notifications.notify import notify
from agent.observability.events import emit
from agent.providers.payment import (
    Charge,
    NoCharge,
    PaymentError,
    PaymentFaultError,
    PaymentNotSentError,
    PaymentProvider,
    PaymentRejectedError,
    PaymentUnknownError,
)
from agent.resilience import CircuitOpenError

ATTEMPTS: Final = PAYMENT_ATTEMPTS

BATCH_SIZE: Final = 500
"""How many of the payments that are due are asked for in one round."""


class Payments:
    """Captures of orders, through the payment port.

    Args:
        database: the ledger.
        providers: the first that takes a method is asked; another only when nobody before it can have charged.
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
        self._names = [provider.name for provider in providers]
        self._wait = wait
        self._refusal = refusal

    async def capture(self, order: OrderRef) -> CaptureResult:
        """Take the order's money, or find out that it was taken; a captured order has its parcels planned.

        An attempt that was made before is looked up first (law 3). Raises `PaymentNotSentError` or `CircuitOpenError`
        (no effect: defer), `PaymentUnknownError` (look it up later), `PolicyDenied` ORDER-STAGE.
        """
        refusal = self._refusal()
        attempt = await self._attempt_price(order, [] if refusal else self._names)
        if isinstance(attempt, CaptureResult):
            return attempt
        if refusal:
            raise refusal
        return await self._send(attempt)

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
        attempt = await self._find(key)
        if attempt and attempt.outcome in UNDECIDED and attempt.provider:
            async with in_trace_of(self._db, attempt.order_id, "void"):
                charge = await named(self._providers, attempt.provider).void(attempt)
            if charge:
                await self._record(attempt, charge)

    async def look_up(self, key: str) -> str | None:
        """Something happened to this payment, says its provider: find out what. Returns the order's id.

        None for a payment that nobody here knows. Raises what the provider raises while it can't tell.
        """
        attempt = await self._find(key)
        if attempt is None:
            return None
        if attempt.outcome != "captured" and attempt.provider:  # what was void, or declined, may have come after all
            async with in_trace_of(self._db, attempt.order_id, "look up"):
                charge = await named(self._providers, attempt.provider).find(attempt)
            if isinstance(charge, Charge):
                await self._record(attempt, charge)
        return attempt.order_id

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

    async def _collect(self, key: str) -> str:
        attempt = await self._attempt_due(key)
        if isinstance(attempt, str):
            return attempt
        try:
            return (await self._send(attempt)).outcome
        except (PaymentError, CircuitOpenError) as error:
            return type(error).__name__

    async def _send(self, attempt: PaymentAttempt) -> CaptureResult:
        """Look the attempt up if it may have been sent before, else send it; book the answer."""
        try:
            async with in_trace_of(self._db, attempt.order_id, "pay"):
                charge = await (self._found_or_again(attempt) if attempt.sent_before else self._first_who_can(attempt))
        except PaymentUnknownError:
            await self._no_answer(attempt)
            raise
        except PaymentFaultError as error:
            await self._fault(attempt, error)
            raise
        except PaymentRejectedError:
            never = Charge(attempt.key, "declined", "", attempt.amount, "rejected")
            return await self._record(attempt, never, "PAYMENT-REJECTED")
        return await self._record(attempt, charge)

    async def _found_or_again(self, attempt: PaymentAttempt) -> Charge:
        """What became of it; one that never came is sent again, and to the same provider: it may still be on its way
        there, and only who is sent both tells them apart."""
        provider = named(self._providers, attempt.provider)
        match await provider.find(attempt):
            case Charge() as charge:
                return charge
            case NoCharge.NEVER_CAME:
                return await provider.capture(attempt)
            case NoCharge.UNDECIDED:
                raise PaymentUnknownError(f"{provider.name} has not decided yet")

    async def _first_who_can(self, attempt: PaymentAttempt) -> Charge:
        """Send it to the first provider that takes its method; to the next one only when nothing reached the one
        before."""
        taking = [provider for provider in self._providers if provider.name in attempt.tokens]
        for provider, following in zip(taking, [*taking[1:], None], strict=False):
            try:
                return await provider.capture(attempt.at(provider.name))
            except (PaymentNotSentError, CircuitOpenError) as error:
                noted = await self._send_to_another(attempt, following.name if following else None)
                if not noted or following is None:
                    raise
                emit("payment.fallback", provider=following.name, error=type(error).__name__)
        raise PaymentRejectedError("no provider that is configured takes this method")

    @reads
    def _due(self, session: Session, order_id: str | None) -> Sequence[str]:
        return payment_attempts.attempts_due(session, order_id, BATCH_SIZE, now=self._db.clock())

    @reads
    def _find(self, session: Session, key: str) -> PaymentAttempt | None:
        return payment_attempts.find_attempt(session, key)

    @writes
    def _attempt_price(
        self, session: Session, order: OrderRef, providers: Sequence[str]
    ) -> CaptureResult | PaymentAttempt:
        return payment_attempts.attempt_price(session, order, providers, now=self._db.clock())

    @writes
    def _attempt_due(self, session: Session, key: str) -> str | PaymentAttempt:
        return payment_attempts.attempt_due(session, key, self._names, now=self._db.clock())

    @writes
    def _send_to_another(self, session: Session, attempt: PaymentAttempt, provider: str | None) -> bool:
        return payment_attempts.send_to_another(session, attempt, provider)

    @writes
    def _record(
        self, session: Session, attempt: PaymentAttempt, charge: Charge, rule: str = "PAYMENT-DECLINED"
    ) -> CaptureResult:
        return payment_attempts.record_answer(session, attempt, charge, rule, now=self._db.clock())

    @writes
    def _no_answer(self, session: Session, attempt: PaymentAttempt) -> None:
        payment_attempts.record_no_answer(session, attempt.key)

    @writes
    def _fault(self, session: Session, attempt: PaymentAttempt, error: Exception) -> None:
        payment, order = payment_attempts.locked_payment(session, attempt.key)
        payment_outcomes.rejected(session, order, payment, type(error).__name__, now=self._db.clock())


def named(providers: Sequence[PaymentProvider], name: str | None) -> PaymentProvider:
    """The provider of this name. Raises `PaymentNotSentError` for one that is not configured any more."""
    for provider in providers:
        if provider.name == name:
            return provider
    raise PaymentNotSentError(f"no provider {name!r} is configured")
