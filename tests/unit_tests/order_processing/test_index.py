"""An order's thread says what it waits for, before it waits."""

from typing import Any, cast

import pytest

from agent.platform import order_thread
from agent.services import Services
from tests.support.chains import OF_LARGE, OF_VERY_LARGE, due_seconds, expiry_seconds, next_role
from tests.support.clock import Clock
from tests.support.commands import cancel_order
from tests.support.orders import LARGE, VERY_LARGE, place, redrive_order
from tests.support.platform_stub import Platform
from tests.support.threads import APPROVE, reject, staff


@pytest.fixture
def said(indexed: Platform) -> dict[str, Any]:
    """What the order's thread says."""
    indexed.thread(order_thread("N-1", "customer:ada_park"), "busy")
    return cast(dict[str, Any], indexed.threads[order_thread("N-1", "customer:ada_park")]["metadata"])


async def test_each_step_is_said_until_the_end(shop: Services, said: dict[str, Any]) -> None:
    thread, _ = await place(VERY_LARGE)
    assert (said["awaiting"], said["request_type"], said["order_id"]) == (OF_VERY_LARGE[0], "very_large_order", "N-1")

    await thread.answer(APPROVE, staff(OF_VERY_LARGE[0]))
    assert said["awaiting"] == OF_VERY_LARGE[1]

    await thread.answer(reject("no"), staff(OF_VERY_LARGE[1]))
    assert said["awaiting"] is None


async def test_an_escalation_is_said_when_the_order_looks_again(
    shop: Services, said: dict[str, Any], clock: Clock
) -> None:
    thread, _ = await place(LARGE)
    clock.advance(seconds=due_seconds("large_order"))
    await shop.deadlines.enforce_deadlines()

    await redrive_order(thread)

    assert (said["awaiting"], said["escalated_to"]) == (OF_LARGE[0], next_role("large_order"))
    assert await shop.deadlines.threads_to_wake() == [], "it has looked, and is left to people"


async def test_an_order_that_is_cancelled_while_it_waits_waits_for_nobody(shop: Services, said: dict[str, Any]) -> None:
    thread, _ = await place(LARGE)
    await cancel_order(shop, "N-1")

    await redrive_order(thread)

    assert said["awaiting"] is None


async def test_an_order_that_nobody_answered_waits_for_nobody(
    shop: Services, said: dict[str, Any], clock: Clock
) -> None:
    thread, _ = await place(LARGE)
    clock.advance(seconds=expiry_seconds("large_order"))
    await shop.deadlines.enforce_deadlines()

    await redrive_order(thread)

    assert said["awaiting"] is None
