"""Placing: catalogue prices, one order an id, and a refusal that leaves the ledger as it was."""

import asyncio
from typing import Any

import pytest

from agent.commerce.commands import NewOrder
from agent.ledger.database import KeyReusedError, PolicyDenied
from agent.ledger.tables import VariantRow
from agent.services import Services
from agent.shop import SHOP
from tests.support.clock import Clock
from tests.support.commands import place_order
from tests.support.goods import W1001, W1003
from tests.support.scenes import LINES, TOTAL, denies, dump, new_order, placed

ELSEWHERE = {"line1": "1 Main Street", "city": "Salem", "postcode": "97301", "country": "US"}


def changed(**fields: Any) -> NewOrder:
    return NewOrder.model_validate(new_order().model_dump() | fields)


async def test_prices_and_address_come_from_the_ledger(shop: Services, clock: Clock) -> None:
    order = await placed(shop, new_order())
    assert [(line["sku"], line["quantity"], line["unit_price"], line["reservation"]) for line in order["lines"]] == [
        ("LAMP-OAK", 2, 69_00, "none"),
        ("CLOCK-OAK", 1, 95_00, "none"),
    ]
    assert (order["total"], order["currency"]) == (TOTAL, SHOP.currency)
    assert (order["status"], order["stage"], order["placed_by"]) == ("pending", "placed", "storefront")
    assert order["placed_at"] == clock().isoformat()
    [home] = [row["address"] for row in (await dump(shop))["customers"] if row["id"] == "ada_park"]
    assert order["ship_to"] == home


async def test_an_order_may_go_elsewhere(shop: Services) -> None:
    order = await placed(shop, changed(ship_to=ELSEWHERE))
    assert order["ship_to"] == ELSEWHERE | {"line2": "", "state": ""}


async def test_the_same_item_on_two_lines_is_paid_twice(shop: Services) -> None:
    order = await placed(shop, changed(lines=[{"sku": "LAMP-OAK", "quantity": 1}, {"sku": "LAMP-OAK", "quantity": 2}]))
    assert order["total"] == 3 * 69_00
    assert [line["number"] for line in order["lines"]] == [1, 2]


@pytest.mark.parametrize(
    ("fields", "rule"),
    [
        ({"customer_id": "nobody"}, "ORDER-CUSTOMER"),
        ({"lines": [{"sku": "LAMP-OAK", "quantity": 1}, {"sku": "LAMP-GOLD", "quantity": 1}]}, "ORDER-SKU"),
        ({"payment_method_id": "ada_cheque"}, "ORDER-METHOD"),
        ({"payment_method_id": "ben_card"}, "ORDER-METHOD"),
        ({"lines": [{"sku": "DESK-WALNUT", "quantity": 1000}] * 100}, "ORDER-TOTAL"),
        ({"order_id": W1001}, "ORDER-ID-TAKEN"),  # her own, from before
        ({"order_id": W1003}, "ORDER-ID-TAKEN"),  # another customer's
    ],
)
async def test_a_refused_order_leaves_the_ledger_as_it_was(shop: Services, fields: dict[str, Any], rule: str) -> None:
    before = await dump(shop)
    with denies(rule):
        await placed(shop, changed(**fields))
    assert await dump(shop) == before


async def test_unknown_items_are_named(shop: Services) -> None:
    lines = [{"sku": sku, "quantity": 1} for sku in ("SOFA-TIN", "LAMP-OAK", "LAMP-GOLD")]
    with pytest.raises(PolicyDenied, match=r"\(LAMP-GOLD, SOFA-TIN\)"):
        await placed(shop, changed(lines=lines))


async def test_a_refused_order_may_be_corrected_under_its_id(shop: Services) -> None:
    with denies("ORDER-METHOD"):
        await placed(shop, changed(payment_method_id="ben_card"))
    assert (await placed(shop, new_order()))["stage"] == "placed"


async def test_the_same_order_again_is_the_same_order(shop: Services, clock: Clock) -> None:
    first = await placed(shop, new_order())
    before = await dump(shop)
    clock.advance(hours=1)
    assert await place_order(shop, new_order(), actor="another window") == first
    assert await dump(shop) == before


async def test_an_order_keeps_its_prices_when_the_catalogue_changes(shop: Services) -> None:
    first = await placed(shop, new_order())
    with shop.database.writing() as session:
        session.get_one(VariantRow, "LAMP-OAK").price = 1
    assert await placed(shop, new_order()) == first


async def test_the_same_order_many_times_at_once_is_one_order(shop: Services) -> None:
    views = await asyncio.gather(*(placed(shop, new_order()) for _ in range(5)))
    assert all(view == views[0] for view in views)
    assert [row["number"] for row in (await dump(shop))["order_lines"] if row["order_id"] == "A-1"] == [1, 2]


@pytest.mark.parametrize(
    "fields",
    [
        {"lines": [{"sku": "LAMP-OAK", "quantity": 3}, {"sku": "CLOCK-OAK", "quantity": 1}]},
        {"payment_method_id": "ada_gift"},
        {"customer_id": "ben_ortiz", "payment_method_id": "ben_card"},
        {"ship_to": ELSEWHERE},
    ],
)
async def test_another_order_under_a_taken_id_is_refused(shop: Services, fields: dict[str, Any]) -> None:
    await placed(shop, new_order())
    before = await dump(shop)
    with pytest.raises(KeyReusedError, match="A-1"):
        await placed(shop, changed(**fields))
    assert await dump(shop) == before


async def test_of_two_different_orders_at_once_under_one_id_one_is_placed(shop: Services) -> None:
    other = changed(lines=[{"sku": "MUG-BLUE", "quantity": 1}])
    outcomes = await asyncio.gather(placed(shop, new_order()), placed(shop, other), return_exceptions=True)
    [refused] = [outcome for outcome in outcomes if isinstance(outcome, BaseException)]
    assert isinstance(refused, KeyReusedError)
    skus = [line["sku"] for line in (await shop.queries.get("A-1"))["lines"]]
    assert skus in (list(LINES), ["MUG-BLUE"])
