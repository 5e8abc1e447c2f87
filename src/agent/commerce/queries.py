"""Queries: what an order is, whose it is, which ones wait. Nothing here writes."""

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Any, Final, TypedDict

from sqlalchemy import ColumnElement, bindparam, exists, func, select
from sqlalchemy.orm import Session

from agent.commerce.booking import gift_balance, payments_of, refundable_of_order
from agent.commerce.differences import declined_difference
from agent.commerce.lifecycle import AT_WORK, UNANSWERED
from agent.commerce.locks import OrderRef, seen
from agent.commerce.policy import money, policy_denied
from agent.commerce.precondition import is_thread_of
from agent.commerce.returned_pieces import left_with_customer
from agent.commerce.views import OrderView, item_names, order_view, order_views
from agent.ledger.base import total
from agent.ledger.database import Database
from agent.ledger.tables import (
    CustomerRow,
    DebtRow,
    MoneyEntryRow,
    OrderRow,
    ParcelRow,
    PaymentMethodRow,
    ProductRow,
    VariantRow,
)
from agent.ledger.times import CLOCK_SKEW, is_in_future
from agent.ledger.transactions import reads
from agent.observability.events import emit
from agent.order_numbers import meant

OWN_ORDERS: Final = 1000
"""How many of a customer's latest orders a number is looked for among, when it is not written as the ledger does."""


class ParcelView(TypedDict):
    """A parcel: how far it is, whose, and where to."""

    order_id: str
    customer_id: str
    state: str
    ship_to: dict[str, Any]


