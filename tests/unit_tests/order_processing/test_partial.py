"""Orders that go without what is short, because they allow it."""

from agent.services import Services
from agent.shop import SHOP
from tests.support.orders import charges, place, stock
from tests.support.threads import APPROVE

from .standing import MANAGER

WALNUT = {"CLOCK-WALNUT": 2}
"""Twice what there is."""


async def test_what_is_there_is_charged_and_sent_without_what_is_short(shop: Services) -> None:
    before = await stock(shop)

    _, ended = await place({"MUG-BLUE": 3} | WALNUT, allow_partial=True)

    assert (ended["processing_stage"], ended["order_amount"], ended["denial"]) == ("completed", 3 * 14_00, None)
    assert [charge["amount"] for charge in await charges(shop)] == [3 * 14_00]
    lines = {line["sku"]: line["reservation"] for line in (await shop.queries.get("N-1"))["lines"]}
    assert lines == {"MUG-BLUE": "shipped", "CLOCK-WALNUT": "short"}
    assert (await stock(shop))["CLOCK-WALNUT"] == before["CLOCK-WALNUT"]


async def test_people_are_asked_about_what_is_there_and_no_more(shop: Services) -> None:
    thread, _ = await place({"SOFA-WOOL": 1} | WALNUT, allow_partial=True)

    view = await thread.waits_for()
    assert view
    asked = view["action_requests"][0]
    assert (asked["args"]["total"], view["arguments"]["lines"]) == (SHOP.amount(1_399_00), [["SOFA-WOOL", 1, 1_399_00]])
    assert "CLOCK-WALNUT" not in asked["description"]
    assert (await thread.answer(APPROVE, MANAGER))["processing_stage"] == "completed"
    assert [charge["amount"] for charge in await charges(shop)] == [1_399_00]


async def test_what_is_left_below_the_limit_needs_nobody(shop: Services) -> None:
    _, ended = await place({"CLOCK-WALNUT": 9, "MUG-BLUE": 1}, allow_partial=True)

    assert (ended["processing_stage"], ended["human_approval_needed"]) == ("completed", False)
    assert (await shop.queries.get("N-1"))["total"] == 14_00


async def test_an_order_of_which_nothing_is_there_is_undone(shop: Services) -> None:
    before = await stock(shop)

    _, ended = await place(WALNUT, allow_partial=True)

    assert (ended["processing_stage"], ended["denial"]["rule"]) == ("cancelled", "STOCK-SHORT")
    assert await stock(shop) == before
    assert await charges(shop) == []
