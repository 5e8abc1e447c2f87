"""tau-bench's form of a shop, and ours: its products, users and orders as a document of ours, and our rows as its.

For `tau_retail`, which reads the data and runs its cases.
"""

from collections import Counter, defaultdict
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from agent.commerce.shop_document import Customer, Line, PaymentMethod, Product, ShopOrder, Variant
from agent.commerce.types import Address
from tests.support.scenes import Dump

Json = dict[str, Any]

ON_HAND = 10
"""Pieces of each variant that the data calls available; it knows no numbers."""

LONG_AGO = datetime(2024, 5, 15, 15, tzinfo=UTC)
"""When every order of the data was placed; it knows no times."""

_KINDS: dict[str, Any] = {"credit_card": "card", "paypal": "paypal", "gift_card": "gift_card"}
_ADDRESS = {  # our field: theirs
    "line1": "address1",
    "line2": "address2",
    "city": "city",
    "state": "state",
    "postcode": "zip",
    "country": "country",
}


def cents(amount: Decimal) -> int:
    """Minor units, exactly. Raises ValueError for parts of a cent."""
    minor = amount * 100
    if minor != int(minor):
        raise ValueError(f"{amount} is not a whole number of cents")
    return int(minor)


def product(entry: Json) -> Product:
    """A product of theirs."""
    variants = (
        Variant(
            sku=variant["item_id"],
            options=variant["options"],
            price=cents(variant["price"]),
            warehouse="main",
            on_hand=ON_HAND if variant["available"] else 0,
        )
        for variant in entry["variants"].values()
    )
    return Product(id=entry["product_id"], name=entry["name"], variants=tuple(variants))


def customer(entry: Json) -> Customer:
    """A user of theirs."""
    return Customer(
        id=entry["user_id"],
        first_name=entry["name"]["first_name"],
        last_name=entry["name"]["last_name"],
        email=entry["email"],
        address=Address(**address(entry["address"])),
        payment_methods=tuple(_method(method) for method in entry["payment_methods"].values()),
    )


def _method(entry: Json) -> PaymentMethod:
    label = " ".join(str(entry[key]) for key in ("brand", "last_four") if key in entry) or entry["source"]
    balance = cents(entry["balance"]) if "balance" in entry else None
    return PaymentMethod(
        id=entry["id"], kind=_KINDS[entry["source"]], label=label, token=f"tok_{entry['id']}", balance=balance
    )


def order(entry: Json) -> ShopOrder:
    """An order of theirs; each piece is a line of its own, as there. Raises ValueError for more than one parcel."""
    [tracking_id] = [each for parcel in entry["fulfillments"] for each in parcel["tracking_id"]] or [None]
    lines = (Line(sku=item["item_id"], quantity=1, unit_price=cents(item["price"])) for item in entry["items"])
    return ShopOrder(
        id=entry["order_id"],
        customer_id=entry["user_id"],
        status=entry["status"],
        placed_at=LONG_AGO,
        payment_method_id=entry["payment_history"][0]["payment_method_id"],
        ship_to=Address(**address(entry["address"])),
        lines=tuple(lines),
        tracking_id=tracking_id,
    )


def new_order(entry: Json) -> Json:
    """An order of theirs as a channel would send it in."""
    basket = Counter(item["item_id"] for item in entry["items"])  # it lists each piece
    return {
        "order_id": entry["order_id"],
        "customer_id": entry["user_id"],
        "lines": [{"sku": sku, "quantity": quantity} for sku, quantity in basket.items()],
        "payment_method_id": entry["payment_history"][0]["payment_method_id"],
        "ship_to": address(entry["address"]),
    }


def address(theirs: dict[str, str]) -> dict[str, str]:
    """An address of theirs."""
    return {our: theirs[their] for our, their in _ADDRESS.items()}


def _their_address(ours: dict[str, str]) -> dict[str, str]:
    return {their: ours[our] for our, their in _ADDRESS.items()}


def users(rows: Dump, before: dict[str, Json]) -> dict[str, Json]:
    """Every customer as a user of theirs. What the ledger does not keep (brands, lists of orders) is as it was."""
    balances = Counter[str]()
    for entry in rows["money_entries"]:
        balances[entry["method_id"]] -= entry["amount"]

    def user(row: Json) -> Json:
        was = before[row["id"]]
        methods = {
            name: method | ({"balance": balances[name] / 100} if "balance" in method else {})
            for name, method in was["payment_methods"].items()
        }
        return was | {"address": _their_address(row["address"]), "payment_methods": methods}

    return {row["id"]: user(row) for row in rows["customers"]}


