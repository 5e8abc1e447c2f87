"""Orders of one day are looked at together, unless people have said yes to them."""

from typing import Any

import pytest

from agent.services import Services
from agent.shop import SHOP
from tests.support.approvals import decide
from tests.support.chains import OF_LARGE
from tests.support.clock import Clock
from tests.support.commands import cancel_order
from tests.support.orders import BELOW, LARGE, charges, place, redrive_order, thread_of
from tests.support.threads import APPROVE, seen, staff

SUM = BELOW["RUG-SAND"] * 329_00


async def asked(order_id: str, basket: dict[str, int] = BELOW) -> str | None:
    """Which chain an order of Ada's is put to."""
    thread, _ = await place(basket, order_id=order_id)
    view = await thread.waits_for()
    return view["case"] if view else None


async def test_orders_below_the_limit_are_asked_about_when_their_sum_is_not(shop: Services) -> None:
    assert await asked("N-1") is None

    thread, _ = await place(BELOW, order_id="N-2")

    view = await thread.waits_for()
    assert view
    assert (view["case"], view["arguments"]["total"]) == ("large_order", SUM)
    words = view["action_requests"][0]["description"]
    assert f"Other orders of 24 hours that nobody has approved: {SHOP.money(SUM)}." in words


async def test_they_need_the_people_of_a_very_large_order_from_its_sum(shop: Services) -> None:
    cases = [await asked(f"N-{n}", {"DESK-OAK": 1, "DESK-ASH": 1}) for n in range(1, 6)]

    assert cases[0] == "large_order"
    assert cases[4] == "very_large_order"


async def test_what_people_have_approved_counts_no_more(shop: Services) -> None:
    thread, _ = await place(LARGE, order_id="N-1")
    assert (await thread.answer(APPROVE, staff(OF_LARGE[0])))["processing_stage"] == "completed"

    assert await asked("N-2") is None


async def test_what_was_cancelled_counts_no_more(shop: Services) -> None:
    thread, _ = await place(LARGE, order_id="N-1")
    await cancel_order(shop, "N-1")
    await redrive_order(thread, "N-1")

    assert await asked("N-2") is None


async def test_after_a_day_an_order_counts_no_more(shop: Services, clock: Clock) -> None:
    assert await asked("N-1") is None
    clock.advance(hours=24, seconds=1)

    assert await asked("N-2") is None


@pytest.mark.parametrize("late", [APPROVE, {"decisions": [{"type": "reject", "message": "no"}]}])
async def test_who_answers_an_order_that_was_decided_is_told_so_by_which_role_and_when(
    shop: Services, late: dict[str, Any]
) -> None:
    thread, _ = await place(LARGE)
    view = await thread.waits_for()
    assert view
    await decide(shop.approvals, view["request_id"], view["action_hash"], APPROVE, staff(OF_LARGE[0]))
    await redrive_order(thread_of())  # on another server's copy of the thread
    assert (await shop.queries.get("N-1"))["stage"] == "completed"

    ended = await thread.answer(seen(view, late), staff(OF_LARGE[0], 2))

    said = [message["content"] for message in ended["messages"]]
    assert f"Not taken: APPROVAL-ENDED: this was approved by {OF_LARGE[0]} at 2026-06-01 12:00 UTC" in said
    assert ended["processing_stage"] == "completed"
    assert await thread.waits_for() is None
    assert len(await charges(shop)) == 1
