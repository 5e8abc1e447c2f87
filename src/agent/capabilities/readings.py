"""What a specialist may look up for a customer: their orders, what we sell, our articles. Nothing is changed by any.

Each gives facts, so that what is said later can be held against them: sentences that are true wherever they stand, one
thing in each, and none in the asker's own words. Names that the shop, a customer or a carrier chose stand in “ ”,
since they may say anything. No reading takes a customer's id: whose conversation it is, is not for the asker to say.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from pydantic import Field

from agent.assistant.draft_check import chosen
from agent.capabilities.finding import address_in_words, best, method_in_words
from agent.commerce.policy import money
from agent.commerce.types import Form
from agent.commerce.views import OrderView
from agent.services import Services

Facts = Sequence[str]

MOST_FOUND: Final = 20
"""Orders, products or options that one look-up gives."""

ARTICLES: Final = 2
"""Articles that one look-up gives."""


class OfOrder(Form):
    """The order's number, as the customer wrote it."""

    order_id: str = Field(max_length=100)


class OfWords(Form):
    """A few words of what is looked for."""

    words: str = Field(max_length=300)


class OfProduct(Form):
    """An item of the product."""

    sku: str = Field(max_length=60)


@dataclass(frozen=True)
class Reading:
    """One look-up. `personal` ones are for a customer who is known; `read` gets their id, gives nothing when nothing is
    found, and raises `PolicyDenied`. What is `general` is said whole by the desk: torn out, a sentence says more."""

    name: str
    does: str
    read: Callable[[Services, str, Any], Awaitable[Facts]]
    form: type[Form] = Form
    personal: bool = True
    general: bool = False


async def _my_orders(shop: Services, customer_id: str, _: Form) -> Facts:
    orders = await shop.queries.of_customer(customer_id, limit=MOST_FOUND)
    return [fact for order in orders for fact in _told(order)] or ["You have no orders with us."]


async def _order(shop: Services, customer_id: str, of: OfOrder) -> Facts:
    order_id = await shop.queries.own_order_id(customer_id, of.order_id)
    order = await shop.queries.get(order_id, customer_id=customer_id)
    return [
        *_told(order),
        *_lines(order),
        *(f"A parcel of {order_id} has the tracking number {chosen(number)}." for number in _tracking(order)),
        f"{order_id} is paid by {order['payment_method_id']}.",
        f"{order_id} goes to {chosen(address_in_words(order['ship_to']))}.",
    ]


def _told(order: OrderView) -> Facts:
    what = ", ".join(f"{line['quantity']} × {chosen(line['name'])}" for line in order["lines"])
    order_id = order["id"]
    return [
        f"Order {order_id} is {order['status']}.",
        f"{order_id} is of {what}.",
        f"{order_id} costs {money(order['total'])}.",
    ]


def _lines(order: OrderView) -> Facts:
    return [
        f"Of {order['id']}: {line['quantity']} × {chosen(line['name'])} ({line['sku']}) at {money(line['unit_price'])}."
        for line in order["lines"]
    ]


def _tracking(order: OrderView) -> list[str]:
    return [parcel["tracking_id"] for parcel in order["parcels"] if parcel["tracking_id"]]


async def _charges(shop: Services, customer_id: str, of: OfOrder) -> Facts:
    order_id = await shop.queries.own_order_id(customer_id, of.order_id)
    order = await shop.queries.get(order_id, customer_id=customer_id)
    charges = await shop.queries.charges(order_id, customer_id=customer_id)
    moved = [
        f"For {order_id}, {charge['at'][:10]}: {charge['what']} of {money(charge['amount'])}, {charge['method_id']}"
        f"{'' if charge['done'] else ', not made yet'}."
        for charge in charges
    ]
    return [*_told(order), *_lines(order), *(moved or [f"Nothing was charged for {order_id}."])]


async def _my_account(shop: Services, customer_id: str, _: Form) -> Facts:
    methods = await shop.queries.payment_methods(customer_id)
    address = await shop.queries.address_of(customer_id)
    return [
        f"Your address for later orders: {chosen(address_in_words(address))}.",
        *(f"Your payment method {method['id']}: {chosen(method_in_words(method))}." for method in methods),
    ]


async def _products(shop: Services, _: str, of: OfWords) -> Facts:
    names = list((await shop.queries.product_names()).items())
    found = best(names, of.words, lambda each: each[1])[:MOST_FOUND]
    options = await shop.queries.options_of([product_id for product_id, _ in found])
    return [_option(each) for each in options[:MOST_FOUND]]


async def _options(shop: Services, _: str, of: OfProduct) -> Facts:
    options = await shop.queries.options(of.sku)
    return [_option(each) for each in options[:MOST_FOUND]]


def _option(each: dict[str, Any]) -> str:
    options = ", ".join(f"{name} {value}" for name, value in each["options"].items())
    state = "available" if each["available"] else "sold out"
    return f"{chosen(each['name'])} ({each['sku']}), {chosen(options)}: {money(each['price'])}, {state}."


async def _articles(shop: Services, _: str, of: OfWords) -> Facts:
    found = await shop.knowledge.search(of.words, ARTICLES)
    return [f"{article.title}: {article.text}" for article in found]


READINGS: Final = (
    Reading("find_my_orders", "the customer's latest orders", _my_orders),
    Reading("show_order", "an order of the customer's: status, items with SKUs, method, address", _order, OfOrder),
    Reading("explain_charges", "what was charged and refunded for an order of the customer's", _charges, OfOrder),
    Reading("show_my_account", "the customer's address and payment methods with their ids", _my_account),
    Reading("find_products", "what the shop sells: options, SKUs, prices, stock", _products, OfWords, personal=False),
    Reading("show_options", "the options of the product of an item", _options, OfProduct, personal=False),
    Reading("search_articles", "the shop's articles", _articles, OfWords, personal=False, general=True),
)
