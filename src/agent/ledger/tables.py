"""The ledger's tables. Money is integer minor units; times are UTC; every effect has a unique key.

Only rows and constraints live here. What may be written when is decided in `commerce` and `approvals`.
"""

from datetime import UTC, datetime
from typing import Any, ClassVar

from sqlalchemy import (
    JSON,
    BigInteger,
    Cast,
    CheckConstraint,
    ColumnElement,
    DateTime,
    Dialect,
    ForeignKey,
    MetaData,
    String,
    TypeDecorator,
    UniqueConstraint,
    cast,
    func,
)
from sqlalchemy.orm import DeclarativeBase, InstrumentedAttribute, Mapped, mapped_column


class UtcDateTime(TypeDecorator[datetime]):
    """A time zone aware timestamp in UTC, also on SQLite, which forgets the zone."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        """Refuse naive times; store UTC."""
        if value is not None and value.tzinfo is None:
            raise ValueError("the ledger takes time zone aware times only")
        return value.astimezone(UTC) if value else None

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        """Give back an aware time."""
        return value.replace(tzinfo=UTC) if value and value.tzinfo is None else value


class Base(DeclarativeBase):
    """Metadata of the ledger."""

    type_annotation_map: ClassVar = {dict[str, Any]: JSON, list[Any]: JSON, datetime: UtcDateTime, int: BigInteger}
    metadata = MetaData(
        naming_convention={  # a migration can change only what has a name
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s",
            "pk": "pk_%(table_name)s",
        }
    )


def total(numbers: ColumnElement[int] | InstrumentedAttribute[int]) -> Cast[int]:
    """Their sum as an integer: PostgreSQL sums big integers to a decimal number."""
    return cast(func.sum(numbers), BigInteger)


class EffectRow(Base):
    """An effect that was asked for, by idempotency key, with its first answer (law 1)."""

    __tablename__ = "effects"
    key: Mapped[str] = mapped_column(String(200), primary_key=True)
    name: Mapped[str] = mapped_column(String(40))
    actor: Mapped[str] = mapped_column(String(100))
    subject: Mapped[str] = mapped_column(String(100), index=True)
    fingerprint: Mapped[str] = mapped_column(String(64))  # hash of name, subject and arguments
    answer: Mapped[dict[str, Any]]
    at: Mapped[datetime]


class ProductRow(Base):
    """Something the shop sells, in one or more variants."""

    __tablename__ = "products"
    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    name: Mapped[str] = mapped_column(String(200))


class VariantRow(Base):
    """A sellable option of a product with its price and its stock; `on_hand - reserved` can be sold."""

    __tablename__ = "variants"
    __table_args__ = (
        CheckConstraint("reserved >= 0", name="reserved_not_negative"),
        CheckConstraint("on_hand >= reserved", name="never_oversold"),
        CheckConstraint("price >= 0", name="price_not_negative"),
    )
    sku: Mapped[str] = mapped_column(String(40), primary_key=True)
    product_id: Mapped[str] = mapped_column(ForeignKey("products.id"), index=True)
    options: Mapped[dict[str, Any]]
    price: Mapped[int]
    warehouse: Mapped[str] = mapped_column(String(40))
    on_hand: Mapped[int]
    reserved: Mapped[int] = mapped_column(default=0)


class CustomerRow(Base):
    """A customer; `address` is the default ship-to."""

    __tablename__ = "customers"
    id: Mapped[str] = mapped_column(String(60), primary_key=True)
    first_name: Mapped[str] = mapped_column(String(100))
    last_name: Mapped[str] = mapped_column(String(100))
    email: Mapped[str] = mapped_column(String(200), unique=True)
    address: Mapped[dict[str, Any]]
    profile_changed_at: Mapped[datetime | None]


class PaymentMethodRow(Base):
    """One way in which a customer pays. `token` is the provider's name for the card; never a card number."""

    __tablename__ = "payment_methods"
    id: Mapped[str] = mapped_column(String(60), primary_key=True)
    customer_id: Mapped[str] = mapped_column(ForeignKey("customers.id"), index=True)
    kind: Mapped[str] = mapped_column(String(20))  # card, paypal, gift_card
    label: Mapped[str] = mapped_column(String(100))
    token: Mapped[str] = mapped_column(String(100))


