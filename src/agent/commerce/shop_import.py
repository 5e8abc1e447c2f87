"""Reads a whole shop, and loads it into an empty ledger, with the money that its past orders were paid with."""

from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from agent.commerce.shop_document import Shop, ShopOrder
from agent.identity import owner_by
from agent.ledger.base import Base
from agent.ledger.database import Database, take_turn
from agent.ledger.schema import SchemaError
from agent.ledger.tables import (
    CustomerRow,
    MoneyEntryRow,
    OrderLineRow,
    OrderRow,
    ParcelRow,
    PaymentMethodRow,
    PaymentRow,
    ProductRow,
    VariantRow,
)
from agent.platform import order_thread
from agent.providers.payment import Attempt, Charge, PaymentProvider
from agent.shop import SHOP

STAGE_OF: Final = {
    "pending": "imported",
    "processed": "completed",
    "delivered": "completed",
    "cancelled": "cancelled",
}
PARCEL_OF: Final = {"pending": "planned", "processed": "handed_over", "delivered": "delivered"}


class NotEmptyError(ValueError):
    """There is a shop in the ledger already."""

    def __init__(self) -> None:
        super().__init__("the ledger has a shop already: import into an empty one")


def catalogue() -> Shop:
    """The shop's own catalogue, to be tried out. Raises `ValidationError` and OSError."""
    return Shop.model_validate_json(SHOP.catalogue.read_bytes())


def check_currency(session: Session) -> None:
    """Raise `SchemaError` when the shop can't go on with this ledger: its orders are in another currency."""
    there = session.scalar(select(OrderRow.currency).limit(1))
    if there not in (None, SHOP.currency):
        here = f"SHOP_DIR={SHOP.folder} is one in {SHOP.currency}"
        raise SchemaError(f"the ledger is a shop's in {there}, and {here}: take another ledger")


async def is_empty(database: Database) -> bool:
    """Whether the ledger has no shop in it yet."""
    return await database.read(_is_empty)


def _is_empty(session: Session) -> bool:
    return session.scalar(select(ProductRow.id).limit(1)) is None


async def import_shop(database: Database, provider: PaymentProvider, shop: Shop, *, pay_again: bool = False) -> None:
    """Write the shop in one transaction, each past order with the payment that it was paid by, so that it can be
    refunded like any other.

    A payment is looked up at the provider by the id that the document gives. With `pay_again`, for a shop that is only
    tried out, those without one are charged there, by key; else giving one of them back is a person's task. A crash in
    between is harmless.

    Raises `NotEmptyError` when the ledger has a shop, of which another process may have been quicker to write;
    `ValueError` when the provider knows nothing of a payment, of another amount, or declines it; and what the provider
    raises. Nothing is written then.
    """
    if not await is_empty(database):
        raise NotEmptyError
    methods = {method.id: method for customer in shop.customers for method in customer.payment_methods}
    charges: dict[str, Charge] = {}
    for order in shop.orders:
        method = methods[order.payment_method_id]
        if order.status == "cancelled" or method.kind == "gift_card":
            continue
        if order.payment_id:
            charges[order.id] = await _looked_up(provider, order, order.payment_id, shop.currency)
        elif pay_again:
            token = method.token if isinstance(method.token, str) else method.token.get(provider.name)
            if token is None:
                raise ValueError(f"order {order.id!r}: payment method {method.id!r} has no token at {provider.name}")
            charge = await provider.capture(Attempt(_key(order), order.total, shop.currency, token))
            if charge.outcome != "captured":
                raise ValueError(f"order {order.id!r}: its past payment was {charge.outcome}: {charge.reason}")
            charges[order.id] = charge

    def fill(session: Session) -> None:
        take_turn(session, "import")
        if not _is_empty(session):
            raise NotEmptyError
        for level in _rows(shop, charges, provider.name, database.clock()):
            session.add_all(level)
            session.flush()

    await database.write(fill)


async def _looked_up(provider: PaymentProvider, order: ShopOrder, payment_id: str, currency: str) -> Charge:
    taken = await provider.taken(payment_id, currency)
    if taken != order.total:
        what = f"no such payment in {currency}" if taken is None else f"{SHOP.money(taken)} taken by it"
        total = SHOP.money(order.total)
        raise ValueError(f"order {order.id!r}: payment_id {payment_id!r}: {provider.name} has {what}, not {total}")
    return Charge(_key(order), "captured", payment_id, taken)