class Queries:
    """What may be asked of the ledger about orders and customers."""

    def __init__(self, database: Database, payment_wait: timedelta = timedelta(0)) -> None:
        self._db = database
        self._payment_wait = payment_wait

    @reads
    def get(self, session: Session, order_ref: OrderRef, *, customer_id: str | None = None) -> OrderView:
        """The order (see `own_view`)."""
        return own_view(session, order_ref, customer_id)

    @reads
    def on_thread(self, session: Session, order_id: str, thread_id: str) -> OrderView:
        """The order that is worked on on this thread. Raises `PolicyDenied` ORDER-EXISTS for another's, as for none."""
        order = seen(session, order_id)
        if not is_thread_of(order, thread_id):
            raise policy_denied("ORDER-EXISTS", order_id)
        return order_view(session, order)

    @reads
    def of_customer(self, session: Session, customer_id: str, limit: int = 10) -> list[OrderView]:
        """A customer's orders, newest first."""
        rows = session.scalars(
            select(OrderRow).where(OrderRow.customer_id == customer_id).order_by(OrderRow.placed_at.desc()).limit(limit)
        )
        return order_views(session, rows.all())

    @reads
    def items_of(self, session: Session, customer_id: str, limit: int) -> dict[str, list[str]]:
        """What a customer's latest orders are of, by order id, newest first: names alone, where no more is needed."""
        return item_names(session, customer_id, limit)

    @reads
    def own_order_id(self, session: Session, customer_id: str, written: str) -> str:
        """The id of the customer's own order that is meant, however it is written; else what is written.

        Raises `PolicyDenied` ORDER-EXISTS when several may be meant, naming them.
        """
        newest = select(OrderRow.id).where(OrderRow.customer_id == customer_id).order_by(OrderRow.placed_at.desc())
        found = meant(written, session.scalars(newest.limit(OWN_ORDERS)))
        if len(found) > 1:
            raise policy_denied("ORDER-EXISTS", f"{written} may be {' or '.join(found[:5])}: please tell me which")
        return found[0] if found else written

    @reads
    def unfinished(self, session: Session, *, stale_seconds: float) -> list[OrderView]:
        """Orders that wait for the reconciler: parked, undone in part, untouched for `stale_seconds`; declined ones
        when their customer had time enough to name another payment method.

        One that was touched at a time that has yet to come is looked at now, and is an event: the clock went back.
        """
        now = self._db.clock()
        before = now - timedelta(seconds=stale_seconds)
        future = OrderRow.touched_at > now + CLOCK_SKEW
        rows = session.scalars(
            select(OrderRow)
            .where(
                OrderRow.stage.in_(AT_WORK),
                OrderRow.stage.in_(("parked", "cancelling")) | (OrderRow.touched_at < before) | future,
                (OrderRow.stage != "declined") | (OrderRow.touched_at < now - self._payment_wait),
            )
            .order_by(
                OrderRow.stage == "awaiting_approval", OrderRow.touched_at
            )  # those may wait; the others not for them
            .limit(500)
        ).all()
        for row in rows:
            if is_in_future(row.touched_at, now):
                emit("clock.went_back", order_id=row.id, seconds=(row.touched_at - now).total_seconds())
        return order_views(session, rows)

    @reads
    def customer_exists(self, session: Session, customer_id: str) -> bool:
        """Whether the shop knows this customer; one who was forgotten it knows no more."""
        return bool(session.scalar(select(IS_CUSTOMER), {"of_customer": customer_id}))

    @reads
    def address_of(self, session: Session, customer_id: str) -> dict[str, Any]:
        """The customer's default address."""
        return session.get_one(CustomerRow, customer_id).address

    @reads
    def frozen_since(self, session: Session, customer_id: str) -> str | None:
        """Since when the customer's account is frozen (ACCOUNT-FROZEN), ISO 8601; None: it is not."""
        frozen_at = session.get_one(CustomerRow, customer_id).frozen_at
        return frozen_at.isoformat() if frozen_at else None

    @reads
    def email_of(self, session: Session, customer_id: str) -> str:
        """The customer's e-mail address."""
        return session.get_one(CustomerRow, customer_id).email

    async def options(self, sku: str) -> list[dict[str, Any]]:
        """The options of the product that `sku` is one of, with price in minor units, and whether each can be had."""
        return await self._db.read_stale(lambda session: product_options(session, sku))

    async def product_names(self) -> dict[str, str]:
        """What the shop sells: names by product id."""
        names = select(ProductRow.id, ProductRow.name).order_by(ProductRow.id)
        return await self._db.read_stale(lambda session: {row.id: row.name for row in session.execute(names)})

    async def options_of(self, products: Collection[str]) -> list[dict[str, Any]]:
        """The options of these products, by product (see `options`)."""
        return await self._db.read_stale(lambda session: _options(session, VariantRow.product_id.in_(products)))

    async def offers(
        self, *, at_least: int, at_most: int | None, dearest_first: bool, limit: int
    ) -> list[dict[str, Any]]:
        """What can be had now at a price between these, in minor units, cheapest or dearest first (see `options`)."""
        which = (VariantRow.on_hand > VariantRow.reserved) & (VariantRow.price >= at_least)
        if at_most is not None:
            which &= VariantRow.price <= at_most
        price = VariantRow.price.desc() if dearest_first else VariantRow.price.asc()
        return await self._db.read_stale(lambda session: _options(session, which, price, limit=limit))

    @reads
    def refundable(self, session: Session, order_id: str) -> int:
        """What can still be refunded of an order, in minor units."""
        return refundable_of_order(session, order_id)

    @reads
    def declined_difference(self, session: Session, order_id: str) -> tuple[int, str] | None:
        """What was to be paid for a change or an exchange of an order, in minor units, and the method that declined."""
        owed = declined_difference(session, order_id)
        return (owed.amount, owed.method_id) if owed else None

    @reads
    def left_to_return(self, session: Session, order_id: str) -> dict[int, int]:
        """How many pieces of each line, by its number, the customer has, and has not asked to give back."""
        return {line.number: left for line, left in left_with_customer(session, order_id)}

    @reads
    def parcel(self, session: Session, parcel_id: str) -> ParcelView | None:
        """A parcel, with whose it is and where it goes."""
        query = select(ParcelRow, OrderRow).join(OrderRow, OrderRow.id == ParcelRow.order_id)
        found = session.execute(query.where(ParcelRow.id == parcel_id)).first()
        if found is None:
            return None
        parcel, order = found
        return ParcelView(order_id=order.id, customer_id=order.customer_id, state=parcel.state, ship_to=order.ship_to)

    @reads
    def order_of_thread(self, session: Session, thread_id: str) -> str | None:
        """The order that is worked on on this thread."""
        return session.scalar(select(OrderRow.id).where(OrderRow.thread_id == thread_id))

    @reads
    def payment_methods(self, session: Session, customer_id: str) -> list[dict[str, Any]]:
        """The customer's payment methods, with what is left on gift cards (minor units); never a token."""
        rows = session.scalars(
            select(PaymentMethodRow).where(PaymentMethodRow.customer_id == customer_id).order_by(PaymentMethodRow.id)
        )
        return [
            {
                "id": method.id,
                "kind": method.kind,
                "label": method.label,
                "balance": gift_balance(session, method.id) if method.kind == "gift_card" else None,
            }
            for method in rows.all()
        ]

    @reads
    def charges(self, session: Session, order_id: str, *, customer_id: str) -> list[dict[str, Any]]:
        """What was, or is to be, paid and given back for an own order, oldest first; amounts in minor units.

        Raises `PolicyDenied` ORDER-EXISTS.
        """
        if seen(session, order_id).customer_id != customer_id:
            raise policy_denied("ORDER-EXISTS", order_id)
        payments = payments_of(session, order_id, "captured", *UNANSWERED)
        debts = session.scalars(
            select(DebtRow).where(DebtRow.order_id == order_id, DebtRow.kind == "refund", ~DebtRow.returned)
        ).all()
        lines = [(p.at, 0, p.key, "payment", p.method_id, p.amount, p.outcome == "captured") for p in payments]
        lines += [(d.at, 1, d.key, "refund", d.method_id or "", d.amount, d.settled) for d in debts]
        return [
            {"what": what, "method_id": method, "amount": amount, "done": done, "at": at.isoformat()}
            for at, _, _, what, method, amount, done in sorted(lines, key=lambda line: line[:3])
        ]