class OrderRow(Base):
    """An order. `status` is what the customer is told, `stage` how far the work on it is (`commerce.lifecycle`)."""

    __tablename__ = "orders"
    id: Mapped[str] = mapped_column(String(60), primary_key=True)
    customer_id: Mapped[str] = mapped_column(ForeignKey("customers.id"), index=True)
    status: Mapped[str] = mapped_column(String(40))
    stage: Mapped[str] = mapped_column(String(20), index=True)
    generation: Mapped[int] = mapped_column(default=0)  # of its thread: a lost thread gets the next number
    revision: Mapped[int] = mapped_column(
        default=0
    )  # of its content, before it is paid: what was approved is one of them
    total: Mapped[int]
    currency: Mapped[str] = mapped_column(String(3))
    payment_method_id: Mapped[str] = mapped_column(ForeignKey("payment_methods.id"))
    ship_to: Mapped[dict[str, Any]]
    reason: Mapped[str | None] = mapped_column(String(60))  # why it was undone: a rule id
    cancel_reason: Mapped[str | None] = mapped_column(String(40))  # why the customer cancelled it
    placed_by: Mapped[str] = mapped_column(String(100))  # who was authenticated
    placed_at: Mapped[datetime]
    touched_at: Mapped[datetime] = mapped_column(index=True)


class OrderLineRow(Base):
    """One line of an order, at the price of the moment it was placed; `reservation` is the stock held for it."""

    __tablename__ = "order_lines"
    order_id: Mapped[str] = mapped_column(ForeignKey("orders.id"), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True)
    sku: Mapped[str] = mapped_column(ForeignKey("variants.sku"))
    quantity: Mapped[int]
    unit_price: Mapped[int]
    reservation: Mapped[str] = mapped_column(String(10), default="none")  # none, held, released, shipped


class PaymentRow(Base):
    """One attempt to capture an order's money: written `open` before the provider is asked, closed by its answer."""

    __tablename__ = "payments"
    key: Mapped[str] = mapped_column(String(250), primary_key=True)  # also the provider's idempotency key
    order_id: Mapped[str] = mapped_column(ForeignKey("orders.id"), index=True)
    method_id: Mapped[str] = mapped_column(ForeignKey("payment_methods.id"))
    amount: Mapped[int]
    outcome: Mapped[str] = mapped_column(String(20))  # due, open, unknown, captured, declined, void
    provider_id: Mapped[str | None] = mapped_column(String(100))
    at: Mapped[datetime]


class MoneyEntryRow(Base):
    """A movement of money, append-only. Positive: towards the shop. Balances are sums of these."""

    __tablename__ = "money_entries"
    key: Mapped[str] = mapped_column(String(250), primary_key=True)
    order_id: Mapped[str | None] = mapped_column(ForeignKey("orders.id"), index=True)
    customer_id: Mapped[str] = mapped_column(ForeignKey("customers.id"), index=True)
    method_id: Mapped[str] = mapped_column(ForeignKey("payment_methods.id"), index=True)
    kind: Mapped[str] = mapped_column(String(20))  # capture, refund, gift_debit, gift_credit, gift_issue
    amount: Mapped[int]
    at: Mapped[datetime]


class DebtRow(Base):
    """A refund that the shop owes: written in the same transaction as its cause, and paid after it (law 4)."""

    __tablename__ = "debts"
    key: Mapped[str] = mapped_column(String(250), primary_key=True)  # also the provider's idempotency key
    order_id: Mapped[str] = mapped_column(ForeignKey("orders.id"), index=True)
    payment_key: Mapped[str] = mapped_column(ForeignKey("payments.key"), index=True)
    method_id: Mapped[str] = mapped_column(ForeignKey("payment_methods.id"))  # where it goes
    amount: Mapped[int]
    settled: Mapped[bool] = mapped_column(default=False, index=True)
    attempts: Mapped[int] = mapped_column(default=0)
    at: Mapped[datetime]


