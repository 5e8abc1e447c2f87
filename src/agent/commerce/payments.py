"""Taking money exactly once: an attempt is written before the provider is asked, closed by its answer.

An order's price is captured by its process; what a change made due is captured by `collect`.
"""

from datetime import timedelta
from typing import Final

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from agent.commerce.booking import GIFT_CARD, UNDECIDED, book, gift_balance, owe_everything, payments_of
from agent.commerce.lifecycle import CHARGEABLE
from agent.commerce.orders import locked, move
from agent.commerce.policy import denied
from agent.ledger.database import Database, digest
from agent.ledger.tables import OrderRow, PaymentMethodRow, PaymentRow, TicketRow
from agent.observability.events import emit
from agent.providers.payment import Charge, PaymentError, PaymentProvider, PaymentUnknownError
from agent.resilience import CircuitBreaker, CircuitOpenError

LOOK_UP_AFTER: Final = timedelta(seconds=60)
"""An attempt that the provider does not know counts as never made only when it is this old: it may be on its way."""


class Payments:
    """Captures of orders, through the payment port and its breaker."""

    def __init__(self, database: Database, provider: PaymentProvider, breaker: CircuitBreaker) -> None:
        self._db = database
        self._provider = provider
        self._breaker = breaker

    async def capture(self, order_id: str) -> str:
        """Take the order's money, or find out that it was taken; returns `captured` or `declined`.

        An attempt that was made before is looked up first (law 3). Raises `PaymentNotSentError` or `CircuitOpenError`
        (no effect: defer), `PaymentUnknownError` (look it up later), `Denied` ORDER-STAGE.
        """
        payment, method, asked_before = await self._attempt(order_id)
        if payment.outcome not in UNDECIDED:
            return payment.outcome
        if method.kind == GIFT_CARD:
            return await self._by_gift_card(payment)
        return await self._ask(payment, method, asked_before)

    async def collect(self, order_id: str | None = None) -> dict[str, str]:
        """Capture what changes of orders made due, of one order or of all; returns {payment key: outcome}.

        What the provider can't answer stays as it is, and is looked up before it is asked for again.
        """
        waiting = (
            PaymentRow.outcome.in_(("due", *UNDECIDED)),
            OrderRow.stage.not_in((*CHARGEABLE, "cancelling", "cancelled")),
        )
        query = select(PaymentRow.key).join(OrderRow, OrderRow.id == PaymentRow.order_id).where(*waiting)
        async with self._db.read() as session:
            keys = (await session.scalars(query.where(OrderRow.id == order_id) if order_id else query.limit(500))).all()
        return {key: await self._collect(key) for key in keys}

    async def _collect(self, key: str) -> str:
        async with self._db.write() as session:
            payment = await session.get_one(PaymentRow, key, with_for_update=True)
            method = await session.get_one(PaymentMethodRow, payment.method_id)
            asked_before = payment.outcome != "due"
            if payment.outcome == "due":
                payment.outcome = "open"
        if payment.outcome not in UNDECIDED:  # meanwhile
            return payment.outcome
        try:
            return await self._ask(payment, method, asked_before)
        except (PaymentError, CircuitOpenError) as error:
            return type(error).__name__

    async def _ask(self, payment: PaymentRow, method: PaymentMethodRow, asked_before: bool) -> str:
        """Look the attempt up if it was made before, else make it; book the answer."""
        try:
            charge = await self._breaker.call(self._provider.find, payment.key) if asked_before else None
            if charge is None:
                charge = await self._breaker.call(
                    self._provider.capture, payment.key, payment.amount, "USD", method.token
                )
        except PaymentUnknownError:
            await self._close(payment.key, "unknown")
            raise
        return await self._record(payment, charge)

    async def find_out(self, order_id: str) -> None:
        """Learn what became of an attempt of an order that is being undone; what was captured is owed back.

        Raises what the provider raises while it can't tell.
        """
        async with self._db.read() as session:
            attempts = await payments_of(session, order_id, *UNDECIDED)
        for payment in attempts:
            charge = await self._breaker.call(self._provider.find, payment.key)
            if charge:
                await self._record(payment, charge)
            elif self._db.clock() - payment.at > LOOK_UP_AFTER:
                await self._close(payment.key, "declined")

    async def outcome(self, order_id: str) -> str:
        """`none`, `deferred` (nothing was sent), `unknown`, `captured` or `declined`: how the order's own price stands,
        whatever its changes made due."""
        async with self._db.read() as session:
            payment = await session.get(PaymentRow, _own(order_id))
        outcome = payment.outcome if payment else "none"
        return "deferred" if outcome == "open" else outcome

    async def why_declined(self, order_id: str) -> str:
        """The rule behind a declined payment of an order's price."""
        async with self._db.read() as session:
            order = await session.get_one(OrderRow, order_id)
            method = await session.get_one(PaymentMethodRow, order.payment_method_id)
        return "PAYMENT-GIFT-COVERS" if method.kind == GIFT_CARD else "PAYMENT-DECLINED"

    async def park(self, order_id: str) -> str:
        """Leave an order for the reconciler, and say how its payment stands (see `outcome`).

        One whose money could not be taken yet is marked `parked`; any other stage stays as it is.
        """
        async with self._db.write() as session:
            order = await locked(session, order_id)
            if order.stage == "approved":
                move(order, "parked")
            order.touched_at = self._db.clock()
        return await self.outcome(order_id)

    async def _attempt(self, order_id: str) -> tuple[PaymentRow, PaymentMethodRow, bool]:
        """The order's attempt, written before anything is sent; True when it was there already."""
        async with self._db.write() as session:
            order = await locked(session, order_id)
            method = await session.get_one(PaymentMethodRow, order.payment_method_id)
            payment = await session.get(PaymentRow, _own(order_id))
            if payment and payment.outcome not in UNDECIDED:
                return payment, method, True
            if order.stage not in CHARGEABLE:
                raise denied("ORDER-STAGE", order.stage)
            order.touched_at = now = self._db.clock()
            if payment:
                payment.at = now  # it may be sent again: `find_out` gives it LOOK_UP_AFTER from here
                return payment, method, True
            payment = PaymentRow(
                key=_own(order_id),
                order_id=order_id,
                method_id=method.id,
                amount=order.total,
                outcome="open",
                at=now,
            )
            session.add(payment)
            return payment, method, False

    async def _record(self, payment: PaymentRow, charge: Charge) -> str:
        async with self._db.write() as session:
            row = await session.get_one(PaymentRow, payment.key, with_for_update=True)
            if row.outcome in ("captured", charge.outcome):  # money that was taken counts, whatever we took it for
                return row.outcome
            row.outcome, row.provider_id = charge.outcome, charge.provider_id
            order = await locked(session, row.order_id)
            if charge.outcome == "captured":
                await self._captured(session, order, row)
            elif order.stage not in CHARGEABLE and order.status != "cancelled":
                self._unpaid_change(session, order, row)
        return charge.outcome

    async def _captured(
        self, session: AsyncSession, order: OrderRow, payment: PaymentRow, kind: str = "capture"
    ) -> None:
        """Book the money; of an order that was undone meanwhile it is owed back at once."""
        now = order.touched_at = self._db.clock()
        book(session, order, payment.method_id, kind, payment.amount, key=payment.key, now=now)
        if order.stage in CHARGEABLE:
            move(order, "paid")
            emit("payment.captured", order_id=order.id, amount=payment.amount)
        elif order.status == "cancelled":
            await session.flush()
            await owe_everything(session, order, now)
            emit("payment.late", order_id=order.id, amount=payment.amount)

    def _unpaid_change(self, session: AsyncSession, order: OrderRow, payment: PaymentRow) -> None:
        """A change was made and its price declined: nothing leaves before it is paid, and a person looks into it."""
        session.add(
            TicketRow(
                id=f"tic-{digest(payment.key)[:12]}",
                customer_id=order.customer_id,
                order_id=order.id,
                topic="billing",
                text=f"{payment.amount} minor units for a change of the order were declined",
                status="open",
                at=self._db.clock(),
            )
        )
        emit("payment.declined", order_id=order.id, amount=payment.amount)

    async def _by_gift_card(self, payment: PaymentRow) -> str:
        """A gift card is the shop's own money: debited in the ledger, if it covers everything (PAYMENT-GIFT-COVERS)."""
        async with self._db.write() as session:
            row = await session.get_one(PaymentRow, payment.key, with_for_update=True)
            if row.outcome not in UNDECIDED:
                return row.outcome
            await session.get_one(PaymentMethodRow, row.method_id, with_for_update=True)
            covered = await gift_balance(session, row.method_id) >= row.amount
            row.outcome = "captured" if covered else "declined"
            if covered:
                await self._captured(session, await locked(session, row.order_id), row, "gift_debit")
        return row.outcome

    async def _close(self, key: str, outcome: str) -> None:
        async with self._db.write() as session:
            row = await session.get_one(PaymentRow, key, with_for_update=True)
            if row.outcome in UNDECIDED:
                row.outcome = outcome


def _own(order_id: str) -> str:
    """The key of the payment of the order's own price."""
    return f"{order_id}:pay:1"
