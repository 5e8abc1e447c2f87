"""Partial orders: what is in stock goes on without the rest, when the customer said so; it is another order then."""

import pytest

from agent.commerce.commands import MarkDelivered, NewOrder, RequestReturn
from agent.ledger.database import PolicyDenied
from agent.services import Services
from tests.support import steps
from tests.support.commands import hand_over_parcel, place_order
from tests.support.scenes import ask, charges, denies, dump, new_order, replace

BASKET = {"CLOCK-WALNUT": 2, "LAMP-OAK": 2}
"""Of walnut clocks there is one."""


async def asked_for(shop: Services, order: NewOrder) -> list[int]:
    """Each line's stock was asked for; the numbers of those that were short."""
    short: list[int] = []
    for line in (await place_order(shop, order))["lines"]:
        try:
            await shop.orders.reserve_line(order.order_id, line["number"])
        except PolicyDenied:
            short.append(line["number"])
    return short


async def partial(shop: Services) -> None:
    """An order that is short of clocks, and goes on without them."""
    short = await asked_for(shop, new_order(lines=BASKET, allow_partial=True))
    assert short == [1]
    await steps.reserved(shop, "A-1", short=short)


async def partly_paid(shop: Services) -> None:
    await partial(shop)
    await steps.move(shop, "A-1", "approved")
    await shop.payments.capture("A-1")


async def test_an_order_goes_on_without_what_is_short(shop: Services) -> None:
    await partial(shop)
    order = await shop.queries.get("A-1")
    assert (order["stage"], order["total"], order["revision"]) == ("reserved", 2 * 69_00, 1)
    assert [line["reservation"] for line in order["lines"]] == ["short", "held"]


async def test_joined_again_it_is_the_same_order(shop: Services) -> None:
    await partial(shop)
    before = await dump(shop)
    assert (await steps.reserved(shop, "A-1", short=[1]))["total"] == 2 * 69_00
    assert await dump(shop) == before


@pytest.mark.parametrize(
    ("basket", "allow_partial"), [(BASKET, False), ({"CLOCK-WALNUT": 2}, True)], ids=["all or nothing", "nothing left"]
)
async def test_an_order_that_cannot_go_on_says_so_and_stays(
    shop: Services, basket: dict[str, int], allow_partial: bool
) -> None:
    short = await asked_for(shop, new_order(lines=basket, allow_partial=allow_partial))
    before = await dump(shop)
    with denies("STOCK-SHORT"):
        await steps.reserved(shop, "A-1", short=short)
    assert await dump(shop) == before


async def test_a_line_that_was_never_asked_for_is_not_left_out(shop: Services) -> None:
    await place_order(shop, new_order(lines=BASKET, allow_partial=True))
    await shop.orders.reserve_line("A-1", 2)
    before = await dump(shop)
    with denies("ORDER-STAGE"):
        await steps.reserved(shop, "A-1", short=[])
    assert await dump(shop) == before


async def test_only_what_leaves_is_paid(shop: Services) -> None:
    await partly_paid(shop)
    assert [charge.amount for charge in await charges(shop)] == [2 * 69_00]
    assert await steps.plan(shop, "A-1") == ["A-1/east"]
    assert [row["lines"] for row in (await dump(shop))["parcels"] if row["order_id"] == "A-1"] == [[2]]


async def test_what_was_short_is_not_swapped(shop: Services) -> None:
    await partial(shop)
    with denies("LINES-OWNED"):
        await replace(shop, "A-1", ("CLOCK-WALNUT", "CLOCK-OAK"))


async def test_what_was_short_is_not_returned(shop: Services) -> None:
    await partly_paid(shop)
    [parcel] = await steps.plan(shop, "A-1")
    await hand_over_parcel(shop, parcel)
    assert await shop.fulfilment.join("A-1") == "completed"
    await ask(shop, MarkDelivered, key="in", parcel_id=parcel)
    with denies("LINES-OWNED"):
        await ask(shop, RequestReturn, order_id="A-1", skus=("CLOCK-WALNUT",), payment_method_id="ada_card")


async def test_undone_it_gives_back_what_it_held(shop: Services) -> None:
    before = (await dump(shop))["variants"]
    await partial(shop)
    order = await shop.orders.compensate("A-1", "CANCELLED")
    assert [line["reservation"] for line in order["lines"]] == ["short", "released"]
    assert (await dump(shop))["variants"] == before
