"""The import format: a whole shop as one document of products, customers, payment methods and past orders.

Strict and frozen; a document that does not hold together is refused with the places that are wrong. Only the
form lives here: `shop_import` reads one, and writes it into the ledger.
"""

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, AwareDatetime, Discriminator, Field, Tag, model_validator

from agent.commerce.types import LARGEST_AMOUNT, Address, Form, Id, OrderId
from agent.identity import is_staff_name
from agent.shop import SHOP


def _no_colleague(name: str) -> str:
    if is_staff_name(name):
        raise ValueError(f"{name!r} is what a colleague or a program is called")
    return name


Amount = Annotated[int, Field(ge=0, le=LARGEST_AMOUNT)]
"""Money in minor units of the shop's currency."""

Quantity = Annotated[int, Field(ge=1, le=10_000)]
ShortId = Annotated[Id, Field(max_length=40)]
CustomerId = Annotated[Id, AfterValidator(_no_colleague)]
Text = Annotated[str, Field(min_length=1, max_length=100)]
Token = Annotated[
    Annotated[Text, Tag("text")] | Annotated[dict[ShortId, Text], Field(min_length=1), Tag("by provider")],
    Discriminator(lambda token: "by provider" if isinstance(token, dict) else "text"),
]
"""What a provider calls a payment method: the first provider, or each that is named."""


class Variant(Form):
    """One option of a product, as it is bought. `price` is in minor units a piece.

    `on_hand` pieces in `warehouse` can be sold; what pending orders of the document hold comes on top.
    """

    sku: ShortId
    options: dict[str, str]
    price: Amount = Field(gt=0)  # no provider takes a charge of nothing
    warehouse: Annotated[Id, Field(max_length=39)]  # a parcel is called by its order and its warehouse
    on_hand: int = Field(ge=0, le=1_000_000)


class Product(Form):
    """Something the shop sells, in one or more variants."""

    id: ShortId
    name: str = Field(min_length=1, max_length=200)
    variants: tuple[Variant, ...] = Field(min_length=1)


class PaymentMethod(Form):
    """One way in which a customer pays. `token` is the provider's name for it, never a card number: of the first
    provider's if it is a text, of each that is named if it is {provider: token}.

    `balance` (minor units, what can still be spent) belongs to gift cards, and to nothing else.
    """

    id: Id
    kind: Literal["card", "paypal", "gift_card"]
    label: Text
    token: Token
    balance: Amount | None = None

    @model_validator(mode="after")
    def _balance_belongs_to_gift_cards(self) -> Self:
        if (self.kind == "gift_card") != (self.balance is not None):
            raise ValueError(f"{self.id!r}: a gift card has a balance, and nothing else has one")
        return self


class Customer(Form):
    """A customer; `address` is the default ship-to."""

    id: CustomerId
    first_name: Text
    last_name: Text
    email: str = Field(pattern=r"^[^@\s]+@[^@\s]+$", max_length=200)
    address: Address
    payment_methods: tuple[PaymentMethod, ...] = Field(min_length=1)


class Line(Form):
    """One line of an order, at the price (minor units, a piece) of the moment it was placed."""

    sku: ShortId
    quantity: Quantity
    unit_price: Amount


class ShopOrder(Form):
    """An order from before the shop moved in; its whole total was paid by one method, and it left in one parcel."""

    id: OrderId
    customer_id: Id
    status: Literal["pending", "processed", "delivered", "cancelled"]
    placed_at: AwareDatetime | None = None
    placed_ago: timedelta | None = Field(default=None, ge=timedelta(0), le=timedelta(days=3650))  # for a demo
    payment_method_id: Id
    payment_id: str | None = Field(default=None, min_length=1, max_length=100)  # what its provider calls the payment
    ship_to: Address
    lines: tuple[Line, ...] = Field(min_length=1, max_length=100)
    tracking_id: str | None = Field(default=None, min_length=1, max_length=40)  # the carrier's

    @model_validator(mode="after")
    def _was_placed_once(self) -> Self:
        if (self.placed_at is None) == (self.placed_ago is None):
            raise ValueError("an order has placed_at, or in a shop that is to be tried out placed_ago; one of them")
        if self.placed_at and not 1970 <= self.placed_at.year < 2200:
            raise ValueError("placed_at is between 1970 and 2200")
        return self

    def placed(self, now: datetime) -> datetime:
        """When it was placed."""
        return self.placed_at or now - (self.placed_ago or timedelta(0))

    @property
    def total(self) -> int:
        """What the customer paid, in minor units."""
        return sum(line.quantity * line.unit_price for line in self.lines)


class Shop(Form):
    """The whole document. Ids and SKUs are unique, and whatever refers to one refers to one that is there."""

    currency: str = SHOP.currency  # in minor units of it is all that the document says of money
    products: tuple[Product, ...]
    customers: tuple[Customer, ...]
    orders: tuple[ShopOrder, ...] = ()

    @model_validator(mode="after")
    def _holds_together(self) -> Self:
        if problems := [*self._other_currency(), *self._duplicates(), *self._broken_references()]:
            raise ValueError("; ".join(problems))
        return self

    def _other_currency(self) -> Iterator[str]:
        if self.currency != SHOP.currency:
            yield f"currency: {self.currency!r}, and the shop's is {SHOP.currency} ({SHOP.folder / 'shop.toml'})"

    def _duplicates(self) -> Iterator[str]:
        customers = list(enumerate(self.customers))
        yield from _repeated((f"products[{p}].id", product.id) for p, product in enumerate(self.products))
        yield from _repeated(
            (f"products[{p}].variants[{v}].sku", variant.sku)
            for p, product in enumerate(self.products)
            for v, variant in enumerate(product.variants)
        )
        yield from _repeated((f"customers[{c}].id", customer.id.casefold()) for c, customer in customers)
        yield from _repeated((f"customers[{c}].email", customer.email.lower()) for c, customer in customers)
        yield from _repeated(
            (f"customers[{c}].payment_methods[{m}].id", method.id)
            for c, customer in customers
            for m, method in enumerate(customer.payment_methods)
        )
        yield from _repeated((f"orders[{o}].id", order.id) for o, order in enumerate(self.orders))
        paid = [(o, order.payment_id) for o, order in enumerate(self.orders) if order.status != "cancelled"]
        yield from _repeated((f"orders[{o}].payment_id", payment_id) for o, payment_id in paid if payment_id)

    def _broken_references(self) -> Iterator[str]:
        skus = {variant.sku for product in self.products for variant in product.variants}
        methods = {each.id: {method.id for method in each.payment_methods} for each in self.customers}
        for number, order in enumerate(self.orders):
            place = f"orders[{number}]"
            if not 0 < order.total <= LARGEST_AMOUNT:
                yield f"{place}.lines: in all {order.total}, and an order is paid with 1 to {LARGEST_AMOUNT} at once"
            if order.customer_id not in methods:
                yield f"{place}.customer_id: no customer {order.customer_id!r}"
            elif order.payment_method_id not in methods[order.customer_id]:
                yield (
                    f"{place}.payment_method_id: {order.payment_method_id!r} is not a method of {order.customer_id!r}"
                )
            for line_number, line in enumerate(order.lines):
                if line.sku not in skus:
                    yield f"{place}.lines[{line_number}].sku: no variant {line.sku!r}"


def _repeated(values: Iterable[tuple[str, str]]) -> Iterator[str]:
    """The values that were there before, by the place of the second."""
    seen: dict[str, str] = {}
    for place, value in values:
        if first := seen.get(value):
            yield f"{place}: {value!r} is already at {first}"
        seen.setdefault(value, place)
