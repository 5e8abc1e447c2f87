"""What synthetic customers will do, as a pure function of a seed and a rate: the same seed, the same orders and words.

Whom they are and what they buy is the catalogue of the shop in SHOP_DIR. Who sends it is in `play`.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count
from random import Random
from typing import Final, Literal

from agent.approvals.chains import LARGE_ORDER, VERY_LARGE_ORDER
from agent.assistant.knowledge import read_article
from agent.commerce.shop_document import Customer
from agent.commerce.shop_import import catalogue
from agent.shop import SHOP

Kind = Literal["nothing", "status", "cancel", "refund", "return", "question", "person"]

AFTERWARDS: Final[dict[Kind, int]] = {
    "nothing": 40, "status": 20, "question": 15, "cancel": 10, "refund": 6, "return": 6, "person": 3,
}  # fmt: skip
"""What a customer writes about once their order is placed, and how often of 100."""

CARDS: Final = {"tok_approve": 88, "tok_slow": 6, "tok_decline": 4, "tok_timeout_after_charge": 2}
"""What the card does that an order is paid with, by its token at the sandbox, and how often of 100."""

LARGE: Final = 0.06
"""Of all orders: those that one person or two must say yes to."""

_LAST_DIGITS: Final = re.compile(r"[0-9]+(?=[^0-9]*$)")
_YES: Final = "Yes, please."
_REASON: Final = "I don't need it any more."


@dataclass(frozen=True)
class Order:
    """An order as it is sent in."""

    id: str
    customer_id: str
    lines: dict[str, int]
    payment_method_id: str

    def document(self) -> dict[str, object]:
        """What the graph takes."""
        lines = [{"sku": sku, "quantity": quantity} for sku, quantity in self.lines.items()]
        return {
            "order_id": self.id,
            "customer_id": self.customer_id,
            "lines": lines,
            "payment_method_id": self.payment_method_id,
        }


@dataclass(frozen=True)
class Visit:
    """A customer comes `at` so many seconds, orders, and writes `says`, one after the other, `pause` seconds later."""

    at: float
    order: Order
    kind: Kind
    pause: float
    says: tuple[str, ...]


def plan(seed: int, rate: float) -> Iterator[Visit]:
    """Visits without end, `rate` a second, as a Poisson process. Raises ValueError for a rate that is not positive."""
    if rate <= 0:
        raise ValueError(f"rate: {rate} is not more than 0 a second")
    random, customers, goods = Random(seed), catalogue().customers, _goods()
    questions = [question for path in sorted(SHOP.articles.glob("*.md")) for question in read_article(path)[1]]
    at = 0.0
    for number in count(1):
        at += random.expovariate(rate)
        customer = random.choice(customers)
        lines = _large(random, goods) if random.random() < LARGE else _small(random, goods)
        order = Order(order_number(seed, number), customer.id, lines, _method(random, customer))
        [kind] = random.choices(list(AFTERWARDS), list(AFTERWARDS.values()))
        yield Visit(at, order, kind, random.uniform(1, 15), _words(kind, random, order, goods, questions))


def order_number(seed: int, number: int) -> str:
    """The number of a visit's order, as the shop writes them; no two seeds below 1,000 have one in common."""
    return _LAST_DIGITS.sub(f"{seed % 1_000:03}{number:04}", SHOP.order_number)


Goods = dict[str, tuple[str, int]]
"""By SKU the name and the price in minor units of what there is."""


def _goods() -> Goods:
    return {
        variant.sku: (product.name, variant.price)
        for product in catalogue().products
        for variant in product.variants
        if variant.on_hand
    }


def _small(random: Random, goods: Goods) -> dict[str, int]:
    """A few things, whose sum needs nobody's yes."""
    picked: dict[str, int] = {}
    left = LARGE_ORDER - 1
    for _ in range(random.choice((1, 1, 2, 3))):
        if affordable := [sku for sku, (_, price) in goods.items() if price <= left and sku not in picked]:
            sku = random.choice(affordable)
            picked[sku] = random.randint(1, min(2, left // goods[sku][1]))
            left -= picked[sku] * goods[sku][1]
    return picked


def _large(random: Random, goods: Goods) -> dict[str, int]:
    """One dear thing, so often that one person must say yes to it, or two."""
    dear = max(goods, key=lambda sku: goods[sku][1])
    wanted = LARGE_ORDER if random.random() < 0.8 else VERY_LARGE_ORDER
    return {dear: -(-wanted // goods[dear][1])}


def _method(random: Random, customer: Customer) -> str:
    methods = {method.token: method.id for method in customer.payment_methods if isinstance(method.token, str)}
    return methods[random.choices(list(CARDS), list(CARDS.values()))[0]]


def _words(kind: Kind, random: Random, order: Order, goods: Goods, questions: list[str]) -> tuple[str, ...]:
    """What the customer says, as long as the desk asks, in words that it reads without a model."""
    sku = next(iter(order.lines))
    name, price = goods[sku]
    match kind:
        case "nothing":
            return ()
        case "status":
            return (f"Where is {order.id}?",)
        case "question":
            return (random.choice(questions),)
        case "cancel":
            return (f"Please cancel {order.id}.", _REASON, _YES)
        case "refund":
            amount = SHOP.amount(price // random.choice((2, 4)))
            return (f"The {name.lower()} from {order.id} came damaged. I would like {amount} back.", _YES)
        case "return":
            return (f"I want to return {sku} from {order.id}.", _YES)
        case "person":
            return (f"I want to talk to a person about {order.id}.",)
