"""A refund is done when its provider says so: until then it is neither booked nor told as done, and it may fail."""

from typing import Any

import aiosqlite
import pytest

from agent.commerce.debt_outcomes import PENDING_LIMIT
from agent.services import Services
from tests.support import steps
from tests.support.clock import Clock
from tests.support.scenes import cancel, dump, entries, lost, network, new_order, paid, recard, unreachable, wire

KEY = "A-1:pay:1:rest"


async def owed(shop: Services) -> None:
    """An order that was paid by a card whose refunds take their time, and cancelled."""
    await recard(shop, "ada_card", "tok_refund_pends")
    await paid(shop, new_order())
    await cancel(shop)


async def decide(shop: Services, state: str, key: str = KEY) -> None:
    """The network makes up its mind about a refund."""
    answer = await shop.providers.clients[0].post(f"/refunds/{key}", json={"state": state})
    assert answer.status_code == 200


async def told(shop: Services) -> list[str]:
    """What the customer hears of their money."""
    return [row["event"] for row in (await dump(shop))["notices"] if row["event"].startswith("refund.")]


async def test_a_pending_refund_is_on_its_way_and_not_booked(shop: Services) -> None:
    await owed(shop)
    assert await shop.debts.settle("A-1") == {KEY: "pending"}
    assert await entries(shop) == [("capture", 233_00)]
    assert await told(shop) == ["refund.pending"]
    assert await shop.debts.settle() == {}  # it is looked at again later


@pytest.mark.parametrize("by", ["webhook", "reconciler"])
async def test_it_is_booked_once_when_it_has_succeeded(shop: Services, clock: Clock, by: str) -> None:
    await owed(shop)
    await shop.debts.settle()
    await decide(shop, "succeeded")
    if by == "webhook":
        assert await shop.debts.look_up(KEY) == "A-1"
    clock.advance(hours=2)
    assert await shop.debts.settle() == ({} if by == "webhook" else {KEY: "settled"})
    assert await entries(shop) == [("capture", 233_00), ("refund", -233_00)]
    assert await told(shop) == ["refund.pending", "refund.settled"]


@pytest.mark.parametrize("by", ["webhook", "reconciler"])
async def test_one_that_fails_is_owed_again_and_made_under_another_key(shop: Services, clock: Clock, by: str) -> None:
    await owed(shop)
    await shop.debts.settle()
    await decide(shop, "failed")
    if by == "webhook":
        assert await shop.debts.look_up(KEY) == "A-1"
        assert await shop.debts.look_up(KEY) == "A-1"  # the same event twice is one failure
    clock.advance(hours=2)
    assert await shop.debts.settle() == {KEY: "pending" if by == "webhook" else "owed"}
    clock.advance(hours=2)
    await shop.debts.settle()
    await decide(shop, "succeeded", f"{KEY}~1")
    assert await shop.debts.look_up(f"{KEY}~1") == "A-1"
    assert await entries(shop) == [("capture", 233_00), ("refund", -233_00)]
    assert sorted((each.key, each.state) for each in (await network(shop)).refunds) == [
        (KEY, "failed"),
        (f"{KEY}~1", "succeeded"),
    ]


async def test_people_are_asked_about_a_refund_that_fails_again_and_again(shop: Services, clock: Clock) -> None:
    await owed(shop)
    while not await shop.debts.past_limit():
        await shop.debts.settle()
        for refund in (await network(shop)).refunds:
            if refund.state == "pending":
                await decide(shop, "failed", refund.key)
        clock.advance(hours=2)
    [debt] = await shop.debts.past_limit()
    assert (debt.key, debt.attempts) == (KEY, 8)
    await steps.decide_debt(shop, KEY, by_hand=True)
    assert await entries(shop) == [("capture", 233_00), ("hand_refund", -233_00)]


async def test_of_one_that_stays_pending_a_person_hears(shop: Services, clock: Clock) -> None:
    await owed(shop)
    await shop.debts.settle()
    clock.advance(days=PENDING_LIMIT.days + 1)
    assert await shop.debts.settle() == {KEY: "pending"}
    [ticket] = (await dump(shop))["tickets"]
    assert (ticket["topic"], ticket["order_id"]) == ("billing", "A-1")


async def test_a_refund_that_was_made_and_comes_back_is_owed_again(shop: Services) -> None:
    """Banks refuse what a provider has called done: the books say both, and the money is owed as before."""
    await paid(shop, new_order())
    await cancel(shop)
    assert await shop.debts.settle("A-1") == {KEY: "settled"}

    async with aiosqlite.connect(shop.settings.data_dir / "sandbox.db", timeout=15) as db:
        await db.execute("INSERT INTO refund_states (key, state) VALUES (?, 'failed')", (KEY,))
        await db.commit()
    for _ in range(2):
        assert await shop.debts.look_up(KEY) == "A-1"
    assert sorted(await entries(shop)) == [("capture", 233_00), ("refund", -233_00), ("refund_returned", 233_00)]
    assert await told(shop) == ["refund.returned", "refund.settled"]
    [again] = [row for row in (await dump(shop))["debts"] if not row["settled"]]
    assert (again["key"], again["amount"]) == (f"{KEY}~1", 233_00)


async def test_a_credit_to_another_card_may_pend_as_well(shop: Services) -> None:
    assert await shop.providers.payments[0].find_refund("c1", "") is None
    assert await shop.providers.payments[0].credit("c1", 100, "USD", "tok_approve") == "succeeded"
    assert await shop.providers.payments[0].find_refund("c1", "") == "succeeded"


@pytest.mark.parametrize("weather", [{"request": unreachable}, {"response": lost}])
async def test_a_provider_that_is_away_leaves_it_pending(shop: Services, clock: Clock, weather: dict[str, Any]) -> None:
    await owed(shop)
    await shop.debts.settle()
    clock.advance(hours=2)
    with wire(shop.providers.clients[0], **weather):
        assert await shop.debts.settle() == {KEY: "owed"}
    clock.advance(hours=2)
    assert await shop.debts.settle() == {KEY: "pending"}
    assert [refund.key for refund in (await network(shop)).refunds] == [KEY]


async def test_a_dispute_is_a_ticket_and_a_word_to_staff_and_no_more(shop: Services) -> None:
    await paid(shop, new_order())
    [payment] = [row for row in (await dump(shop))["payments"] if row["order_id"] == "A-1"]
    before = await entries(shop)
    for _ in range(2):
        assert await shop.payments.disputed(payment["provider_id"]) == "A-1"
    assert await shop.payments.disputed("ch_of_nobody") is None
    now = await dump(shop)
    assert [ticket["order_id"] for ticket in now["tickets"]] == ["A-1"]
    assert [row["audience"] for row in now["notices"] if row["event"] == "payment.disputed"] == ["staff"]
    assert await entries(shop) == before
