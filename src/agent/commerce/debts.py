"""Debts: what the shop still has to do for orders, done after the transaction that caused it, until it is (law 4).

What fails is tried again with backoff; past a limit people are asked, at the gate. A refund that its provider has taken
on is done when it says so, and owed again when it has failed.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from agent.commerce import debt_outcomes
from agent.commerce.debt_outcomes import AGAIN, ATTEMPTS, LONGEST_WAIT, OwedDebt
from agent.commerce.lifecycle import Cause
from agent.commerce.locks import OrderRef, id_of, seen
from agent.commerce.payments import Payments, named
from agent.ledger.database import Database
from agent.ledger.tables import DebtRow, OrderRow, PaymentMethodRow, PaymentRow
from agent.ledger.times import CLOCK_SKEW
from agent.ledger.traces import in_trace_of
from agent.ledger.transactions import reads, writes
from agent.providers.carrier import Carrier, CarrierError
from agent.providers.payment import PaymentError, PaymentProvider, PaymentRejectedError, RefundState
from agent.resilience import CircuitOpenError
from agent.shop import SHOP


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
        async with in_trace_of(self._db, order_id, "look up"):
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
            async with in_trace_of(self._db, owed.order_id, owed.kind):
                match owed.kind:
                    case "refund":
                        return await self._stands(owed, await self._refund(owed))
                    case "void":
                        await self._payments.void(owed.payment_key)
                        await self._done(key, "provider")
                    case _:
                        await self._stop(owed)
        except (PaymentError, CarrierError, CircuitOpenError) as error:
            await self._put_off(owed, error)
            return "owed"
        return "settled"

    @reads
    def _known(self, session: Session, key: str) -> tuple[str, str, bool] | None:
        """The debt's key, its order and whether it is settled, by the key of a refund that was made for it."""
        debt = session.get(DebtRow, key) or session.get(DebtRow, key.rpartition(AGAIN)[0])
        return (debt.key, debt.order_id, debt.settled) if debt else None

    @reads
    def _owed(self, session: Session, key: str) -> OwedDebt:
        debt = session.get_one(DebtRow, key)
        payment = session.get(PaymentRow, debt.payment_key) if debt.payment_key else None
        method = session.get(PaymentMethodRow, debt.method_id) if debt.method_id else None
        paid_by_it = payment is not None and method is not None and payment.method_id == method.id
        first = self._providers[0].name
        provider = (payment and payment.provider) or first
        return OwedDebt(
            key=key,
            order_id=debt.order_id,
            kind=debt.kind,
            amount=debt.amount,
            payment_key=debt.payment_key or "",
            parcel_id=debt.parcel_id or "",
            provider=provider,
            provider_id=payment.provider_id if payment and paid_by_it else None,
            token=method.tokens_by_provider(first).get(provider, "") if method else "",
            pending=debt.pending_since is not None,
            attempts=debt.attempts,
            failures=debt.failures,
        )

    async def _refund(self, owed: OwedDebt) -> RefundState:
        if owed.pending and (state := await self._find(owed)):
            return state
        provider = self._provider(owed)
        if owed.provider_id:
            return await provider.refund(owed.provider_key, owed.provider_id, owed.amount)
        if not owed.token:  # another method than paid
            raise PaymentRejectedError(f"the method has no token at {provider.name}")
        return await provider.credit(owed.provider_key, owed.amount, SHOP.currency, owed.token)

    async def _find(self, owed: OwedDebt) -> RefundState | None:
        return await self._provider(owed).find_refund(owed.provider_key, owed.provider_id or "")

    def _provider(self, owed: OwedDebt) -> PaymentProvider:
        return named(self._providers, owed.provider)

    async def _stands(self, owed: OwedDebt, state: RefundState) -> str:
        """Write down how a refund stands: settled, pending, or owed again."""
        match state:
            case "succeeded":
                await self._done(owed.key, "provider")
                return "settled"
            case "pending":
                await self._pending(owed)
                return "pending"
            case "failed":
                await self._put_off(owed, RefundFailedError(), refund_failed=True)
                return "owed"

    async def _stop(self, owed: OwedDebt) -> None:
        """Stop a parcel, or learn that it was too late; the order's undoing goes on with what is known then."""
        shipment = await self._carrier.stop(owed.parcel_id)
        await self._done(owed.key, "carrier", left_as="" if shipment.state == "stopped" else shipment.tracking_id)

    @writes
    def _done(self, session: Session, key: str, by: Cause, left_as: str = "") -> None:
        debt_outcomes.close_debt(session, key, by, left_as=left_as, now=self._db.clock())

    @writes
    def _pending(self, session: Session, owed: OwedDebt) -> None:
        debt_outcomes.pending(session, owed, now=self._db.clock())

    @writes
    def _came_back(self, session: Session, key: str) -> None:
        debt_outcomes.came_back(session, key, now=self._db.clock())

    @writes
    def _put_off(self, session: Session, owed: OwedDebt, error: Exception, *, refund_failed: bool = False) -> None:
        debt_outcomes.put_off(session, owed, error, self._first_wait, refund_failed=refund_failed, now=self._db.clock())
