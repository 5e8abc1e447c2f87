"""The customers' side of the drill: a seeded stream of orders, and what each customer will do about theirs.

The shop is the one of SHOP_DIR with more on its shelves. Who sends, cancels and pays is in `people`.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from random import Random
from typing import Any, Final

from agent.approvals.chains import LARGE_ORDER, VERY_LARGE_ORDER
from agent.commerce.shop_document import Customer, Shop, Variant
from agent.commerce.shop_import import catalogue

_ON_SALE: Final = [variant for product in catalogue().products for variant in product.variants]

SOLD_OUT: Final = next(variant.sku for variant in _ON_SALE if not variant.on_hand)
LAST_ONES: Final = tuple(each.sku for each in sorted(_ON_SALE, key=lambda each: each.on_hand) if each.on_hand)[:2]
"""What the shop has few of stays scarce: lines compete for it."""

LARGE: Final = max((each.price, each.sku) for each in _ON_SALE if LARGE_ORDER <= each.price < VERY_LARGE_ORDER)[1]
"""One of these needs one person's yes, four need two."""

NOWHERE: Final = {"line1": "1 No Road", "city": "Nowhere", "postcode": "00000", "country": "US"}
"""Where the sandbox's carrier never goes."""

_GIFT: Final = "gift"
_CARDS: Final = {"tok_approve": 66, "tok_slow": 12, "tok_decline": 8, "tok_timeout_after_charge": 6, _GIFT: 8}
"""What the methods do, by their tokens, and how often each is chosen, of 100."""


@dataclass(frozen=True)
class Plan:
    """An order, and what its customer does later. Seconds are counted from when it was first sent."""

    order: dict[str, Any]
    card: str
    other_method: str  # a good card that is not the one of the order
    cancels_after: float | None
    swaps_after: float | None
    pays_declined: bool

    @property
    def id(self) -> str:
        """The order's id."""
        return str(self.order["order_id"])

    @property
    def is_large(self) -> bool:
        """Whether people must say yes to it."""
        return any(line["sku"] == LARGE for line in self.order["lines"])

    @property
    def goes_nowhere(self) -> bool:
        """Whether the carrier will refuse it."""
        return self.order.get("ship_to") == NOWHERE

    @property
    def is_paid_late(self) -> bool:
        """Whether the provider's answer comes late or never."""
        return self.card in ("tok_slow", "tok_timeout_after_charge")


@dataclass
class Placed:
    """An order on its way, as its customer knows it."""

    plan: Plan
    sent_at: float
    accepted: bool = False
    done: set[str] = field(default_factory=set)
    heard: list[str] = field(default_factory=list)


def chaos_shop(now: datetime) -> Shop:
    """The shop to be tried out, with stock and gift cards for hundreds of orders."""
    shop = catalogue()
    products = tuple(
        product.model_copy(update={"variants": tuple(_stocked(variant) for variant in product.variants)})
        for product in shop.products
    )
    customers = tuple(_richer(customer) for customer in shop.customers)
    return shop.model_copy(update={"products": products, "customers": customers})


def stream(random: Random, shop: Shop, seed: int) -> Iterator[Plan]:
    """Orders without end; the same seed gives the same ones."""
    variants = [variant for product in shop.products for variant in product.variants if variant.sku != SOLD_OUT]
    number = 0
    while True:
        number += 1
        yield _plan(random, variants, random.choice(shop.customers), f"C{seed}-{number}")


def _plan(random: Random, variants: list[Variant], customer: Customer, order_id: str) -> Plan:
    lines = {random.choice(variants).sku: random.randint(1, 3) for _ in range(random.choice((1, 1, 2, 2, 3, 5)))}
    if random.random() < 0.08:
        lines[LARGE] = random.choice((1, 4))
    if random.random() < 0.05:
        lines[SOLD_OUT] = 1
    if random.random() < 0.06:
        lines[random.choice(LAST_ONES)] = 1
    card = random.choices(list(_CARDS), list(_CARDS.values()))[0]
    methods = {_GIFT if each.kind == "gift_card" else each.token: each.id for each in customer.payment_methods}
    order = {
        "order_id": order_id,
        "customer_id": customer.id,
        "lines": [{"sku": sku, "quantity": quantity} for sku, quantity in lines.items()],
        "payment_method_id": methods[card],
        "allow_partial": random.random() < 0.5,
    }
    if random.random() < 0.05:
        order["ship_to"] = NOWHERE
    return Plan(
        order,
        card,
        methods["tok_slow" if card == "tok_approve" else "tok_approve"],
        cancels_after=random.choice((0.2, 1.0, 3.0, 10.0, 30.0)) if random.random() < 0.2 else None,
        swaps_after=random.choice((0.3, 1.0, 3.0)) if random.random() < 0.12 else None,
        pays_declined=random.random() < 0.7,
    )


def _stocked(variant: Variant) -> Variant:
    scarce = variant.sku == SOLD_OUT or variant.sku in LAST_ONES
    return variant if scarce else variant.model_copy(update={"on_hand": variant.on_hand * 20})


def _richer(customer: Customer) -> Customer:
    methods = tuple(
        method.model_copy(update={"balance": method.balance * 10}) if method.balance else method
        for method in customer.payment_methods
    )
    return customer.model_copy(update={"payment_methods": methods})
