"""The demo shop is the same every time and fit for the demos; a wrong shop is refused, by place."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from agent.commerce.demo_shop import demo_shop
from agent.commerce.shop_document import Shop

NOW = datetime(2026, 3, 14, 15, 9, tzinfo=UTC)

times = st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC))


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(), now=times)
def test_any_seed_and_time_gives_one_valid_shop_that_survives_json(seed: int, now: datetime) -> None:
    shop = demo_shop(seed, now=now)
    assert shop == demo_shop(seed, now=now)
    assert Shop.model_validate_json(shop.model_dump_json()) == shop
    assert all(order.placed_at < now for order in shop.orders)


def test_seeds_differ_in_stock_but_not_in_names_and_prices() -> None:
    one, other = demo_shop(7, now=NOW), demo_shop(8, now=NOW)
    assert one != other
    assert prices(one) == prices(other)
    assert [customer.id for customer in one.customers] == [customer.id for customer in other.customers]


def test_placed_times_move_with_now() -> None:
    shop, later = demo_shop(now=NOW), demo_shop(now=NOW + timedelta(days=3))
    for order, moved in zip(shop.orders, later.orders, strict=True):
        assert moved.placed_at - order.placed_at == timedelta(days=3)


def test_a_now_without_time_zone_is_refused() -> None:
    with pytest.raises(ValidationError, match="placed_at"):
        demo_shop(now=NOW.replace(tzinfo=None))


def prices(shop: Shop) -> dict[str, int]:
    return {variant.sku: variant.price for product in shop.products for variant in product.variants}


def test_it_is_large_enough_for_every_demo() -> None:
    shop = demo_shop(now=NOW)
    assert (len(shop.products), len(prices(shop)), len(shop.customers), len(shop.orders)) == (20, 60, 12, 15)
    assert {"LAMP-OAK", "LAMP-BRASS", "DESK-WALNUT"} <= prices(shop).keys()
    assert {variant.warehouse for product in shop.products for variant in product.variants} == {
        "east",
        "west",
    }
    assert {"ada_park", "ben_ortiz", "chloe_meyer"} <= {customer.id for customer in shop.customers}
    assert {order.status for order in shop.orders} == {"pending", "processed", "delivered", "cancelled"}


def test_one_variant_is_sold_out_one_is_the_last_and_an_order_of_5000_is_possible() -> None:
    variants = [variant for product in demo_shop(now=NOW).products for variant in product.variants]
    stock = {variant.sku: variant.on_hand for variant in variants}
    assert [sku for sku, on_hand in stock.items() if on_hand == 0] == ["RUG-INDIGO"]
    assert [sku for sku, on_hand in stock.items() if on_hand == 1] == ["CLOCK-WALNUT"]
    assert min(variant.price for variant in variants) < 10_00
    assert max(variant.price * variant.on_hand for variant in variants) >= 5_000_00


def test_every_customer_has_a_card_of_each_behaviour_and_a_gift_card() -> None:
    for customer in demo_shop(now=NOW).customers:
        name = customer.first_name.lower()
        tokens = {method.id: method.token for method in customer.payment_methods if method.kind == "card"}
        assert tokens == {
            f"{name}_card": "tok_approve",
            f"{name}_declines": "tok_decline",
            f"{name}_slow": "tok_slow",
            f"{name}_down": "tok_down",
            f"{name}_lost": "tok_timeout_after_charge",
        }
        [gift] = [method for method in customer.payment_methods if method.kind == "gift_card"]
        assert gift.id == f"{name}_gift"
        assert gift.balance


def test_past_orders_are_paid_by_methods_that_work_at_catalogue_prices() -> None:
    shop = demo_shop(now=NOW)
    assert [order.id for order in shop.orders] == [f"W-{number}" for number in range(1001, 1016)]
    assert {order.payment_method_id.split("_")[1] for order in shop.orders} == {"card", "gift"}
    for order in shop.orders:
        assert all(line.unit_price == prices(shop)[line.sku] for line in order.lines)
    delivered = [order for order in shop.orders if order.status == "delivered"]
    assert all(order.total > 50_00 for order in delivered)


def document() -> dict[str, Any]:
    """A small shop that is valid, as JSON."""
    address = {"line1": "1 Main Street", "city": "Salem", "postcode": "97301", "country": "US"}
    return {
        "products": [
            {
                "id": "lamp",
                "name": "Lamp",
                "variants": [variant("LAMP-OAK"), variant("LAMP-BRASS")],
            }
        ],
        "customers": [customer("ada", address), customer("ben", address)],
        "orders": [order("W-1", "ada", address), order("W-2", "ben", address)],
    }


def variant(sku: str) -> dict[str, Any]:
    return {"sku": sku, "options": {"finish": sku}, "price": 6900, "warehouse": "east", "on_hand": 3}


def customer(name: str, address: dict[str, str]) -> dict[str, Any]:
    return {
        "id": name,
        "first_name": name,
        "last_name": "Park",
        "email": f"{name}@example.com",
        "address": address,
        "payment_methods": [
            {"id": f"{name}_card", "kind": "card", "label": "Card", "token": "t"},
            {"id": f"{name}_gift", "kind": "gift_card", "label": "Gift", "token": "g", "balance": 100},
        ],
    }


def order(number: str, customer_id: str, address: dict[str, str]) -> dict[str, Any]:
    return {
        "id": number,
        "customer_id": customer_id,
        "status": "pending",
        "placed_at": "2026-03-01T10:00:00Z",
        "payment_method_id": f"{customer_id}_card",
        "ship_to": address,
        "lines": [{"sku": "LAMP-OAK", "quantity": 2, "unit_price": 6900}],
    }


def read(shop: dict[str, Any]) -> Shop:
    return Shop.model_validate_json(json.dumps(shop))


def test_the_small_shop_is_valid_without_what_is_optional() -> None:
    shop = read(document())
    assert shop.currency == "USD"
    assert shop.orders[0].total == 13800
    assert shop.customers[0].address.line2 == ""
    assert read(document() | {"orders": []}).orders == ()


Path = tuple[str | int, ...]


def changed(path: Path, value: object) -> dict[str, Any]:
    shop: Any = document()
    place = shop
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = value
    found: dict[str, Any] = shop
    return found


@pytest.mark.parametrize(
    ("path", "value", "told"),
    [
        (
            ("products", 0, "variants", 1, "sku"),
            "LAMP-OAK",
            "products[0].variants[1].sku: 'LAMP-OAK' is already",
        ),
        (("customers", 1, "id"), "ada", "customers[1].id: 'ada' is already at customers[0].id"),
        (("customers", 1, "email"), "ADA@example.com", "customers[1].email: 'ada@example.com' is already"),
        (("orders", 1, "id"), "W-1", "orders[1].id: 'W-1' is already at orders[0].id"),
        (
            ("customers", 1, "payment_methods", 1, "id"),
            "ada_gift",
            "customers[1].payment_methods[1].id: 'ada_gift' is already at customers[0].payment_methods[1].id",
        ),
        (("orders", 1, "customer_id"), "eve", "orders[1].customer_id: no customer 'eve'"),
        (
            ("orders", 1, "payment_method_id"),
            "x",
            "orders[1].payment_method_id: 'x' is not a method of 'ben'",
        ),
        (("orders", 1, "payment_method_id"), "ada_card", "'ada_card' is not a method of 'ben'"),
        (("orders", 1, "lines", 0, "sku"), "SOFA", "orders[1].lines[0].sku: no variant 'SOFA'"),
    ],
)
def test_a_shop_that_does_not_hold_together_is_refused_by_place(path: Path, value: object, told: str) -> None:
    with pytest.raises(ValidationError) as refused:
        read(changed(path, value))
    assert told in str(refused.value)


def test_a_repeated_product_is_refused_by_place() -> None:
    shop = document()
    shop["products"].append(shop["products"][0] | {"variants": [variant("LAMP-BLACK")]})
    with pytest.raises(ValidationError, match=r"products\[1\]\.id: 'lamp' is already at products\[0\]\.id"):
        read(shop)


def test_everything_that_is_wrong_is_told_at_once() -> None:
    shop = changed(("orders", 0, "lines", 0, "sku"), "SOFA")
    shop["orders"][1]["customer_id"] = "eve"
    with pytest.raises(ValidationError, match=r"no variant 'SOFA'.*no customer 'eve'"):
        read(shop)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("another",), 1),
        (("currency",), "dollars"),
        (("products", 0, "variants"), []),
        (("products", 0, "variants", 0, "price"), -1),
        (("products", 0, "variants", 0, "price"), 69.5),
        (("products", 0, "variants", 0, "price"), "6900"),
        (("products", 0, "variants", 0, "on_hand"), -1),
        (("products", 0, "variants", 0, "sku"), ""),
        (("customers", 0, "email"), "nobody"),
        (("customers", 0, "address", "postcode"), None),
        (("customers", 0, "payment_methods"), []),
        (("customers", 0, "payment_methods", 0, "kind"), "cash"),
        (("orders", 0, "status"), "lost"),
        (("orders", 0, "placed_at"), "2026-03-01T10:00:00"),
        (("orders", 0, "lines"), []),
        (("orders", 0, "lines", 0, "quantity"), 0),
        (("orders", 0, "lines", 0, "discount"), 1),
    ],
)
def test_a_wrong_field_is_refused_by_place(path: Path, value: object) -> None:
    with pytest.raises(ValidationError) as refused:
        read(changed(path, value))
    assert path in [error["loc"] for error in refused.value.errors()]


@pytest.mark.parametrize(("method", "balance"), [(0, 100), (1, None)])
def test_gift_cards_and_only_gift_cards_have_a_balance(method: int, balance: int | None) -> None:
    with pytest.raises(ValidationError, match="a gift card has a balance") as refused:
        read(changed(("customers", 0, "payment_methods", method, "balance"), balance))
    assert refused.value.errors()[0]["loc"] == ("customers", 0, "payment_methods", method)
