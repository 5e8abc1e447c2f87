"""Debts: what the shop still has to do for orders, done after the transaction that caused it, until it is (law 4).

What fails is tried again with backoff; past a limit people are asked, at the gate.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from agent.commerce.booking import UNDECIDED, book
from agent.commerce.parcels import let_go, locked_parcel, release
from agent.commerce.payments import Payments, named
from agent.commerce.rows import locked
from agent.commerce.undoing import finish
from agent.ledger.database import Database, digest
from agent.ledger.notices import notify
from agent.ledger.tables import DebtRow, OrderRow, PaymentMethodRow, PaymentRow
from agent.observability.events import emit
from agent.providers.carrier import Carrier, CarrierError
from agent.providers.payment import PaymentError, PaymentProvider
from agent.resilience import CircuitOpenError

ATTEMPTS: Final = 8
"""Attempts before people are asked what to do, and again after each time that they say: try again."""

LONGEST_WAIT: Final = timedelta(hours=1)
"""Between two attempts."""


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

    async def settle(self, order_id: str | None = None) -> dict[str, str]:
        """Do what is due by now, of one order or of all; returns {debt key: settled | owed}. What fails stays owed."""
        async with self._db.read() as session:
            query = select(DebtRow.key).where(
                DebtRow.settled.is_(False),
                DebtRow.next_at <= self._db.clock(),
                DebtRow.attempts < ATTEMPTS * (DebtRow.asked + 1),
            )
            query = query.order_by(DebtRow.next_at, DebtRow.at).limit(500)
            keys = (await session.scalars(query.where(DebtRow.order_id == order_id) if order_id else query)).all()
        done = {key: "settled" if await self._settle(key) else "owed" for key in keys}
        if order_id and "settled" in done.values():  # what was found out may have made new ones due
            done |= await self.settle(order_id)
        return done

    async def past_limit(self, order_id: str | None = None) -> list[Debt]:
        """Debts that were tried too often: people must say what becomes of them."""
        async with self._db.read() as session:
            query = (
                select(DebtRow, OrderRow.customer_id)
                .join(OrderRow, OrderRow.id == DebtRow.order_id)
                .where(DebtRow.settled.is_(False), DebtRow.attempts >= ATTEMPTS * (DebtRow.asked + 1))
                .order_by(DebtRow.at, DebtRow.key)
                .limit(500)
            )
            rows = await session.execute(query.where(DebtRow.order_id == order_id) if order_id else query)
            return [
                Debt(debt.key, debt.kind, debt.order_id, customer, debt.amount, debt.attempts, debt.asked)
                for debt, customer in rows
            ]

    async def decided(self, key: str, *, by_hand: bool) -> None:
        """People have said what becomes of a debt past its limit: they did it elsewhere, or it shall be tried again."""
        async with self._db.write() as session:
            debt = await session.get_one(DebtRow, key, with_for_update=True)
            debt.asked, debt.next_at = debt.attempts // ATTEMPTS, self._db.clock()
        if by_hand:
            await self._done(debt, "hand_refund")
            emit("debt.settled_by_hand", order_id=debt.order_id, kind=debt.kind, amount=debt.amount)

    async def _settle(self, key: str) -> bool:
        async with self._db.read() as session:
            debt = await session.get_one(DebtRow, key)
        try:
            match debt.kind:
                case "refund":
                    await self._refund(debt)
                    await self._done(debt, "refund")
                case "void":
                    await self._payments.void(debt.payment_key or "")
                    await self._done(debt)
                case _:
                    await self._stop(debt)
        except (PaymentError, CarrierError, CircuitOpenError) as error:
            await self._failed(key, error)
            return False
        return True

    async def _refund(self, debt: DebtRow) -> None:
        async with self._db.read() as session:
            payment = await session.get_one(PaymentRow, debt.payment_key)
            method = await session.get_one(PaymentMethodRow, debt.method_id)
        provider = named(self._providers, payment.provider or self._providers[0].name)
        if payment.provider_id and payment.method_id == method.id:
            await provider.refund(debt.key, payment.provider_id, debt.amount)
        else:  # the customer named another method than the one that paid
            await provider.credit(debt.key, debt.amount, "USD", method.token)

    async def _stop(self, debt: DebtRow) -> None:
        """Stop a parcel, or learn that it was too late; the order's undoing goes on with what is known then."""
        shipment = await self._carrier.stop(debt.parcel_id or "")
        await self._done(debt, left_as="" if shipment.state == "stopped" else shipment.tracking_id)

    async def _done(self, debt: DebtRow, kind: str = "", left_as: str = "") -> None:
        """Close a debt once, with what follows: a refund's money entry is of this `kind`; a parcel that could not be
        stopped left under this tracking id."""
        async with self._db.write() as session:
            row = await session.get_one(DebtRow, debt.key, with_for_update=True)
            if row.settled:  # by another worker, meanwhile
                return
            row.settled = True
            order, now = await locked(session, row.order_id), self._db.clock()
            match row.kind:
                case "refund":
                    book(session, order, row.method_id or "", kind, -row.amount, key=row.key, now=now)
                    await notify(session, "refund.settled", row.key, order=order, now=now, amount=row.amount)
                    emit("refund.settled", order_id=order.id, amount=row.amount)
                case "void":
                    payment = await session.get_one(PaymentRow, row.payment_key)
                    if payment.outcome in UNDECIDED:
                        payment.outcome = "void"
                case _:
                    await self._stopped(session, row, left_as)
            await finish(session, order, by="carrier" if row.kind == "stop" else "provider", now=now)

    async def _stopped(self, session: AsyncSession, debt: DebtRow, left_as: str) -> None:
        parcel, _ = await locked_parcel(session, debt.parcel_id or "")
        if left_as:
            await let_go(session, parcel, left_as)
        else:
            await release(session, parcel, "stopped")

    async def _failed(self, key: str, error: Exception) -> None:
        """Try again later; an attempt that an open breaker kept back does not count."""
        async with self._db.write() as session:
            debt = await session.get_one(DebtRow, key, with_for_update=True)
            wait = min(LONGEST_WAIT, self._first_wait * 2 ** min(debt.attempts, 16))
            debt.next_at = self._db.clock() + wait * (0.8 + 0.4 * int(digest(key)[:4], 16) / 0xFFFF)  # not all at once
            if not isinstance(error, CircuitOpenError):
                debt.attempts += 1
        emit("debt.failed", order_id=debt.order_id, kind=debt.kind, attempts=debt.attempts, error=type(error).__name__)
