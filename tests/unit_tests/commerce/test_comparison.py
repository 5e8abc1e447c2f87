"""Ledger and providers, held against each other: money that only one of them knows of is a ticket."""

import asyncio
import sqlite3
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from agent import services as composition
from agent.commerce.comparison import DAYS
from agent.ledger.backup import backup, restore
from agent.ledger.tables import PaymentRow, TicketRow
from agent.providers.payment import Attempt, PaymentNotSentError
from agent.services import Services
from agent.settings import Settings
from agent.shop import SHOP
from tests.support.clock import Clock
from tests.support.commands import refund_payment
from tests.support.scenes import TOTAL, approved, charges, dump, new_order, paid, unreachable, wire


async def differences(shop: Services, days: int = DAYS) -> list[tuple[str, str, int]]:
    """What a comparison finds: kind, key, amount."""
    found = await shop.comparison.compare(shop.database.clock() - timedelta(days=days))
    return [(each.kind, each.key, each.amount) for each in found]


async def tickets(shop: Services) -> list[TicketRow]:
    return list(await shop.database.read(lambda session: session.scalars(select(TicketRow)).all()))


async def at_provider(shop: Services, key: str, amount: int = 50_00) -> str:
    """Money that the provider took and this ledger did not ask for; the provider's id of it."""
    attempt = Attempt(key, amount, SHOP.currency, "tok_approve")
    return (await shop.providers.payments[0].capture(attempt)).provider_id


@pytest.fixture
async def later(shop: Services, clock: Clock) -> Services:
    """A shop with one order that was paid, and partly refunded, an hour ago."""
    await paid(shop, new_order())
    await refund_payment(shop, "A-1", 10_00)
    await shop.debts.settle()
    clock.advance(hours=1)
    return shop


async def test_where_they_agree_there_is_nothing_to_say(later: Services) -> None:
    before = await dump(later)
    assert await differences(later) == []
    assert await dump(later) == before


async def test_a_charge_that_only_the_provider_knows_is_a_ticket_once(later: Services) -> None:
    await at_provider(later, "A-2:pay:1")

    for _ in range(2):
        assert await differences(later) == [("capture-unknown", "A-2:pay:1", 50_00)]

    [ticket] = await tickets(later)
    assert (ticket.topic, ticket.order_id, ticket.customer_id) == ("billing", None, None)
    assert f"sandbox took {SHOP.amount(50_00)}" in ticket.text
    assert "have order A-2 sent again under the same id" in ticket.text


async def test_the_order_sent_again_finds_its_payment_and_takes_no_other(later: Services) -> None:
    await at_provider(later, "A-2:pay:1", TOTAL)

    await approved(later, new_order("A-2"))
    assert (await later.payments.capture("A-2")).outcome == "captured"

    assert [charge.key for charge in await charges(later, "A-2")] == ["A-2:pay:1"]
    assert await differences(later) == []


async def test_one_that_is_not_decided_yet_is_looked_up_and_booked(later: Services) -> None:
    await approved(later, new_order("A-2"))
    with wire(later.providers.clients[0], request=unreachable), pytest.raises(PaymentNotSentError):
        await later.payments.capture("A-2")
    later.breakers["payment"].reset()
    await at_provider(later, "A-2:pay:1", TOTAL)

    assert await differences(later) == []
    assert (await later.queries.get("A-2"))["stage"] == "paid"


async def test_another_amount_than_the_ledgers_is_a_difference_of_that_order(later: Services) -> None:
    await _change(later, PaymentRow, "A-1:pay:1", amount=TOTAL - 1)
    assert ("capture-differs", "A-1:pay:1", TOTAL) in await differences(later)
    [ticket] = await tickets(later)
    assert (ticket.order_id, ticket.customer_id) == ("A-1", "ada_park")


async def test_a_refund_that_only_the_provider_knows_is_a_difference(later: Services) -> None:
    [charge] = await charges(later)
    await later.providers.payments[0].refund("by-hand", charge.id, 5_00)
    assert await differences(later) == [("refund-unknown", "by-hand", 5_00)]
    [ticket] = await tickets(later)
    assert ticket.order_id == "A-1"
    assert "Do not give it back again" in ticket.text


async def test_a_payment_that_only_the_ledger_knows_is_a_difference(later: Services) -> None:
    await _forget(later, "charges", "A-1:pay:1")
    assert await differences(later) == [("capture-missing", "A-1:pay:1", TOTAL)]
    [ticket] = await tickets(later)
    assert "no money came" in ticket.text


async def test_a_refund_that_only_the_ledger_knows_is_a_difference(later: Services) -> None:
    await _forget(later, "refunds", "r1:A-1:pay:1")
    assert await differences(later) == [("refund-missing", "r1:A-1:pay:1", 10_00)]


async def test_older_bookings_are_not_asked_about(later: Services, clock: Clock) -> None:
    await _forget(later, "charges", "A-1:pay:1")
    clock.advance(days=DAYS)
    assert await differences(later) == []
    assert len(await differences(later, days=30)) == 1


async def test_a_provider_that_cannot_be_asked_is_an_error_and_no_agreement(later: Services) -> None:
    with wire(later.providers.clients[0], request=unreachable), pytest.raises(PaymentNotSentError):
        await differences(later)


async def test_after_a_restore_what_was_charged_since_the_backup_is_found_and_then_the_mark_is_gone(
    config: Settings, clock: Clock, tmp_path: Path
) -> None:
    shop = await composition.build(config, clock)
    await paid(shop, new_order())
    await asyncio.to_thread(backup, config.ledger_url, tmp_path / "kept", force=False, say=lambda _: None)
    await paid(shop, new_order("A-2"))
    await shop.close()
    await asyncio.to_thread(restore, config.ledger_url, tmp_path / "kept", force=True, say=lambda _: None)

    again = await composition.build(config, clock)
    clock.advance(hours=1)
    found = await again.comparison.after_restore()
    assert found is not None
    assert [(each.kind, each.key) for each in found] == [("capture-unknown", "A-2:pay:1")]
    assert len(await tickets(again)) == 1
    assert await again.comparison.after_restore() is None
    await again.close()


async def test_without_a_restore_the_reconciler_asks_nobody(later: Services) -> None:
    with wire(later.providers.clients[0], request=unreachable):
        assert await later.comparison.after_restore() is None


async def _change(shop: Services, table: Any, key: str, **columns: Any) -> None:
    def change(session: Any) -> None:
        row = session.get_one(table, key)
        for name, value in columns.items():
            setattr(row, name, value)

    await shop.database.write(change)


async def _forget(shop: Services, table: str, key: str) -> None:
    """The card network loses it from its books."""
    file = shop.settings.data_dir / "sandbox.db"

    def forget() -> None:
        with closing(sqlite3.connect(file)) as books, books:
            books.execute("PRAGMA foreign_keys = OFF")
            books.execute(f"DELETE FROM {table} WHERE key = ?", (key,))  # noqa: S608

    await asyncio.to_thread(forget)
