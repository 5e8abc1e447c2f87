"""Undoing an order whose parcels the carrier may have: what can be stopped is, what has left is the customer's."""

import httpx
import pytest

from agent.commerce.commands import MarkDelivered, MarkHandedOver
from agent.services import Services
from tests.support import steps
from tests.support.clock import Clock
from tests.support.commands import hand_over_parcel, refund_payment
from tests.support.outside import at_the_carrier, the_van_comes
from tests.support.scenes import (
    TOTAL,
    ask,
    booked,
    cancel,
    denies,
    dump,
    entries,
    lost,
    new_order,
    paid,
    repaid,
    stock,
    unreachable,
    wire,
)

EAST, WEST = "A-1/east", "A-1/west"
STOPS = [f"{EAST}:stop", f"{WEST}:stop"]
EAST_PRICE, WEST_PRICE = 2 * 69_00, 95_00
LAMP_ORDER = new_order(lines={"LAMP-OAK": 2})


async def states(shop: Services) -> dict[str, str]:
    return {parcel["id"]: parcel["state"] for parcel in (await shop.queries.get("A-1"))["parcels"]}


async def owed(shop: Services) -> dict[str, bool]:
    """Keys of debts, and whether they are settled."""
    return {debt["key"]: debt["settled"] for debt in (await dump(shop))["debts"]}


async def east_left_west_waits(shop: Services) -> None:
    """Both are booked; the van comes when only the parcel from the east is ready."""
    await paid(shop, new_order())
    await steps.plan(shop, "A-1")
    await shop.fulfilment.book(EAST)
    await the_van_comes(shop)
    await shop.fulfilment.book(WEST)


async def test_a_parcel_of_which_no_carrier_knows_stays_without_asking(shop: Services) -> None:
    before = (await dump(shop))["variants"]
    await paid(shop, new_order())
    await steps.plan(shop, "A-1")
    order = await cancel(shop)
    assert (order["stage"], await states(shop)) == ("cancelled", {EAST: "stopped", WEST: "stopped"})
    assert (await dump(shop))["variants"] == before
    assert await at_the_carrier(shop) == {}


async def test_no_money_is_owed_back_while_a_parcel_may_still_leave(shop: Services) -> None:
    await booked(shop, new_order())
    order = await cancel(shop)
    assert (order["stage"], order["status"]) == ("cancelling", "pending")
    assert await owed(shop) == dict.fromkeys(STOPS, False)
    assert await shop.queries.refundable("A-1") == TOTAL


async def test_a_parcel_that_is_stopped_in_time_gives_back_stock_and_money(shop: Services) -> None:
    before = (await dump(shop))["variants"]
    await booked(shop, new_order())
    await cancel(shop)
    assert set((await shop.debts.settle("A-1")).values()) == {"settled"}
    order = await shop.queries.get("A-1")
    assert (order["stage"], order["status"], order["reason"]) == ("cancelled", "cancelled", "CUSTOMER-CANCELLED")
    assert await states(shop) == await at_the_carrier(shop) == {EAST: "stopped", WEST: "stopped"}
    assert (await dump(shop))["variants"] == before
    assert await entries(shop) == [("capture", TOTAL), ("refund", -TOTAL)]
    assert [refund.amount for refund in await repaid(shop)] == [TOTAL]


async def test_an_order_that_left_before_it_could_be_stopped_is_completed(shop: Services) -> None:
    on_hand, reserved = await stock(shop, "LAMP-OAK")
    await booked(shop, LAMP_ORDER)
    await cancel(shop)
    await the_van_comes(shop)
    assert await shop.debts.settle("A-1") == {STOPS[0]: "settled"}
    order = await shop.queries.get("A-1")
    assert (order["stage"], order["status"], order["reason"]) == ("completed", "processed", "CANCEL-STATUS")
    assert [(parcel["state"], bool(parcel["tracking_id"])) for parcel in order["parcels"]] == [("handed_over", True)]
    assert await stock(shop, "LAMP-OAK") == (on_hand - 2, reserved)
    assert await entries(shop) == [("capture", EAST_PRICE)]
    assert [row["cancel_reason"] for row in (await dump(shop))["orders"] if row["id"] == "A-1"] == [None]


async def test_of_an_order_that_left_in_part_only_what_was_stopped_is_given_back(shop: Services) -> None:
    before = await stock(shop, "CLOCK-OAK")
    await east_left_west_waits(shop)
    await cancel(shop)
    await shop.debts.settle("A-1")
    order = await shop.queries.get("A-1")
    assert (order["stage"], order["status"]) == ("completed", "processed")
    assert await states(shop) == {EAST: "handed_over", WEST: "stopped"}
    assert await stock(shop, "CLOCK-OAK") == before
    assert sorted(await entries(shop)) == [("capture", TOTAL), ("refund", -WEST_PRICE)]
    assert [refund.amount for refund in await repaid(shop)] == [WEST_PRICE]