def orders(rows: Dump, before: dict[str, Json], even: dict[str, str]) -> dict[str, Json]:
    """Every order as theirs. Of one that came cancelled the ledger keeps neither money nor parcels: both are as before.

    `even` is {order: payment method} of items changed at an equal price. They write a refund of nothing for that: it is
    form, not money, and is added here.
    """
    items, returns = _items(rows), _returns(rows)
    parcels, history = _parcels(rows, items), _history(rows)
    for order_id, method_id in even.items():
        history[order_id].append(_money("refund", 0, method_id))

    def entry(row: Json) -> Json:
        order_id = row["id"]
        was, long_over = before[order_id], row["reason"] == "IMPORTED"
        found = {
            "order_id": order_id,
            "user_id": row["customer_id"],
            "address": _their_address(row["ship_to"]),
            "items": items[order_id],
            "status": row["status"],
            "fulfillments": was["fulfillments"] if long_over else parcels[order_id],
            "payment_history": was["payment_history"] if long_over else history[order_id],
        }
        reason = {"cancel_reason": row["cancel_reason"]} if row["cancel_reason"] else {}
        return found | reason | returns.get(order_id, {})

    return {row["id"]: entry(row) for row in rows["orders"]}


def _items(rows: Dump) -> dict[str, list[Json]]:
    """Each order's pieces, by line."""
    names = {row["id"]: row["name"] for row in rows["products"]}
    variants = {row["sku"]: row for row in rows["variants"]}
    items = defaultdict[str, list[Json]](list)
    for line in rows["order_lines"]:
        variant = variants[line["sku"]]
        piece = {
            "name": names[variant["product_id"]],
            "product_id": variant["product_id"],
            "item_id": line["sku"],
            "price": line["unit_price"] / 100,
            "options": variant["options"],
        }
        items[line["order_id"]] += [piece] * line["quantity"]
    return items


def _history(rows: Dump) -> dict[str, list[Json]]:
    """Each order's money that moved, oldest first."""
    paid_at = {row["key"]: row["at"] for row in rows["payments"]}
    moved = [(row["at"], 0, row["at"], row) for row in rows["payments"] if row["outcome"] == "captured"]
    moved += [(row["at"], 1, paid_at[row["payment_key"]], row) for row in rows["debts"] if row["settled"]]
    history = defaultdict[str, list[Json]](list)
    for _, back, _, row in sorted(moved, key=lambda move: move[:3]):
        history[row["order_id"]].append(_money("refund" if back else "payment", row["amount"], row["method_id"]))
    return history


def _money(kind: str, amount: int, method_id: str) -> Json:
    return {"transaction_type": kind, "amount": amount / 100, "payment_method_id": method_id}


def _parcels(rows: Dump, items: dict[str, list[Json]]) -> dict[str, list[Json]]:
    """Each order's parcels that have left."""
    parcels = defaultdict[str, list[Json]](list)
    for row in rows["parcels"]:
        if row["tracking_id"]:
            skus = [items[row["order_id"]][number - 1]["item_id"] for number in row["lines"]]
            parcels[row["order_id"]].append({"tracking_id": [row["tracking_id"]], "item_ids": skus})
    return parcels


def _returns(rows: Dump) -> dict[str, Json]:
    """What is asked to be returned or exchanged, by order."""
    old, new = defaultdict[str, list[str]](list), defaultdict[str, list[str]](list)
    order_of = {row["id"]: row["order_id"] for row in rows["returns"]}
    for line in rows["return_lines"]:
        old[order_of[line["return_id"]]] += [line["sku"]] * line["quantity"]
        if line["new_sku"]:
            new[order_of[line["return_id"]]] += [line["new_sku"]] * line["quantity"]

    def entry(row: Json) -> Json:
        order_id, method_id = row["order_id"], row["method_id"]
        if not new[order_id]:
            return {"return_items": sorted(old[order_id]), "return_payment_method_id": method_id}
        return {
            "exchange_items": sorted(old[order_id]),
            "exchange_new_items": sorted(new[order_id]),
            "exchange_payment_method_id": method_id,
            "exchange_price_difference": row["amount"] / 100,
        }

    return {row["order_id"]: entry(row) for row in rows["returns"]}
