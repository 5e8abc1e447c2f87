"""Queries: one's own orders and no others, what waits, and how risky an order is from what the ledger knows."""

from typing import Any

import pytest

from agent.commerce.commands import NewOrder
from agent.commerce.queries import customer_by_email
from agent.ledger.tables import CustomerRow
from agent.services import Services
from tests.support import steps
from tests.support.clock import Clock
from tests.support.commands import hand_over_parcel
from tests.support.goods import W1001, W1002
from tests.support.scenes import approved, denies, new_order, paid, pay_by, placed, reserved

MUG = {"MUG-BLUE": 1}


async def test_an_order_is_read_by_its_own_customer(shop: Services) -> None:
    order = await placed(shop, new_order())
    assert await shop.queries.get("A-1", customer_id="ada_park") == order


async def test_anothers_order_is_like_none_at_all(shop: Services) -> None:
    with denies("ORDER-EXISTS") as anothers:
        await shop.queries.get(W1001, customer_id="ben_ortiz")
    with denies("ORDER-EXISTS") as none:
        await shop.queries.get("W-9999", customer_id="ben_ortiz")
    assert anothers.value.sentence.replace(W1001, "W-9999") == none.value.sentence


async def test_a_customers_orders_come_newest_first(shop: Services) -> None:
    await placed(shop, new_order())
    ids = [order["id"] for order in await shop.queries.of_customer("ada_park")]
    assert ids == ["A-1", W1002, W1001]
    assert [order["id"] for order in await shop.queries.of_customer("ada_park", limit=1)] == ["A-1"]
    assert await shop.queries.of_customer("nobody") == []


async def test_parked_orders_wait_at_once_and_others_when_nobody_touched_them(shop: Services, clock: Clock) -> None:
    await approved(shop, new_order("A-1"))
    await shop.payments.park("A-1")
    clock.advance(seconds=1)
    await placed(shop, new_order("A-2"))

    async def waiting() -> list[str]:
        return [order["id"] for order in await shop.queries.unfinished(stale_seconds=120)]

    assert await waiting() == ["A-1"]
    clock.advance(seconds=120)
    assert await waiting() == ["A-1"]
    clock.advance(seconds=1)
    assert await waiting() == ["A-1", "A-2"]
    await steps.move(shop, "A-2", "reserved")
    assert await waiting() == ["A-1"]


async def test_nobody_waits_for_an_order_at_rest(shop: Services, clock: Clock) -> None:
    await paid(shop, new_order("A-1"))
    for parcel in await steps.plan(shop, "A-1"):
        await hand_over_parcel(shop, parcel)
    await shop.fulfilment.join("A-1")
    await placed(shop, new_order("A-2"))
    await shop.orders.compensate("A-2", "CANCELLED")
    clock.advance(days=1)
    assert await shop.queries.unfinished(stale_seconds=0) == []


def elsewhere(order: NewOrder, **differs: str) -> NewOrder:
    address = {"line1": "14 Alder Street", "city": "Portland", "state": "OR", "postcode": "97205", "country": "US"}
    return NewOrder.model_validate(order.model_dump() | {"ship_to": address | differs})


@pytest.mark.parametrize(
    ("order", "score"),
    [
        (new_order(), 0),
        (elsewhere(new_order()), 0),  # her own address, written out
        (elsewhere(new_order(), line1="1 Main Street"), 20),
        (new_order(customer="liam_byrne", method="liam_card"), 15),
        (new_order(lines={"SOFA-LINEN": 2}), 25),  # her past orders: 718.00 and 147.00
        (new_order(method="ada_gift"), 20),
        (new_order(method="ada_gift", lines=MUG), 0),
    ],
)
async def test_the_risk_of_an_order_is_read_from_the_ledger(shop: Services, order: NewOrder, score: int) -> None:
    await placed(shop, order)
    assert await steps.risk_score(shop, "A-1") == score