async def test_of_what_was_stopped_no_more_is_given_back_than_is_left_of_the_money(shop: Services) -> None:
    await east_left_west_waits(shop)
    await refund_payment(shop, "A-1", TOTAL - 50_00)
    await cancel(shop)
    await shop.debts.settle("A-1")
    assert sum(amount for _, amount in await entries(shop)) == 0


async def test_what_left_and_has_arrived_is_delivered_whatever_else_was_stopped(shop: Services, clock: Clock) -> None:
    await east_left_west_waits(shop)
    await cancel(shop)

    async def not_the_west(request: httpx.Request) -> None:
        if request.headers.get("Idempotency-Key") == WEST:
            await unreachable(request)

    with wire(shop.providers.clients[0], request=not_the_west):
        assert await shop.debts.settle("A-1") == {STOPS[0]: "settled", STOPS[1]: "owed"}
    assert (await shop.queries.get("A-1"))["stage"] == "cancelling"
    await ask(shop, MarkDelivered, parcel_id=EAST)
    clock.advance(hours=1)
    await shop.debts.settle("A-1")
    order = await shop.queries.get("A-1")
    assert (order["stage"], order["status"]) == ("completed", "delivered")


@pytest.mark.parametrize("accident", [{"request": unreachable}, {"response": lost}], ids=["before", "after"])
async def test_a_stop_without_an_answer_is_asked_for_again(
    shop: Services, clock: Clock, accident: dict[str, object]
) -> None:
    await booked(shop, LAMP_ORDER)
    await cancel(shop)
    with wire(shop.providers.clients[0], **accident):  # type: ignore[arg-type]
        assert await shop.debts.settle("A-1") == {STOPS[0]: "owed"}
    assert (await shop.queries.get("A-1"))["stage"] == "cancelling"
    assert await entries(shop) == [("capture", EAST_PRICE)]
    clock.advance(hours=1)
    await shop.debts.settle("A-1")
    assert (await shop.queries.get("A-1"))["stage"] == "cancelled"


async def test_a_parcel_stopped_before_its_booking_arrived_is_not_taken(shop: Services) -> None:
    await paid(shop, LAMP_ORDER)
    await steps.plan(shop, "A-1")

    async def cancelled_on_the_way(request: httpx.Request) -> None:
        if request.url.path == "/shipments":
            await cancel(shop)
            await shop.debts.settle("A-1")

    with wire(shop.providers.clients[0], request=cancelled_on_the_way):
        assert (await shop.fulfilment.book(EAST)).outcome == "stopped"
    assert await at_the_carrier(shop) == await states(shop) == {EAST: "stopped"}
    assert (await shop.queries.get("A-1"))["stage"] == "cancelled"


async def test_a_parcel_of_an_order_that_is_being_undone_is_not_booked_nor_handed_over(shop: Services) -> None:
    await booked(shop, LAMP_ORDER)
    await cancel(shop)
    with wire(shop.providers.clients[0], request=unreachable):
        assert (await shop.fulfilment.book(EAST)).outcome == "stopped"
    with denies("ORDER-STAGE"):
        await ask(shop, MarkHandedOver, parcel_id=EAST)


async def test_an_order_that_left_in_part_cannot_be_undone(shop: Services) -> None:
    await booked(shop, new_order())
    await hand_over_parcel(shop, EAST)
    before = await dump(shop)
    with denies("ORDER-STAGE"):
        await shop.orders.compensate("A-1", "CANCELLED")
    assert await dump(shop) == before


async def test_a_parcel_that_people_stopped_by_hand_is_stopped(shop: Services) -> None:
    before = await stock(shop, "LAMP-OAK")
    await booked(shop, LAMP_ORDER)
    await cancel(shop)
    await steps.decide_debt(shop, STOPS[0], by_hand=True)
    await shop.debts.settle("A-1")
    assert (await shop.queries.get("A-1"))["stage"] == "cancelled"
    assert await stock(shop, "LAMP-OAK") == before
    assert await entries(shop) == [("capture", EAST_PRICE), ("refund", -EAST_PRICE)]


async def test_undone_many_times_a_parcel_is_to_be_stopped_once(shop: Services) -> None:
    await booked(shop, new_order())
    await cancel(shop)
    before = await dump(shop)
    await shop.orders.compensate("A-1", "CANCELLED")
    assert await dump(shop) == before
