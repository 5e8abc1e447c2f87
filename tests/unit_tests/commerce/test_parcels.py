"""Parcels at the carrier: booked once, asked for until they left; what the carrier never takes is given back."""

from typing import Any

import httpx
import pytest

from agent.commerce.commands import MarkDelivered, RequestReturn
from agent.providers.carrier import CarrierUnavailableError
from agent.resilience import CircuitOpenError
from agent.services import Services
from tests.support import steps
from tests.support.commands import hand_over_parcel
from tests.support.outside import NEVER_TAKEN, at_the_carrier, readdress, the_van_comes
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
    pay_by,
    repaid,
    replace,
    send_to,
    stock,
    unreachable,
    wire,
)

EAST, WEST = "A-1/east", "A-1/west"
WEST_PRICE = 95_00


async def states(shop: Services) -> dict[str, str]:
    return {parcel["id"]: parcel["state"] for parcel in (await shop.queries.get("A-1"))["parcels"]}


async def refuse(shop: Services, parcel_id: str) -> None:
    """The carrier will never take this one."""
    await readdress(shop, "A-1", NEVER_TAKEN)
    assert (await shop.fulfilment.book(parcel_id)).outcome == "refused"


async def test_a_booked_parcel_is_known_to_the_carrier_and_by_its_tracking_id(shop: Services) -> None:
    order = await booked(shop, new_order())
    assert await at_the_carrier(shop) == {EAST: "booked", WEST: "booked"}
    assert [(parcel["state"], parcel["tracking_id"] is not None) for parcel in order["parcels"]] == [
        ("booked", True)
    ] * 2


async def test_a_parcel_booked_again_is_booked_once_and_told_how_far_it_is(shop: Services) -> None:
    await booked(shop, new_order())
    assert (await shop.fulfilment.book(EAST)).outcome == "booked"
    await the_van_comes(shop)
    assert (await shop.fulfilment.book(EAST)).outcome == "handed_over"


async def test_a_parcel_leaves_under_the_carriers_tracking_id(shop: Services) -> None:
    [parcel, _] = (await booked(shop, new_order()))["parcels"]
    assert await hand_over_parcel(shop, EAST) == parcel["tracking_id"]


async def test_one_that_has_left_is_not_booked_again(shop: Services) -> None:
    await booked(shop, new_order())
    await hand_over_parcel(shop, EAST)
    with wire(shop.providers.clients[0], request=unreachable):
        assert (await shop.fulfilment.book(EAST)).outcome == "handed_over"


@pytest.mark.parametrize("accident", [{"request": unreachable}, {"response": lost}], ids=["before", "after"])
async def test_a_carrier_that_does_not_answer_is_asked_again(shop: Services, accident: Any) -> None:
    await paid(shop, new_order())
    await steps.plan(shop, "A-1")
    with wire(shop.providers.clients[0], **accident), pytest.raises(CarrierUnavailableError):
        await shop.fulfilment.book(EAST)
    assert (await states(shop))[EAST] == "booked"  # it may be
    assert await shop.fulfilment.join("A-1") == "waiting"
    assert await steps.plan(shop, "A-1") == [EAST, WEST]
    assert (await shop.fulfilment.book(EAST)).outcome == "booked"


async def test_no_carrier_is_asked_while_its_circuit_is_open(shop: Services) -> None:
    await paid(shop, new_order())
    await steps.plan(shop, "A-1")
    shop.breakers["carrier"].force_open()
    with pytest.raises(CircuitOpenError):
        await shop.fulfilment.book(EAST)
    assert await at_the_carrier(shop) == {}


async def test_a_parcel_is_not_booked_before_a_change_is_paid(shop: Services) -> None:
    await paid(shop, new_order())
    await steps.plan(shop, "A-1")
    await replace(shop, "A-1", ("LAMP-OAK", "LAMP-BRASS"))
    assert (await shop.fulfilment.book(EAST)).outcome == "unpaid"
    assert await at_the_carrier(shop) == {}
    await shop.payments.collect("A-1")
    assert (await shop.fulfilment.book(EAST)).outcome == "booked"


