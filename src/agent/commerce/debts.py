"""Debts: what the shop still has to do for orders, done after the transaction that caused it, until it is (law 4).

What fails is tried again with backoff; past a limit people are asked, at the gate. A refund that its provider has taken
on is done when it says so, and owed again when it has failed.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from agent.commerce.booking import UNDECIDED, book
from agent.commerce.compensation import finish
from agent.commerce.locks import OrderRef, id_of, locked, open_case, seen
from agent.commerce.parcels import let_go, locked_parcel, release
from agent.commerce.payments import Payments, named
from agent.commerce.policy import money
from agent.ledger.database import Database, digest, emit_once_committed
from agent.ledger.tables import DebtRow, MoneyEntryRow, OrderRow, PaymentMethodRow, PaymentRow
from agent.ledger.times import CLOCK_SKEW
from agent.ledger.transactions import reads, writes
from agent.notifications.notify import notify
from agent.providers.carrier import Carrier, CarrierError
from agent.providers.payment import PaymentError, PaymentProvider, RefundState
from agent.resilience import CircuitOpenError

ATTEMPTS: Final = 8
"""Attempts before people are asked what to do, and again after each time that they say: try again."""

LONGEST_WAIT: Final = timedelta(hours=1)
"""Between two attempts, or two looks at a refund that is pending."""

PENDING_LIMIT: Final = timedelta(days=14)
"""After so long a person looks into a refund that is still pending."""

_AGAIN: Final = "~"
"""In the key of a refund that is made anew: a provider keeps one that failed as failed, under its key."""


class RefundFailedError(PaymentError):
    """A provider took a refund on, and it never arrived."""


@dataclass(frozen=True)
class Debt:
    """A debt as people are shown it. `amount` in minor units, 0 for a payment to void or a parcel to stop."""

    key: str
    kind: str
    order_id: str
    customer_id: str
    amount: int
    attempts: int
    asked: int


@dataclass(frozen=True)
class _Owed:
    """A debt as providers and carrier are asked to settle it. `provider_id` only when it goes back to what paid it."""

    key: str
    kind: str
    amount: int
    payment_key: str
    parcel_id: str
    provider: str | None
    provider_id: str | None
    token: str
    pending: bool
    failures: int

    @property
    def provider_key(self) -> str:
        """The key of the refund that is made for it now."""
        return refund_keys(self.key, self.failures)[-1]


class Debts:
    """The settling of debts, at providers and carrier.

    Args:
        database: the ledger.
        payments: knows what became of attempts.
        providers: those that may have captured; the first one also pays out what was paid by another method.
        carrier: takes parcels away.
        first_wait: between the first attempt and the second; doubled each time.
    """

    def __init__(
        self,
        database: Database,
        payments: Payments,
        providers: Sequence[PaymentProvider],
        carrier: Carrier,
        first_wait: timedelta,
    ) -> None:
        self._db = database
        self._payments = payments
        self._providers = providers
        self._carrier = carrier
        self._first_wait = first_wait

    async def settle(self, order: OrderRef | None = None) -> dict[str, str]:
        """Do what is due by now, of one order or of all; returns {debt key: settled | pending | owed}.

        What fails stays owed; what is pending was taken on by its provider, and is neither booked nor told as done.
        """
        done = {key: await self._settle(key) for key in await self._due(order)}
        if order and "settled" in done.values():  # what was found out may have made new ones due
            done |= await self.settle(id_of(order))
        return done

    async def look_up(self, key: str) -> str | None:
        """Something happened to this refund, says its provider: find out what. Returns the order's id.

        None for a refund that nobody here knows. Raises what the provider raises while it can't tell.
        """
        known = await self._known(key)
        if known is None:
            return None
        debt_key, order_id, settled = known
        owed = await self._owed(debt_key)
        state = await self._find(owed) if owed.kind == "refund" else None
        if state == "failed" and settled:
            await self._came_back(debt_key)
        elif state and not settled:
            await self._stands(owed, state)
        return order_id

    @reads
    def past_limit(self, session: Session, order_id: str | None = None) -> list[Debt]:
        """Debts that were tried too often: people must say what becomes of them."""
        query = (
            select(DebtRow, OrderRow.customer_id)
            .join(OrderRow, OrderRow.id == DebtRow.order_id)
            .where(DebtRow.settled.is_(False), DebtRow.attempts >= ATTEMPTS * (DebtRow.asked + 1))
            .order_by(DebtRow.at, DebtRow.key)
            .limit(500)
        )
        rows = session.execute(query.where(DebtRow.order_id == order_id) if order_id else query)
        return [
            Debt(debt.key, debt.kind, debt.order_id, customer, debt.amount, debt.attempts, debt.asked)
            for debt, customer in rows
        ]

    @writes
    def decided(self, session: Session, key: str, *, by_hand: bool) -> None:
        """People have said what becomes of a debt past its limit (see `people_decided`)."""
        people_decided(session, key, by_hand=by_hand, now=self._db.clock())

    @reads
    def _due(self, session: Session, order: OrderRef | None) -> Sequence[str]:
        """What is to be tried now; also what the clock has put off by going back."""
        order_id, now = seen(session, order).id if order else None, self._db.clock()
        query = select(DebtRow.key).where(
            DebtRow.settled.is_(False),
            or_(DebtRow.next_at <= now, DebtRow.at > now + CLOCK_SKEW, DebtRow.next_at > now + 2 * LONGEST_WAIT),
            DebtRow.attempts < ATTEMPTS * (DebtRow.asked + 1),
        )
        query = query.order_by(DebtRow.next_at, DebtRow.at).limit(500)
        return session.scalars(query.where(DebtRow.order_id == order_id) if order_id else query).all()

    async def _settle(self, key: str) -> str:
        owed = await self._owed(key)
        try:
            match owed.kind:
                case "refund":
                    return await self._stands(owed, await self._refund(owed))
                case "void":
                    await self._payments.void(owed.payment_key)
                    await self._done(key)
                case _:
                    await self._stop(owed)
        except (PaymentError, CarrierError, CircuitOpenError) as error:
            await self._failed(key, error)
            return "owed"
        return "settled"

    @reads
    def _known(self, session: Session, key: str) -> tuple[str, str, bool] | None:
        """The debt's key, its order and whether it is settled, by the key of a refund that was made for it."""
        debt = session.get(DebtRow, key) or session.get(DebtRow, key.rpartition(_AGAIN)[0])
        return (debt.key, debt.order_id, debt.settled) if debt else None

    @reads
    def _owed(self, session: Session, key: str) -> _Owed:
        debt = session.get_one(DebtRow, key)
        payment = session.get(PaymentRow, debt.payment_key) if debt.payment_key else None
        method = session.get(PaymentMethodRow, debt.method_id) if debt.method_id else None
        paid_by_it = payment is not None and method is not None and payment.method_id == method.id
        return _Owed(
            key=key,
            kind=debt.kind,
            amount=debt.amount,
            payment_key=debt.payment_key or "",
            parcel_id=debt.parcel_id or "",
            provider=payment.provider if payment else None,
            provider_id=payment.provider_id if payment and paid_by_it else None,
            token=method.token if method else "",
            pending=debt.pending_since is not None,
            failures=debt.failures,
        )

    async def _refund(self, owed: _Owed) -> RefundState:
        if owed.pending and (state := await self._find(owed)):
            return state
        provider = self._provider(owed)
        if owed.provider_id:
            return await provider.refund(owed.provider_key, owed.provider_id, owed.amount)
        return await provider.credit(owed.provider_key, owed.amount, "USD", owed.token)  # another method than paid

    async def _find(self, owed: _Owed) -> RefundState | None:
        return await self._provider(owed).find_refund(owed.provider_key, owed.provider_id or "")

    def _provider(self, owed: _Owed) -> PaymentProvider:
        return named(self._providers, owed.provider or self._providers[0].name)

    async def _stands(self, owed: _Owed, state: RefundState) -> str:
        """Write down how a refund stands: settled, pending, or owed again."""
        match state:
            case "succeeded":
                await self._done(owed.key, "refund")
                return "settled"
            case "pending":
                await self._pending(owed)
                return "pending"
            case "failed":
                await self._failed(owed.key, RefundFailedError(), refunds=owed.failures)
                return "owed"

    async def _stop(self, owed: _Owed) -> None:
        """Stop a parcel, or learn that it was too late; the order's undoing goes on with what is known then."""
        shipment = await self._carrier.stop(owed.parcel_id)
        await self._done(owed.key, left_as="" if shipment.state == "stopped" else shipment.tracking_id)

    @writes
    def _done(self, session: Session, key: str, kind: str = "", left_as: str = "") -> None:
        close_debt(session, key, kind, left_as, self._db.clock())

    @writes
    def _pending(self, session: Session, owed: _Owed) -> None:
        """Look again later; the customer hears that it is on its way, and a person when it stays so."""
        debt, now = session.get_one(DebtRow, owed.key, with_for_update=True), self._db.clock()
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

    @writes
    def _came_back(self, session: Session, key: str) -> None:
        """A refund that was made has failed after all: its money is with the shop again, and owed as a new debt."""
        debt, now = session.get_one(DebtRow, key, with_for_update=True), self._db.clock()
        made = session.get(MoneyEntryRow, key)
        if debt.returned or made is None or made.kind != "refund":  # seen before, or not the provider's doing
            return
        debt.returned, order = True, locked(session, debt.order_id)
        book(session, order, debt.method_id or "", "refund_returned", debt.amount, key=f"{key}:returned", now=now)
        session.add(
            DebtRow(
                key=f"{key}{_AGAIN}{debt.failures + 1}",
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

    @writes
    def _failed(self, session: Session, key: str, error: Exception, refunds: int | None = None) -> None:
        """Try again later; an attempt that an open breaker kept back does not count.

        With `refunds` it is the refund after so many that has failed for good: the next one is made under a new key.
        """
        debt = session.get_one(DebtRow, key, with_for_update=True)
        if debt.settled or refunds not in (None, debt.failures):  # by another worker, meanwhile
            return
        if refunds is not None:
            debt.failures, debt.pending_since = refunds + 1, None
        wait = min(LONGEST_WAIT, self._first_wait * 2 ** min(debt.attempts, 16))
        debt.next_at = self._db.clock() + wait * (0.8 + 0.4 * int(digest(key)[:4], 16) / 0xFFFF)  # not all at once
        if not isinstance(error, CircuitOpenError):
            debt.attempts += 1
        emit_once_committed(
            session,
            "debt.failed",
            order_id=debt.order_id,
            kind=debt.kind,
            attempts=debt.attempts,
            error=type(error).__name__,
        )


def refund_keys(key: str, failures: int = 0) -> list[str]:
    """The keys under which a provider was asked for one refund, each after another had failed; of one of them, the
    debt's own is the first."""
    debt_key = key.partition(_AGAIN)[0]
    return [debt_key, *(f"{debt_key}{_AGAIN}{number}" for number in range(1, failures + 1))]


def people_decided(session: Session, key: str, *, by_hand: bool, now: datetime) -> None:
    """People have said what becomes of a debt past its limit: they did it elsewhere, or it shall be tried again."""
    debt = session.get_one(DebtRow, key, with_for_update=True)
    debt.asked, debt.next_at = debt.attempts // ATTEMPTS, now
    if by_hand:
        close_debt(session, key, "hand_refund", "", now)
        emit_once_committed(session, "debt.settled_by_hand", order_id=debt.order_id, kind=debt.kind, amount=debt.amount)


def close_debt(session: Session, key: str, kind: str, left_as: str, now: datetime) -> None:
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
                payment.outcome = "void"
        case _:
            parcel, _ = locked_parcel(session, row.parcel_id or "")
            if left_as:
                let_go(session, parcel, left_as)
            else:
                release(session, parcel, "stopped")
    session.flush()
    finish(session, order, by="carrier" if row.kind == "stop" else "provider", now=now)