class ParcelRow(Base):
    """What leaves one warehouse for one order."""

    __tablename__ = "parcels"
    id: Mapped[str] = mapped_column(String(100), primary_key=True)
    order_id: Mapped[str] = mapped_column(ForeignKey("orders.id"), index=True)
    warehouse: Mapped[str] = mapped_column(String(40))
    lines: Mapped[list[Any]]  # line numbers
    state: Mapped[str] = mapped_column(String(20))  # planned, handed_over, delivered
    tracking_id: Mapped[str | None] = mapped_column(String(40))


class ReturnRow(Base):
    """A return or an exchange that was asked for."""

    __tablename__ = "returns"
    order_id: Mapped[str] = mapped_column(ForeignKey("orders.id"), primary_key=True)
    method_id: Mapped[str] = mapped_column(ForeignKey("payment_methods.id"))
    amount: Mapped[int]  # to be paid by the customer; negative: to be given back
    at: Mapped[datetime]


class ReturnedPieceRow(Base):
    """One piece that is to come back; `new_sku`, of an exchange, is held until it is."""

    __tablename__ = "returned_pieces"
    order_id: Mapped[str] = mapped_column(ForeignKey("returns.order_id"), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True)
    sku: Mapped[str] = mapped_column(ForeignKey("variants.sku"))
    new_sku: Mapped[str | None] = mapped_column(ForeignKey("variants.sku"), index=True)


class TicketRow(Base):
    """A case for a person to look into."""

    __tablename__ = "tickets"
    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    customer_id: Mapped[str] = mapped_column(ForeignKey("customers.id"), index=True)
    order_id: Mapped[str | None] = mapped_column(ForeignKey("orders.id"))
    topic: Mapped[str] = mapped_column(String(20))
    text: Mapped[str] = mapped_column(String(8000))
    status: Mapped[str] = mapped_column(String(10))  # open
    at: Mapped[datetime]


class ApprovalRow(Base):
    """A request for people's yes to one exact action. The thread's copy is for showing; this one counts."""

    __tablename__ = "approvals"
    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    key: Mapped[str] = mapped_column(String(150), index=True)  # what is asked about; one open request each
    subject: Mapped[str] = mapped_column(String(60), index=True)  # the customer in whose name the action is taken
    order_id: Mapped[str | None] = mapped_column(String(60), index=True)
    thread_id: Mapped[str] = mapped_column(String(40), index=True)
    asked_by: Mapped[str] = mapped_column(String(100))
    case: Mapped[str] = mapped_column(String(40))
    action: Mapped[dict[str, Any]]
    action_hash: Mapped[str] = mapped_column(String(64))
    chain: Mapped[list[Any]]  # [{role, due_seconds, expiry_seconds}]
    step: Mapped[int] = mapped_column(default=0)  # whose turn it is
    status: Mapped[str] = mapped_column(String(20), index=True)  # open, approved, rejected, expired, void
    note: Mapped[str] = mapped_column(String(2000), default="")
    round: Mapped[int] = mapped_column(default=0)  # an edit begins a new one
    escalated: Mapped[bool] = mapped_column(default=False)  # the present step
    thread_told: Mapped[bool] = mapped_column(default=True)  # False: changed by the clock or an undo; wake the thread
    step_since: Mapped[datetime]
    created_at: Mapped[datetime]


class DecisionRow(Base):
    """What one authenticated person said at one step; the primary key settles double answers."""

    __tablename__ = "decisions"
    __table_args__ = (UniqueConstraint("request_id", "actor", "round", name="nobody_twice_in_one_chain"),)
    request_id: Mapped[str] = mapped_column(ForeignKey("approvals.id"), primary_key=True)
    round: Mapped[int] = mapped_column(primary_key=True, default=0)  # an edit voids the yeses before it: a new round
    step: Mapped[int] = mapped_column(primary_key=True)
    decision: Mapped[str] = mapped_column(String(10))  # approve, reject, edit
    actor: Mapped[str] = mapped_column(String(100))
    role: Mapped[str] = mapped_column(String(40))
    note: Mapped[str] = mapped_column(String(2000))
    at: Mapped[datetime]