async def test_nothing_is_changed_once_the_carrier_was_asked(shop: Services) -> None:
    await booked(shop, new_order())
    for change in (
        replace(shop, "A-1", ("LAMP-OAK", "LAMP-BRASS"), key="c1"),
        send_to(shop, "A-1", key="c2"),
        pay_by(shop, "A-1", "ada_slow", key="c3"),
    ):
        with denies("ORDER-BUSY"):
            await change


async def test_what_the_carrier_refuses_is_given_back_and_the_rest_goes_on(shop: Services) -> None:
    before = await stock(shop, "CLOCK-OAK")
    await booked_east_only(shop)
    await refuse(shop, WEST)
    assert await states(shop) == {EAST: "booked", WEST: "refused"}
    assert await stock(shop, "CLOCK-OAK") == before
    assert await shop.fulfilment.join("A-1") == "waiting"
    await hand_over_parcel(shop, EAST)
    assert await shop.fulfilment.join("A-1") == "completed"
    await shop.debts.settle("A-1")
    assert sorted(await entries(shop)) == [("capture", TOTAL), ("refund", -WEST_PRICE)]
    assert [refund.amount for refund in await repaid(shop)] == [WEST_PRICE]


async def booked_east_only(shop: Services) -> None:
    await paid(shop, new_order())
    await steps.plan(shop, "A-1")
    assert (await shop.fulfilment.book(EAST)).outcome == "booked"


async def test_a_parcel_refused_twice_is_given_back_once(shop: Services) -> None:
    await booked_east_only(shop)
    for _ in range(2):
        await refuse(shop, WEST)
    assert [debt["amount"] for debt in (await dump(shop))["debts"]] == [WEST_PRICE]


async def test_an_order_of_which_nothing_is_taken_is_undone_as_a_whole(shop: Services) -> None:
    before = (await dump(shop))["variants"]
    await paid(shop, new_order())
    for parcel in await steps.plan(shop, "A-1"):
        await refuse(shop, parcel)
    assert await shop.fulfilment.join("A-1") == "refused"
    order = await shop.orders.compensate("A-1", "SHIPPING-REFUSED")
    assert (order["stage"], order["status"], order["reason"]) == ("cancelled", "cancelled", "SHIPPING-REFUSED")
    assert (await dump(shop))["variants"] == before
    await shop.debts.settle("A-1")
    assert sum(amount for _, amount in await entries(shop)) == 0
    assert sum(refund.amount for refund in await repaid(shop)) == TOTAL


async def test_an_order_is_delivered_when_all_that_left_has_arrived_whatever_else_was_refused(shop: Services) -> None:
    await booked_east_only(shop)
    await hand_over_parcel(shop, EAST)
    assert (await ask(shop, MarkDelivered, parcel_id=EAST))["status"] == "processed"
    await refuse(shop, WEST)
    assert await shop.fulfilment.join("A-1") == "completed"
    assert (await shop.queries.get("A-1"))["status"] == "delivered"


async def test_what_was_refused_cannot_be_returned(shop: Services) -> None:
    await booked_east_only(shop)
    await refuse(shop, WEST)
    await hand_over_parcel(shop, EAST)
    await shop.fulfilment.join("A-1")
    await ask(shop, MarkDelivered, key="in", parcel_id=EAST)
    with denies("LINES-OWNED"):
        await ask(shop, RequestReturn, order_id="A-1", skus=("CLOCK-OAK",), payment_method_id="ada_card")


async def test_a_refusal_that_comes_after_the_order_was_cancelled_gives_nothing_back_twice(shop: Services) -> None:
    await paid(shop, new_order())
    await steps.plan(shop, "A-1")
    await readdress(shop, "A-1", NEVER_TAKEN)

    async def cancelled_meanwhile(_: httpx.Response) -> None:
        await cancel(shop)

    with wire(shop.providers.clients[0], response=cancelled_meanwhile):
        assert (await shop.fulfilment.book(WEST)).outcome == "stopped"
    await shop.debts.settle("A-1")
    assert (await shop.queries.get("A-1"))["stage"] == "cancelled"
    assert await entries(shop) == [("capture", TOTAL), ("refund", -TOTAL)]
