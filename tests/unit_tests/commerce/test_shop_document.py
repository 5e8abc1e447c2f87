"""A shop's document is read whole and strictly; a wrong one is refused, by place."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pydantic import ValidationError

from agent.commerce.shop_document import Shop
from agent.shop import SHOP

NOW = datetime(2026, 3, 14, 15, 9, tzinfo=UTC)


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
    assert shop.currency == SHOP.currency
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


def test_another_currency_than_the_shops_is_refused() -> None:
    with pytest.raises(ValidationError, match=f"currency: 'XAU', and the shop's is {SHOP.currency}"):
        read(changed(("currency",), "XAU"))


def test_an_order_was_placed_at_a_time_or_so_long_ago() -> None:
    shop = document()
    shop["orders"][1] = {**shop["orders"][1], "placed_ago": "P2DT3H"}
    del shop["orders"][1]["placed_at"]
    first, second = read(shop).orders
    assert first.placed(NOW) == datetime(2026, 3, 1, 10, tzinfo=UTC)
    assert second.placed(NOW) == NOW - timedelta(days=2, hours=3)


@pytest.mark.parametrize(
    "placed",
    [
        {},
        {"placed_at": "2026-03-01T10:00:00Z", "placed_ago": "P1D"},
        {"placed_ago": "-P1D"},
        {"placed_at": "9999-12-31T23:59:59-14:00"},
    ],
)
def test_an_order_that_was_placed_at_no_one_time_is_refused(placed: dict[str, str]) -> None:
    shop = document()
    del shop["orders"][0]["placed_at"]
    shop["orders"][0] |= placed
    with pytest.raises(ValidationError, match="placed_a"):
        read(shop)


@pytest.mark.parametrize("number", ["2026/0001", "2026/0001-b", "#W123"])
def test_order_numbers_may_have_parts(number: str) -> None:
    assert read(changed(("orders", 0, "id"), number)).orders[0].id == number


@pytest.mark.parametrize("number", ["/1", "1/", "1//2", "../x", "1/../2", "a b", "1/.."])
def test_what_would_be_another_path_is_no_order_number(number: str) -> None:
    with pytest.raises(ValidationError, match="id"):
        read(changed(("orders", 0, "id"), number))


@pytest.mark.parametrize(("method", "balance"), [(0, 100), (1, None)])
def test_gift_cards_and_only_gift_cards_have_a_balance(method: int, balance: int | None) -> None:
    with pytest.raises(ValidationError, match="a gift card has a balance") as refused:
        read(changed(("customers", 0, "payment_methods", method, "balance"), balance))
    assert refused.value.errors()[0]["loc"] == ("customers", 0, "payment_methods", method)