def _rows(shop: Shop, charges: dict[str, Charge], provider: str, now: datetime) -> Iterator[list[Base]]:
    """The shop's rows, level by level, so that each finds what it refers to.

    `on_hand` of the shop is free to sell: what pending orders hold comes on top of it.
    """
    yield [ProductRow(id=product.id, name=product.name) for product in shop.products]
    held = Counter[str]()
    for order in shop.orders:
        for line in order.lines if order.status == "pending" else ():
            held[line.sku] += line.quantity
    yield [
        VariantRow(
            sku=variant.sku,
            product_id=product.id,
            options=variant.options,
            price=variant.price,
            warehouse=variant.warehouse,
            on_hand=variant.on_hand + held[variant.sku],
            reserved=held[variant.sku],
        )
        for product in shop.products
        for variant in product.variants
    ]
    yield [
        CustomerRow(
            id=customer.id,
            first_name=customer.first_name,
            last_name=customer.last_name,
            email=customer.email.lower(),
            address=customer.address.model_dump(),
        )
        for customer in shop.customers
    ]
    yield [
        PaymentMethodRow(
            id=method.id,
            customer_id=customer.id,
            kind=method.kind,
            label=method.label,
            token=method.token if isinstance(method.token, str) else "",
            tokens=None if isinstance(method.token, str) else method.token,
        )
        for customer in shop.customers
        for method in customer.payment_methods
    ]
    every = [method for customer in shop.customers for method in customer.payment_methods]
    gift_cards = {method.id for method in every if method.kind == "gift_card"}
    for order in shop.orders:
        yield [_order(order, shop.currency, now)]
        by_gift_card = order.payment_method_id in gift_cards
        yield list(_order_parts(order, charges.get(order.id), provider, by_gift_card=by_gift_card, now=now))
    yield list(_gift_cards(shop, now))


def _key(order: ShopOrder) -> str:
    return f"{order.id}:pay:1"


def _order(order: ShopOrder, currency: str, now: datetime) -> OrderRow:
    return OrderRow(
        id=order.id,
        customer_id=order.customer_id,
        status=order.status,
        stage=STAGE_OF[order.status],
        total=order.total,
        currency=currency,
        payment_method_id=order.payment_method_id,
        ship_to=order.ship_to.model_dump(),
        thread_id=order_thread(order.id, owner_by(order.customer_id, order.customer_id)),
        reason="IMPORTED" if order.status == "cancelled" else None,
        placed_by=order.customer_id,
        placed_at=order.placed(now),
        touched_at=order.placed(now),
    )


def _order_parts(
    order: ShopOrder, charge: Charge | None, provider: str, *, by_gift_card: bool, now: datetime
) -> Iterator[Base]:
    """Lines, payment, money and parcel of a past order."""
    reservation = {"pending": "held", "cancelled": "released"}.get(order.status, "shipped")
    for n, line in enumerate(order.lines, 1):
        yield OrderLineRow(
            order_id=order.id,
            number=n,
            sku=line.sku,
            quantity=line.quantity,
            unit_price=line.unit_price,
            reservation=reservation,
        )
    if order.status == "cancelled":
        return
    yield PaymentRow(
        key=_key(order),
        order_id=order.id,
        method_id=order.payment_method_id,
        amount=order.total,
        outcome="captured",
        attempt=1,
        provider_id=charge.provider_id if charge else None,
        provider=provider if charge else None,
        at=order.placed(now),
    )
    yield MoneyEntryRow(
        key=_key(order),
        order_id=order.id,
        customer_id=order.customer_id,
        method_id=order.payment_method_id,
        kind="gift_debit" if by_gift_card else "capture",
        amount=order.total,
        at=order.placed(now),
    )
    yield ParcelRow(
        id=f"{order.id}/all",
        order_id=order.id,
        warehouse="all",
        lines=[n for n, _ in enumerate(order.lines, 1)],
        state=PARCEL_OF[order.status],
        tracking_id=order.tracking_id,
    )


def _gift_cards(shop: Shop, now: datetime) -> Iterator[MoneyEntryRow]:
    """What each gift card was issued with: its balance of today, and what past orders paid with it."""
    spent = Counter[str]()
    for order in shop.orders:
        if order.status != "cancelled":
            spent[order.payment_method_id] += order.total
    for customer in shop.customers:
        for method in customer.payment_methods:
            if method.kind == "gift_card":
                yield MoneyEntryRow(
                    key=f"{method.id}:issue",
                    customer_id=customer.id,
                    method_id=method.id,
                    kind="gift_issue",
                    amount=-((method.balance or 0) + spent[method.id]),
                    at=now,
                )
