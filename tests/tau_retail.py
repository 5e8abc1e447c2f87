"""The shop of tau-bench (retail) as a shop document of ours: real input that no one here made up.

Its pending orders come beside the document, for sending in anew. Test data: it is read where it lies, and nothing of
it is kept here.
"""

import json
from collections import Counter
from decimal import Decimal
from pathlib import Path
from typing import Any

from agent.commerce.shop import Address, Customer, PaymentMethod, Product, Shop, Variant

ON_HAND = 10
"""Pieces of each variant that the data calls available; it knows no numbers."""

_KINDS: dict[str, Any] = {"credit_card": "card", "paypal": "paypal", "gift_card": "gift_card"}


def load_shop(db_json: Path) -> Shop:
    """Products, and customers with their ways of paying, out of tau-bench's `db.json`; no orders."""
    document = _read(db_json)
    return Shop(
        products=tuple(_product(entry) for entry in document["products"].values()),
        customers=tuple(_customer(entry) for entry in document["users"].values()),
    )


def pending_orders(db_json: Path, count: int) -> list[dict[str, Any]]:
    """The first `count` pending orders by id, as a channel would send them in."""
    orders = _read(db_json)["orders"]
    pending = sorted(order_id for order_id, order in orders.items() if order["status"] == "pending")
    return [_as_sent(orders[order_id]) for order_id in pending[:count]]


def totals(db_json: Path) -> dict[str, int]:
    """{order id: minor units} of what tau-bench says that each order cost."""
    orders = _read(db_json)["orders"]
    return {order_id: _cents(order["payment_history"][0]["amount"]) for order_id, order in orders.items()}


def _read(db_json: Path) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(db_json.read_text(), parse_float=Decimal, parse_int=Decimal)
    return document


def _cents(amount: Decimal) -> int:
    """Minor units, exactly. Raises ValueError for parts of a cent."""
    cents = amount * 100
    if cents != int(cents):
        raise ValueError(f"{amount} is not a whole number of cents")
    return int(cents)


def _product(entry: dict[str, Any]) -> Product:
    variants = (
        Variant(
            sku=variant["item_id"],
            options=variant["options"],
            price=_cents(variant["price"]),
            warehouse="main",
            on_hand=ON_HAND if variant["available"] else 0,
        )
        for variant in entry["variants"].values()
    )
    return Product(id=entry["product_id"], name=entry["name"], variants=tuple(variants))


def _customer(entry: dict[str, Any]) -> Customer:
    return Customer(
        id=entry["user_id"],
        first_name=entry["name"]["first_name"],
        last_name=entry["name"]["last_name"],
        email=entry["email"],
        address=Address(**_address(entry["address"])),
        payment_methods=tuple(_method(method) for method in entry["payment_methods"].values()),
    )


def _method(entry: dict[str, Any]) -> PaymentMethod:
    label = " ".join(str(entry[key]) for key in ("brand", "last_four") if key in entry) or entry["source"]
    balance = _cents(entry["balance"]) if "balance" in entry else None
    return PaymentMethod(
        id=entry["id"], kind=_KINDS[entry["source"]], label=label, token=f"tok_{entry['id']}", balance=balance
    )


def _address(entry: dict[str, str]) -> dict[str, str]:
    return {
        "line1": entry["address1"],
        "line2": entry["address2"],
        "city": entry["city"],
        "state": entry["state"],
        "postcode": entry["zip"],
        "country": entry["country"],
    }


def _as_sent(entry: dict[str, Any]) -> dict[str, Any]:
    return {
        "order_id": entry["order_id"],
        "customer_id": entry["user_id"],
        "lines": [{"sku": sku, "quantity": quantity} for sku, quantity in _basket(entry).items()],
        "payment_method_id": entry["payment_history"][0]["payment_method_id"],
        "ship_to": _address(entry["address"]),
    }


def _basket(entry: dict[str, Any]) -> Counter[str]:
    """{sku: pieces} of an order, which lists each piece."""
    return Counter(item["item_id"] for item in entry["items"])
