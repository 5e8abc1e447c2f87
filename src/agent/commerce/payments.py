"""Taking money exactly once: an attempt is written before the provider is asked, closed by its answer.

An order's price is captured by its process; what a change made due is captured by `collect`.
"""

from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Final

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from agent.commerce import answers
from agent.commerce.booking import GIFT_CARD, UNDECIDED
from agent.commerce.lifecycle import CHARGEABLE, NOT_PAID_YET, Stage, move
from agent.commerce.policy import denied
from agent.commerce.rows import locked
from agent.commerce.undoing import finish
from agent.ledger.database import Database
from agent.ledger.notices import notify
from agent.ledger.tables import OrderRow, PaymentMethodRow, PaymentRow
from agent.observability.events import emit
from agent.providers.payment import (
    Attempt,
    Charge,
    PaymentError,
    PaymentNotSentError,
    PaymentProvider,
    PaymentRejectedError,
    PaymentUnknownError,
)
from agent.resilience import CircuitOpenError

ATTEMPTS: Final = 3
"""Payment methods that a customer may try for one order before it is undone."""

NOT_COLLECTED: Final[frozenset[Stage]] = NOT_PAID_YET | {"cancelling", "cancelled"}
"""Stages of orders of which nothing is captured by `collect`."""


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

    async def capture(self, order_id: str) -> str:
        """Take the order's money, or find out that it was taken; returns `captured` or `declined`.

        An attempt that was made before is looked up first (law 3). Raises `PaymentNotSentError` or `CircuitOpenError`
        (no effect: defer), `PaymentUnknownError` (look it up later), `Denied` ORDER-STAGE.
        """
        refusal = self._refusal()
        payment, method, asked = await self._attempt(order_id, begin=refusal is None)
        if payment.outcome not in UNDECIDED:
            return payment.outcome
        if refusal:
            raise refusal
        return await self._ask(payment, method, asked)

    async def collect(self, order_id: str | None = None) -> dict[str, str]:
        """Capture what changes of orders made due, of one order or of all; returns {payment key: outcome}.

        What the provider can't answer stays as it is, and is looked up before it is asked for again.
        """
        waiting = (PaymentRow.outcome.in_(("due", *UNDECIDED)), OrderRow.stage.not_in(NOT_COLLECTED))
        query = select(PaymentRow.key).join(OrderRow, OrderRow.id == PaymentRow.order_id).where(*waiting)
        async with self._db.read() as session:
            keys = (await session.scalars(query.where(OrderRow.id == order_id) if order_id else query.limit(500))).all()
        return {key: await self._collect(key) for key in keys}

    async def void(self, key: str) -> None:
        """Make sure that a payment of an order that is being undone never comes; one that had come is booked, and owed
        back.

        Raises what the provider raises while it can't tell.
        """
        payment, method = await self._read(key)
        if payment.outcome in UNDECIDED and payment.provider:
            charge = await named(self._providers, payment.provider).void(_asked(payment, method))
            if charge:
                await self._record(key, charge)

    async def look_up(self, key: str) -> str | None:
        """Something happened to this payment, says its provider: find out what. Returns the order's id.

        None for a payment that nobody here knows. Raises what the provider raises while it can't tell.
        """
        async with self._db.read() as session:
            known = await session.get(PaymentRow, key)
        if known is None:
            return None
        payment, method = await self._read(key)
        if payment.outcome in UNDECIDED:
            charge = await named(self._providers, payment.provider).find(_asked(payment, method))
            if charge:
                await self._record(key, charge)
        return payment.order_id

    async def outcome(self, order_id: str) -> str:
        """`none`, `deferred` (nothing was sent), `unknown`, `captured`, `declined` or `void`: how the order's own price
        stands, whatever its changes made due."""
        async with self._db.read() as session:
            payment = await _latest(session, order_id)
        outcome = payment.outcome if payment else "none"
        return "deferred" if outcome == "open" else outcome

    async def why_declined(self, order_id: str) -> str:
        """The rule behind a declined payment of an order's price."""
        async with self._db.read() as session:
            payment = await _latest(session, order_id)
            method = await session.get_one(PaymentMethodRow, payment.method_id) if payment else None
        return "PAYMENT-GIFT-COVERS" if method and method.kind == GIFT_CARD else "PAYMENT-DECLINED"

    async def waits_for_another(self, order_id: str) -> bool:
        """Whether the customer of a declined order may still name another method: not too often, not too late."""
        async with self._db.read() as session:
            payment = await _latest(session, order_id)
        if payment is None or payment.attempt is None:
            return False
        return payment.attempt < ATTEMPTS and self._db.clock() - payment.at < self._wait

    async def park(self, order_id: str) -> str:
        """Leave an order for the reconciler, and say how its payment stands (see `outcome`).

        One whose money could not be taken yet is marked `parked`; any other stage stays as it is.
        """
        async with self._db.write() as session:
            order, now = await locked(session, order_id), self._db.clock()
            if order.stage == "approved":
                move(order, "parked", "process")
                await notify(session, "payment.deferred", order_id, order=order, now=now)
            order.touched_at = now
        return await self.outcome(order_id)

    async def _attempt(self, order_id: str, *, begin: bool) -> tuple[PaymentRow, PaymentMethodRow, bool]:
        """The order's attempt, written before anything is sent; True when a provider may know of it already.

        With `begin` somebody is about to be asked.
        """
        async with self._db.write() as session:
            order = await locked(session, order_id)
            method = await session.get_one(PaymentMethodRow, order.payment_method_id)
            payment, now = await _latest(session, order_id), self._db.clock()
            if payment and (payment.outcome == "captured" or order.stage == "declined"):
                return payment, method, True
            if order.stage not in CHARGEABLE:
                raise denied("ORDER-STAGE", order.stage)
            order.touched_at = now
            if payment is None or payment.outcome not in UNDECIDED:
                number = (payment.attempt or 0) + 1 if payment else 1
                payment = PaymentRow(
                    key=f"{order_id}:pay:{number}",
                    order_id=order_id,
                    attempt=number,
                    method_id=method.id,
                    amount=order.total,
                    outcome="open",
                    asks=0,
                    at=now,
                )
                session.add(payment)
            if method.kind == GIFT_CARD:
                await answers.by_gift_card(session, order, payment, now=now)
                return payment, method, False
            return payment, method, begin and self._begin(payment)

    async def _collect(self, key: str) -> str:
        async with self._db.write() as session:
            payment, order = await _locked(session, key)
            if order.stage in NOT_COLLECTED or payment.outcome not in ("due", *UNDECIDED):  # meanwhile
                return payment.outcome
            if payment.outcome == "due":
                payment.outcome = "open"
            method = await session.get_one(PaymentMethodRow, payment.method_id)
            asked = self._begin(payment)
        try:
            return await self._ask(payment, method, asked)
        except (PaymentError, CircuitOpenError) as error:
            return type(error).__name__

    def _begin(self, payment: PaymentRow) -> bool:
        """Write down that somebody is about to be asked; True when somebody may have been before."""
        asked = payment.provider is not None
        payment.provider = payment.provider or self._providers[0].name
        payment.asks += 1
        return asked

    async def _ask(self, payment: PaymentRow, method: PaymentMethodRow, asked: bool) -> str:
        """Look the attempt up if it was made before, else make it; book the answer."""
        attempt = _asked(payment, method)
        try:
            if not asked:
                charge = await self._first_who_can(payment, attempt)
            else:  # it may still be on its way there: only the same provider tells them apart
                provider = named(self._providers, payment.provider)
                charge = await provider.find(attempt) or await provider.capture(attempt)
        except PaymentUnknownError:
            await self._unknown(payment.key)
            raise
        except PaymentRejectedError as rejected:
            await self._rejected(payment.key, rejected)
            raise
        return await self._record(payment.key, charge)

    async def _first_who_can(self, payment: PaymentRow, attempt: Attempt) -> Charge:
        """Ask the first provider; the next one only when nothing reached the one before."""
        for provider, following in zip(self._providers, [*self._providers[1:], None], strict=True):
            try:
                return await provider.capture(attempt)
            except (PaymentNotSentError, CircuitOpenError) as not_sent:
                if not await self._turn_to(payment, following) or following is None:
                    raise
                emit("payment.fallback", provider=following.name, error=type(not_sent).__name__)
        raise AssertionError("there is a provider")

    async def _turn_to(self, payment: PaymentRow, provider: PaymentProvider | None) -> bool:
        """Write down who is asked next; None: nobody knows of the attempt.

        False, and nothing written, when that is not sure any more: another worker began to ask meanwhile, or the order
        was undone.
        """
        async with self._db.write() as session:
            row, order = await _locked(session, payment.key)
            sure = row.asks == payment.asks and row.outcome in UNDECIDED and order.status != "cancelled"
            if sure:
                row.provider = provider.name if provider else None
        return sure

    async def _record(self, key: str, charge: Charge) -> str:
        async with self._db.write() as session:
            row, order = await _locked(session, key)
            if row.outcome in ("captured", charge.outcome):  # money that was taken counts, whatever we took it for
                return row.outcome
            row.outcome, row.provider_id, now = charge.outcome, charge.provider_id, self._db.clock()
            if charge.outcome == "captured":
                await answers.captured(session, order, row, now=now)
            else:
                await answers.declined(session, order, row, "PAYMENT-DECLINED", now=now)
            await finish(session, order, by="provider", now=now)
        return charge.outcome

    async def _rejected(self, key: str, error: Exception) -> None:
        async with self._db.write() as session:
            payment, order = await _locked(session, key)
            await answers.rejected(session, order, payment, type(error).__name__, now=self._db.clock())

    async def _unknown(self, key: str) -> None:
        async with self._db.write() as session:
            row, _ = await _locked(session, key)
            if row.outcome in UNDECIDED:
                row.outcome = "unknown"

    async def _read(self, key: str) -> tuple[PaymentRow, PaymentMethodRow]:
        async with self._db.read() as session:
            payment = await session.get_one(PaymentRow, key)
            return payment, await session.get_one(PaymentMethodRow, payment.method_id)


def named(providers: Sequence[PaymentProvider], name: str | None) -> PaymentProvider:
    """The provider of this name. Raises `PaymentNotSentError` for one that is not configured any more."""
    for provider in providers:
        if provider.name == name:
            return provider
    raise PaymentNotSentError(f"no provider {name!r} is configured")


async def _locked(session: AsyncSession, key: str) -> tuple[PaymentRow, OrderRow]:
    """The payment with its order, both as they are under the order's lock."""
    payment = await session.get_one(PaymentRow, key)
    order = await locked(session, payment.order_id)
    await session.refresh(payment)
    return payment, order


def _asked(payment: PaymentRow, method: PaymentMethodRow) -> Attempt:
    return Attempt(payment.key, payment.amount, "USD", method.token)


async def _latest(session: AsyncSession, order_id: str) -> PaymentRow | None:
    """The latest attempt at the order's own price."""
    query = select(PaymentRow).where(PaymentRow.order_id == order_id, PaymentRow.attempt.is_not(None))
    return await session.scalar(query.order_by(PaymentRow.attempt.desc()).limit(1))
