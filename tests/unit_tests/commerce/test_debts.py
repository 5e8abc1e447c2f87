"""Debts: tried again later and later, never forgotten, never done twice; past a limit people have the word."""

from datetime import datetime
from typing import Any

import pytest

from agent.commerce.debt_outcomes import ATTEMPTS
from agent.commerce.debts import Debt
from agent.services import Services
from tests.support import steps
from tests.support.clock import Clock
from tests.support.commands import refund_payment
from tests.support.goods import W1002
from tests.support.scenes import TOTAL, dump, entries, new_order, paid, repaid, unreachable, wire

KEY = "r1:A-1:pay:1"


@pytest.fixture
async def owed(shop: Services) -> str:
    """The key of a refund of 10.00 that nobody has paid yet."""
    await paid(shop, new_order())
    await refund_payment(shop, "A-1", 10_00)
    return KEY


async def row(shop: Services, key: str = KEY) -> dict[str, Any]:
    [found] = [debt for debt in (await dump(shop))["debts"] if debt["key"] == key]
    return found


async def fail(shop: Services, clock: Clock, times: int = 1) -> None:
    """What is owed can't be done, this often; each time as soon as it is due."""
    for _ in range(times):
        clock.now = max(clock.now, (await row(shop))["next_at"])
        with wire(shop.providers.clients[0], request=unreachable):
            assert await shop.debts.settle() == {KEY: "owed"}
        shop.breakers["payment"].reset()


async def test_a_debt_that_fails_is_left_alone_until_it_is_due_again(shop: Services, clock: Clock, owed: str) -> None:
    await fail(shop, clock)
    due = (await row(shop))["next_at"]
    assert await shop.debts.settle() == await shop.debts.settle("A-1") == {}
    clock.now = due
    assert await shop.debts.settle() == {owed: "settled"}


async def test_each_wait_is_about_twice_the_one_before_and_at_last_an_hour(
    shop: Services, clock: Clock, owed: str
) -> None:
    waits: list[float] = []
    for _ in range(ATTEMPTS):
        await fail(shop, clock)
        waits.append(((await row(shop, owed))["next_at"] - clock.now).total_seconds())
    first = waits[0]
    assert 48 <= first <= 72  # DEBT_RETRY_SECONDS, a fifth more or less
    assert waits[:6] == pytest.approx([first * 2**n for n in range(6)])
    assert waits[6:] == pytest.approx([first * 60] * (ATTEMPTS - 6))


async def test_debts_that_failed_together_do_not_come_back_together(shop: Services, clock: Clock) -> None:
    await paid(shop, new_order())
    for key in ("r1", "r2", "r3"):
        await refund_payment(shop, "A-1", 1_00, key=key)
    with wire(shop.providers.clients[0], request=unreachable):
        await shop.debts.settle()
    times: set[datetime] = {debt["next_at"] for debt in (await dump(shop))["debts"]}
    assert len(times) == 3
    assert min(times) > clock.now


async def test_what_an_open_circuit_keeps_back_waits_and_is_no_attempt(shop: Services, clock: Clock, owed: str) -> None:
    shop.breakers["payment"].force_open()
    assert await shop.debts.settle() == {owed: "owed"}
    assert await shop.debts.settle() == {}
    assert (await row(shop))["attempts"] == 0
    shop.breakers["payment"].reset()
    clock.advance(hours=1)
    assert await shop.debts.settle() == {owed: "settled"}


async def test_people_are_asked_about_a_debt_that_failed_too_often_and_nobody_else_touches_it(
    shop: Services, clock: Clock, owed: str
) -> None:
    await fail(shop, clock, ATTEMPTS - 1)
    assert await shop.debts.past_limit() == []
    await fail(shop, clock)
    told = Debt(owed, "refund", "A-1", "ada_park", 10_00, attempts=ATTEMPTS, asked=0)
    assert await shop.debts.past_limit() == await shop.debts.past_limit("A-1") == [told]
    assert await shop.debts.past_limit(W1002) == []
    clock.advance(days=7)
    assert await shop.debts.settle() == await shop.debts.settle("A-1") == {}


async def test_what_people_did_by_hand_is_booked_once_and_no_provider_is_asked(
    shop: Services, clock: Clock, owed: str
) -> None:
    await fail(shop, clock, ATTEMPTS)
    for _ in range(2):
        await steps.decide_debt(shop, owed, by_hand=True)
    clock.advance(days=7)
    assert await shop.debts.settle() == {}
    assert await shop.debts.past_limit() == []
    assert await entries(shop) == [("capture", TOTAL), ("hand_refund", -10_00)]
    assert await repaid(shop) == []


async def test_people_can_have_a_debt_tried_again_at_once(shop: Services, clock: Clock, owed: str) -> None:
    await fail(shop, clock, ATTEMPTS)
    await steps.decide_debt(shop, owed, by_hand=False)
    assert await shop.debts.past_limit() == []
    assert await shop.debts.settle("A-1") == {owed: "settled"}
    assert [refund.amount for refund in await repaid(shop)] == [10_00]


async def test_a_debt_that_goes_on_failing_is_brought_before_people_again(
    shop: Services, clock: Clock, owed: str
) -> None:
    await fail(shop, clock, ATTEMPTS)
    for _ in range(2):  # said twice is said once
        await steps.decide_debt(shop, owed, by_hand=False)
    await fail(shop, clock, ATTEMPTS)
    [debt] = await shop.debts.past_limit()
    assert (debt.key, debt.attempts, debt.asked) == (owed, 2 * ATTEMPTS, 1)