async def test_a_fourth_order_within_a_day_is_a_risk(shop: Services, clock: Clock) -> None:
    async def risk_of_one_more(order_id: str) -> int:
        clock.advance(minutes=1)
        await placed(shop, new_order(order_id, lines={"LAMP-OAK": 1}))
        return await steps.risk_score(shop, order_id)

    scores = [await risk_of_one_more(f"A-{n}") for n in range(4)]
    assert scores == [0, 0, 0, 25]
    clock.advance(hours=24)
    assert await risk_of_one_more("A-5") == 0
    assert [await steps.risk_score(shop, f"A-{n}") for n in range(4)] == scores  # later orders do not count


@pytest.mark.parametrize(("days", "score"), [(7, 30), (8, 0)])
async def test_a_profile_that_was_just_changed_is_a_risk(shop: Services, clock: Clock, days: int, score: int) -> None:
    with shop.database.writing() as session:
        session.get_one(CustomerRow, "ada_park").profile_changed_at = clock()
    clock.advance(days=days)
    await placed(shop, new_order())
    assert await steps.risk_score(shop, "A-1") == score


@pytest.mark.parametrize(
    ("email", "found"),
    [
        ("ada.park@example.com", "ada_park"),
        (" Ada.Park@Example.com ", "ada_park"),
        ("ada.park@example.org", None),
        ("%", None),
        ("", None),
    ],
)
async def test_a_customer_is_found_by_the_whole_address(shop: Services, email: str, found: str | None) -> None:
    assert await shop.database.read(lambda session: customer_by_email(session, email)) == found


@pytest.mark.parametrize(("customer", "known"), [("ada_park", True), ("nobody", False)])
async def test_the_shop_knows_its_customers(shop: Services, customer: str, known: Any) -> None:
    assert await shop.queries.customer_exists(customer) is known


async def test_the_options_of_an_item_say_what_can_be_had(shop: Services) -> None:
    assert [(each["sku"], each["price"], each["available"]) for each in await shop.queries.options("RUG-SAND")] == [
        ("RUG-MOSS", 329_00, True),
        ("RUG-SAND", 329_00, True),
        ("RUG-INDIGO", 349_00, False),
    ]
    assert await shop.queries.options("NO-SUCH") == []


async def test_the_last_piece_that_somebody_holds_cannot_be_had(shop: Services) -> None:
    await reserved(shop, new_order(lines={"CLOCK-WALNUT": 1}))
    available = {each["sku"]: each["available"] for each in await shop.queries.options("CLOCK-OAK")}
    assert available == {"CLOCK-OAK": True, "CLOCK-ASH": True, "CLOCK-WALNUT": False}


async def test_payment_methods_are_ones_own_without_their_tokens(shop: Services) -> None:
    methods = await shop.queries.payment_methods("ada_park")
    assert {method["id"] for method in methods} == {
        f"ada_{name}" for name in ("card", "declines", "slow", "down", "lost", "gift")
    }
    assert {method["id"]: method["balance"] for method in methods if method["balance"] is not None} == {
        "ada_gift": 70_00
    }
    assert "tok_" not in str(methods)
    assert await shop.queries.payment_methods("nobody") == []


async def test_the_charges_of_an_order_are_told_in_order_and_say_what_is_still_to_come(
    shop: Services, clock: Clock
) -> None:
    clock.advance(minutes=1)
    await pay_by(shop, W1002, "ada_slow")
    told = await shop.queries.charges(W1002, customer_id="ada_park")
    assert [(each["what"], each["method_id"], each["amount"], each["done"]) for each in told] == [
        ("payment", "ada_card", 147_00, True),
        ("payment", "ada_slow", 147_00, False),
    ]
    await shop.payments.collect(W1002)
    told = await shop.queries.charges(W1002, customer_id="ada_park")
    assert [(each["what"], each["amount"], each["done"]) for each in told][-1] == ("refund", 147_00, False)
    await shop.debts.settle(W1002)
    assert all(each["done"] for each in await shop.queries.charges(W1002, customer_id="ada_park"))


@pytest.mark.parametrize("order_id", [W1002, "A-404"])
async def test_nobody_is_told_the_charges_of_anothers_order(shop: Services, order_id: str) -> None:
    with denies("ORDER-EXISTS"):
        await shop.queries.charges(order_id, customer_id="ben_ortiz")
