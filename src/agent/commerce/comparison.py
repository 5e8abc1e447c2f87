"""The ledger held against its payment providers, both ways: money that only one of them knows of.

It comes from a restored backup, or from a fault; each difference is a ticket that says what can be done. What is only
not known yet (`payments`, `debts`) is looked up first.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from agent.commerce.debt_outcomes import refund_keys
from agent.commerce.debts import Debts
from agent.commerce.locks import open_ticket
from agent.commerce.payments import Payments
from agent.commerce.policy import money
from agent.ledger.database import Database
from agent.ledger.heartbeat import Heartbeat
from agent.ledger.restored import RESTORED
from agent.ledger.tables import DebtRow, MoneyEntryRow, OrderRow, PaymentRow
from agent.ledger.transactions import reads, writes
from agent.providers.payment import Movement, PaymentProvider

DAYS: Final = 7
"""How far back is looked, unless somebody says otherwise."""
LATEST: Final = timedelta(minutes=10)
"""What the ledger booked since then is left for the next time: a provider's list may lag."""
EARLIER: Final = timedelta(days=1)
"""A provider's list begins so much earlier: a payment is listed by when it was begun, and booked later."""


@dataclass(frozen=True)
class Difference:
    """Money that the ledger and a provider do not agree on. `amount` in minor units."""

    kind: str
    provider: str
    key: str
    amount: int
    order_id: str | None
    what_to_do: str


class Comparison:
    """Compares the ledger with every provider that is configured."""

    def __init__(
        self, database: Database, providers: Sequence[PaymentProvider], payments: Payments, debts: Debts
    ) -> None:
        self._db = database
        self._providers = providers
        self._payments = payments
        self._debts = debts

    async def compare(self, since: datetime) -> list[Difference]:
        """All differences since then, each with its ticket. Raises what a provider raises that can't be asked."""
        found: list[Difference] = []
        for provider in self._providers:
            booked = await self._booked(provider.name, since)  # before the list, which then has them all
            moved = await provider.movements(since - EARLIER)
            found += [each for movement in moved if (each := await self._unknown(provider.name, movement))]
            known = {(movement.kind, movement.key) for movement in moved}
            found += [each for keys, each in booked if not known & keys]
        await self._open_tickets(found)
        return found

    async def after_restore(self) -> list[Difference] | None:
        """The same once for each restore, since the backup was taken; None: nothing was restored."""
        mark = Heartbeat(self._db, RESTORED)
        taken = await mark.last()
        if taken is None:
            return None
        found = await self.compare(taken - timedelta(days=DAYS))
        await mark.forget()
        return found

    async def _unknown(self, provider: str, movement: Movement) -> Difference | None:
        """What the ledger does not know of a provider's movement, after it was looked up."""
        match movement.kind:
            case "capture":
                if await self._note_provider(movement.key, provider):
                    await self._payments.look_up(movement.key)
                return await self._capture_unknown(provider, movement)
            case "refund":
                await self._debts.look_up(movement.key)
                return await self._refund_unknown(provider, movement)

    @writes
    def _note_provider(self, session: Session, key: str, provider: str) -> bool:
        """Note who knows of a payment that the ledger does not have as captured; whether there is such a one."""
        payment = session.get(PaymentRow, key, with_for_update=True)
        if payment is None or payment.outcome == "captured":
            return False
        payment.provider = payment.provider or provider
        return True

    @reads
    def _capture_unknown(self, session: Session, provider: str, movement: Movement) -> Difference | None:
        payment, amount = session.get(PaymentRow, movement.key), money(movement.amount)
        if payment is None:
            order_id = movement.key.partition(":pay:")[0]
            known = session.get(OrderRow, order_id) is not None
            way = f"have order {order_id} sent again under the same id: this payment is then found, not taken again"
            text = (
                f"{provider} took {amount} as {movement.provider_id} under key {movement.key}, of which the ledger "
                f"knows nothing. Give it back at {provider}; or {way}"
            )
            return Difference(
                "capture-unknown", provider, movement.key, movement.amount, order_id if known else None, text
            )
        if (payment.outcome, payment.amount) == ("captured", movement.amount):
            return None
        text = (
            f"{provider} took {amount} as {movement.provider_id} under key {movement.key}; the ledger has "
            f"{money(payment.amount)}, {payment.outcome}. Look which is right, and give back at {provider} what is too "
            "much"
        )
        return Difference("capture-differs", provider, movement.key, movement.amount, payment.order_id, text)

    @reads
    def _refund_unknown(self, session: Session, provider: str, movement: Movement) -> Difference | None:
        debt = session.get(DebtRow, refund_keys(movement.key)[0])
        if movement.failed or (debt and debt.amount == movement.amount):  # one that is not settled yet is the debts'
            return None
        text = (
            f"{provider} gave {money(movement.amount)} of {movement.provider_id} back under key {movement.key}; the "
            f"ledger has {money(debt.amount) if debt else 'no such refund'}. Do not give it back again: of the payment "
            f"that much less is left at {provider}"
        )
        order_id = (
            debt.order_id
            if debt
            else session.scalar(select(PaymentRow.order_id).where(PaymentRow.provider_id == movement.provider_id))
        )
        return Difference("refund-unknown", provider, movement.key, movement.amount, order_id, text)

    @reads
    def _booked(
        self, session: Session, provider: str, since: datetime
    ) -> list[tuple[set[tuple[str, str]], Difference]]:
        """What the ledger booked as moved by this provider: its possible names there, and what it is if it has none."""
        entries = select(MoneyEntryRow).where(MoneyEntryRow.at >= since, MoneyEntryRow.at < self._db.clock() - LATEST)
        taken = session.execute(
            entries.where(MoneyEntryRow.kind == "capture")
            .join(PaymentRow, PaymentRow.key == MoneyEntryRow.key)
            .where(PaymentRow.provider == provider)
        ).scalars()
        given = session.execute(
            entries.add_columns(DebtRow.failures)
            .where(MoneyEntryRow.kind == "refund")
            .join(DebtRow, DebtRow.key == MoneyEntryRow.key)
            .join(PaymentRow, PaymentRow.key == DebtRow.payment_key)
            .where(PaymentRow.provider == provider)
        )
        missing = f"{provider} knows nothing of it"
        booked: list[tuple[set[tuple[str, str]], Difference]] = []
        for entry in taken:
            text = (
                f"the ledger has {money(entry.amount)} as paid under key {entry.key}, and {missing}: no money came. "
                "Keep back what has not left, and ask the customer to pay"
            )
            found = Difference("capture-missing", provider, entry.key, entry.amount, entry.order_id, text)
            booked.append(({("capture", entry.key)}, found))
        for entry, failures in given:
            text = (
                f"the ledger has {money(-entry.amount)} as given back under key {entry.key}, and {missing}: the "
                f"customer still waits. Give it back at {provider}"
            )
            found = Difference("refund-missing", provider, entry.key, -entry.amount, entry.order_id, text)
            booked.append(({("refund", key) for key in refund_keys(entry.key, failures)}, found))
        return booked

    @writes
    def _open_tickets(self, session: Session, found: Sequence[Difference]) -> None:
        for each in found:
            order = session.get(OrderRow, each.order_id) if each.order_id else None
            about, now = f"{each.kind}:{each.key}", self._db.clock()
            open_ticket(session, order, about, topic="billing", text=f"{each.what_to_do}.", now=now)
