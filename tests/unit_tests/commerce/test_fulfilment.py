"""Parcels: one a warehouse, out of the house once, never unpaid; an order is done when everything has left."""

import asyncio

from agent.ledger.database import PolicyDenied
from agent.services import Services
from tests.support import steps
from tests.support.commands import hand_over_parcel
from tests.support.goods import W1002
from tests.support.scenes import (
    cancel,
    denies,
    dump,
    entries,
    new_order,
    paid,
    stock,
)

PARCELS = ["A-1/east", "A-1/west"]


async def test_each_warehouse_sends_one_parcel_with_its_lines(shop: Services) -> None:
    await paid(shop, new_order(lines={"LAMP-OAK": 2, "CLOCK-OAK": 1, "MUG-BLUE": 1}))
    assert await steps.plan(shop, "A-1") == PARCELS
    rows = [row for row in (await dump(shop))["parcels"] if row["order_id"] == "A-1"]
    assert [(row["warehouse"], row["lines"], row["state"]) for row in rows] == [
        ("east", [1, 3], "planned"),
        ("west", [2], "planned"),
    ]


async def test_planned_again_only_what_has_not_left_is_to_do(shop: Services) -> None:
    await paid(shop, new_order())
    assert await steps.plan(shop, "A-1") == await steps.plan(shop, "A-1") == PARCELS
    await hand_over_parcel(shop, "A-1/east")
    assert await steps.plan(shop, "A-1") == ["A-1/west"]
    await hand_over_parcel(shop, "A-1/west")
    assert await shop.fulfilment.join("A-1") == "completed"
    assert await steps.plan(shop, "A-1") == []


async def test_a_parcel_of_an_imported_order_leaves_when_the_warehouse_says_so(shop: Services) -> None:
    on_hand, reserved = await stock(shop, "LAMP-BRASS")
    await hand_over_parcel(shop, f"{W1002}/all")
    assert (await shop.queries.get(W1002))["status"] == "processed"
    assert await stock(shop, "LAMP-BRASS") == (on_hand - 1, reserved - 1)


async def test_handed_over_many_times_a_parcel_leaves_once(shop: Services) -> None:
    await paid(shop, new_order())
    await steps.plan(shop, "A-1")
    on_hand, held = await stock(shop, "LAMP-OAK")
    tracking = await asyncio.gather(*(hand_over_parcel(shop, "A-1/east") for _ in range(4)))
    assert len(set(tracking)) == 1
    assert await stock(shop, "LAMP-OAK") == (on_hand - 2, held - 2)
    order = await shop.queries.get("A-1")
    assert order["status"] == "processed"
    assert [line["reservation"] for line in order["lines"]] == ["shipped", "held"]
    assert [(parcel["state"], parcel["tracking_id"]) for parcel in order["parcels"]] == [
        ("handed_over", tracking[0]),
        ("planned", None),
    ]


async def test_parcels_have_tracking_ids_of_their_own(shop: Services) -> None:
    await paid(shop, new_order())
    ids = {await hand_over_parcel(shop, parcel) for parcel in await steps.plan(shop, "A-1")}
    assert len(ids) == 2


async def test_an_order_is_complete_when_all_its_parcels_have_left(shop: Services) -> None:
    await paid(shop, new_order())
    for parcel in await steps.plan(shop, "A-1"):
        assert await shop.fulfilment.join("A-1") == "waiting"
        await hand_over_parcel(shop, parcel)
    for _ in range(2):
        assert await shop.fulfilment.join("A-1") == "completed"
    assert (await shop.queries.get("A-1"))["stage"] == "completed"


async def test_an_order_of_which_nothing_was_planned_is_not_complete(shop: Services) -> None:
    await paid(shop, new_order())
    before = await dump(shop)
    assert await shop.fulfilment.join("A-1") == "waiting"
    assert await dump(shop) == before


async def test_the_parcels_of_an_order_that_was_cancelled_stay(shop: Services) -> None:
    await paid(shop, new_order())
    await steps.plan(shop, "A-1")
    await cancel(shop)
    before = await dump(shop, "effects")
    with denies("ORDER-STAGE"):
        await hand_over_parcel(shop, "A-1/east")
    assert await dump(shop, "effects") == before


async def test_an_order_cannot_be_cancelled_once_a_parcel_has_left(shop: Services) -> None:
    await paid(shop, new_order())
    await steps.plan(shop, "A-1")
    await hand_over_parcel(shop, "A-1/east")
    with denies("CANCEL-STATUS"):
        await cancel(shop)


async def test_of_a_cancel_and_a_parcel_at_once_one_wins(shop: Services) -> None:
    before = await stock(shop, "LAMP-OAK")
    await paid(shop, new_order(lines={"LAMP-OAK": 2}))
    [parcel] = await steps.plan(shop, "A-1")
    cancelled, left = await asyncio.gather(cancel(shop), hand_over_parcel(shop, parcel), return_exceptions=True)
    assert isinstance(cancelled, PolicyDenied) != isinstance(left, PolicyDenied)
    gone = 0 if isinstance(left, PolicyDenied) else 2
    assert await stock(shop, "LAMP-OAK") == (before[0] - gone, before[1])
    await shop.debts.settle()
    assert sum(amount for _, amount in await entries(shop)) == gone * 69_00