def own_view(session: Session, order_ref: OrderRef, customer_id: str | None) -> OrderView:
    """The order; with `customer_id` only when it is theirs. Raises `PolicyDenied` ORDER-EXISTS, and what `seen`
    raises."""
    order = seen(session, order_ref)
    if customer_id not in (None, order.customer_id):
        raise policy_denied("ORDER-EXISTS", order.id)
    return order_view(session, order)


def customer_by_email(session: Session, email: str) -> str | None:
    """The id of the customer with this e-mail address (CUSTOMER-IDENTIFIED)."""
    return session.scalar(select(CustomerRow.id).where(CustomerRow.email == email.strip().lower()))


def customer_history(session: Session, customer_id: str, now: datetime) -> str:
    """What an approver should know of a customer: since when, how many orders, what was refunded of late."""
    since, count = session.execute(
        select(func.min(OrderRow.placed_at), func.count()).where(OrderRow.customer_id == customer_id)
    ).one()
    refunds = (
        MoneyEntryRow.customer_id == customer_id,
        MoneyEntryRow.kind.in_(("refund", "gift_credit", "hand_refund")),
        MoneyEntryRow.at >= now - timedelta(days=30),
    )
    times, refunded = session.execute(select(func.count(), total(MoneyEntryRow.amount)).where(*refunds)).one()
    first = f"Customer since {since:%Y-%m-%d}, {count} order{'s' * (count != 1)}" if count else "No order yet"
    back = f"{money(-(refunded or 0))} in {times} refund{'s' * (times != 1)}" if times else "no refunds"
    return f"{first}; {back} in 30 days."


def product_options(session: Session, sku: str) -> list[dict[str, Any]]:
    """The options of the product that `sku` is one of (see `Queries.options`)."""
    product = select(VariantRow.product_id).where(VariantRow.sku == sku).scalar_subquery()
    return _options(session, VariantRow.product_id == product)


def _options(
    session: Session, which: ColumnElement[bool], *first: ColumnElement[Any], limit: int | None = None
) -> list[dict[str, Any]]:
    query = select(VariantRow, ProductRow.name).join(ProductRow).where(which).limit(limit)
    by_product = (VariantRow.product_id, VariantRow.price, VariantRow.sku)
    return [
        {
            "sku": variant.sku,
            "product_id": variant.product_id,
            "name": name,
            "options": variant.options,
            "price": variant.price,
            "available": variant.on_hand > variant.reserved,
        }
        for variant, name in session.execute(query.order_by(*first, *by_product))
    ]


IS_CUSTOMER: Final = exists().where(CustomerRow.id == bindparam("of_customer"), CustomerRow.forgotten_at.is_(None))
"""Whether the shop knows a customer (see `Queries.customer_exists`), for a query that names `of_customer`."""
