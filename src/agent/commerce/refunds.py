"""Refunds: owed in the same transaction as their cause, paid after it, retried until they are (law 4)."""

from datetime import datetime
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from agent.commerce.policy import denied, refund_denied
from agent.ledger.database import Database, Effect
from agent.ledger.tables import DebtRow, MoneyEntryRow, OrderRow, PaymentMethodRow, PaymentRow
from agent.observability.events import emit
from agent.providers.payment import PaymentError, PaymentProvider
from agent.resilience import CircuitBreaker, CircuitOpenError


async def refundable(session: AsyncSession, payment: PaymentRow) -> int:
    """What of a captured payment is neither refunded nor owed yet, in minor units."""
    owed = await session.scalar(select(func.sum(DebtRow.amount)).where(DebtRow.payment_key == payment.key))
    return payment.amount - (owed or 0)


async def owe_refunds(session: AsyncSession, order_id: str, now: datetime) -> None:
    """Owe the rest of each captured payment of an order to where it came from (CANCEL-REFUND)."""
    for payment in await _captured(session, order_id):
        if rest := await refundable(session, payment):
            _owe(session, f"{payment.key}:rest", payment, rest, now)


class Refunds:
    """RefundPayment, and the paying of what is owed."""

    def __init__(self, database: Database, provider: PaymentProvider, breaker: CircuitBreaker) -> None:
        self._db = database
        self._provider = provider
        self._breaker = breaker

    async def refund(self, order_id: str, amount: int, *, subject: str, actor: str, key: str) -> None:
        """RefundPayment: owe `amount` (minor units) of an own order to the customer.

        Raises `Denied` ORDER-EXISTS or REFUND-AMOUNT.
        """

        async def act(session: AsyncSession) -> dict[str, Any]:
            order = await session.get(OrderRow, order_id, with_for_update=True)
            if order is None or order.customer_id != subject:
                raise denied("ORDER-EXISTS")
            rest = amount
            payments = await _captured(session, order_id)
            free = [await refundable(session, payment) for payment in payments]
            if rule := refund_denied(amount, sum(free)):
                raise denied(rule)
            for payment, available in zip(payments, free, strict=True):
                if part := min(rest, available):
                    _owe(session, f"{key}:{payment.key}", payment, part, self._db.clock())
                    rest -= part
            return {"order_id": order_id, "amount": amount}

        await self._db.once(Effect(key, "RefundPayment", actor, subject, {"order_id": order_id, "amount": amount}), act)

    async def refundable(self, order_id: str) -> int:
        """What can still be refunded of an order, in minor units."""
        async with self._db.read() as session:
            return sum([await refundable(session, payment) for payment in await _captured(session, order_id)])

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
            method = await session.get_one(PaymentMethodRow, payment.method_id)
        if method.kind != "gift_card":
            try:
                await self._breaker.call(self._provider.refund, key, payment.provider_id or "", debt.amount)
            except (PaymentError, CircuitOpenError) as error:
                await self._failed(key, error)
                return False
        async with self._db.write() as session:
            debt = await session.get_one(DebtRow, key, with_for_update=True)
            if debt.settled:  # by another worker, meanwhile
                return True
            debt.settled = True
            session.add(
                MoneyEntryRow(
                    key=key,
                    order_id=debt.order_id,
                    customer_id=method.customer_id,
                    method_id=method.id,
                    kind="gift_credit" if method.kind == "gift_card" else "refund",
                    amount=-debt.amount,
                    at=self._db.clock(),
                )
            )
        emit("refund.settled", order_id=debt.order_id, amount=debt.amount)
        return True

    async def _failed(self, key: str, error: Exception) -> None:
        async with self._db.write() as session:
            debt = await session.get_one(DebtRow, key, with_for_update=True)
            debt.attempts += 1
        emit("refund.failed", order_id=debt.order_id, attempts=debt.attempts, error=type(error).__name__)


async def _captured(session: AsyncSession, order_id: str) -> list[PaymentRow]:
    query = select(PaymentRow).where(PaymentRow.order_id == order_id, PaymentRow.outcome == "captured")
    return list((await session.scalars(query.order_by(PaymentRow.at, PaymentRow.key))).all())


def _owe(session: AsyncSession, key: str, payment: PaymentRow, amount: int, now: datetime) -> None:
    session.add(DebtRow(key=key, order_id=payment.order_id, payment_key=payment.key, amount=amount, at=now))
    emit("refund.owed", order_id=payment.order_id, amount=amount)
