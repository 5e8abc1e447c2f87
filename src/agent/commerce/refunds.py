"""Refunds: RefundPayment, and the paying of what is owed: after the transaction that caused it, until it is (law 4)."""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from agent.commerce.booking import book, owe, payments_of, refundable
from agent.commerce.commands import RefundPayment
from agent.commerce.orders import own
from agent.commerce.policy import denied, refund_denied
from agent.ledger.database import Database
from agent.ledger.tables import DebtRow, OrderRow, PaymentMethodRow, PaymentRow
from agent.observability.events import emit
from agent.providers.payment import PaymentError, PaymentProvider
from agent.resilience import CircuitBreaker, CircuitOpenError


async def refund(session: AsyncSession, command: RefundPayment, now: datetime) -> OrderRow:
    """RefundPayment: back to where the money came from. Raises `Denied` ORDER-EXISTS, REFUND-AMOUNT."""
    order, rest = await own(session, command.order_id, command.subject), command.amount
    payments = await payments_of(session, order.id, "captured")
    free = [await refundable(session, payment) for payment in payments]
    if rule := refund_denied(command.amount, sum(free)):
        raise denied(rule)
    for payment, available in zip(payments, free, strict=True):
        if part := min(rest, available):
            method = await session.get_one(PaymentMethodRow, payment.method_id)
            await owe(session, order, payment, method, part, key=f"{command.key}:{payment.key}", now=now)
            rest -= part
    return order


class Refunds:
    """The paying of what is owed."""

    def __init__(self, database: Database, provider: PaymentProvider, breaker: CircuitBreaker) -> None:
        self._db = database
        self._provider = provider
        self._breaker = breaker

    async def refundable(self, order_id: str) -> int:
        """What can still be refunded of an order, in minor units."""
        async with self._db.read() as session:
            payments = await payments_of(session, order_id, "captured")
            return sum([await refundable(session, payment) for payment in payments])

    async def settle(self, order_id: str | None = None) -> dict[str, str]:
        """Pay what is owed, of one order or of all; returns {debt key: settled | owed}. What fails stays owed."""
        async with self._db.read() as session:
            query = select(DebtRow.key).where(DebtRow.settled.is_(False)).order_by(DebtRow.at).limit(500)
            keys = (await session.scalars(query.where(DebtRow.order_id == order_id) if order_id else query)).all()
        return {key: "settled" if await self._settle(key) else "owed" for key in keys}

    async def _settle(self, key: str) -> bool:
        async with self._db.read() as session:
            debt = await session.get_one(DebtRow, key)
            payment = await session.get_one(PaymentRow, debt.payment_key)
            method = await session.get_one(PaymentMethodRow, debt.method_id)
        try:
            if payment.provider_id and payment.method_id == method.id:
                await self._breaker.call(self._provider.refund, key, payment.provider_id, debt.amount)
            else:  # the customer named another method than the one that paid
                await self._breaker.call(self._provider.credit, key, debt.amount, "USD", method.token)
        except (PaymentError, CircuitOpenError) as error:
            await self._failed(key, error)
            return False
        async with self._db.write() as session:
            debt = await session.get_one(DebtRow, key, with_for_update=True)
            if debt.settled:  # by another worker, meanwhile
                return True
            debt.settled = True
            order = await session.get_one(OrderRow, debt.order_id)
            book(session, order, method.id, "refund", -debt.amount, key=key, now=self._db.clock())
        emit("refund.settled", order_id=debt.order_id, amount=debt.amount)
        return True

    async def _failed(self, key: str, error: Exception) -> None:
        async with self._db.write() as session:
            debt = await session.get_one(DebtRow, key, with_for_update=True)
            debt.attempts += 1
        emit("refund.failed", order_id=debt.order_id, attempts=debt.attempts, error=type(error).__name__)
