"""The tables of money: what was to be taken, what has moved, and what is owed."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from agent.ledger.base import Base


class PaymentRow(Base):
    """One attempt to capture an order's money (`commerce.lifecycle`): written before its provider is sent it."""

    __tablename__ = "payments"
    key: Mapped[str] = mapped_column(String(250), primary_key=True)  # also the provider's idempotency key
    order_id: Mapped[str] = mapped_column(ForeignKey("orders.id"), index=True)
    attempt: Mapped[int | None]  # 1, 2, … at the order's own price; None: what a change of it costs
    method_id: Mapped[str] = mapped_column(ForeignKey("payment_methods.id"))
    amount: Mapped[int]
    outcome: Mapped[str] = mapped_column(String(20), index=True)  # `lifecycle.Outcome`
    provider: Mapped[str | None] = mapped_column(String(40))  # who may know of it; None: surely nobody does
    attempts_sent: Mapped[int] = mapped_column("asks", default=0)  # how often somebody began to send it
    provider_id: Mapped[str | None] = mapped_column(String(100), index=True)
    reason: Mapped[str | None] = mapped_column(String(40))  # why it was declined: a rule id
    replaces: Mapped[str | None] = mapped_column(String(250))  # the payment that is given back once this is captured
    tries: Mapped[int] = mapped_column(default=1)  # methods that were named for what it pays, this one included
    next_at: Mapped[datetime | None]  # when a change's payment is asked for again; None: at once
    at: Mapped[datetime] = mapped_column(index=True)


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
    """What the shop still has to do for an order: written in the transaction of its cause, done after it (law 4).

    A `refund` gives `amount` of a payment back, a `void` makes sure that a payment never comes or learns that it did,
    a `stop` keeps a parcel from leaving.
    """

    __tablename__ = "debts"
    __table_args__ = (Index(None, "settled", "next_at"),)
    key: Mapped[str] = mapped_column(String(250), primary_key=True)  # also the provider's idempotency key
    kind: Mapped[str] = mapped_column(String(10), default="refund")  # refund, void, stop
    order_id: Mapped[str] = mapped_column(ForeignKey("orders.id"), index=True)
    payment_key: Mapped[str | None] = mapped_column(ForeignKey("payments.key"), index=True)
    method_id: Mapped[str | None] = mapped_column(ForeignKey("payment_methods.id"))  # where a refund goes
    parcel_id: Mapped[str | None] = mapped_column(ForeignKey("parcels.id"))
    amount: Mapped[int] = mapped_column(default=0)
    settled: Mapped[bool] = mapped_column(default=False)
    returned: Mapped[bool] = mapped_column(default=False)  # it was given back, and came back: another debt took over
    attempts: Mapped[int] = mapped_column(default=0)
    pending_since: Mapped[datetime | None]  # the provider has taken the refund on, and not made it yet
    failures: Mapped[int] = mapped_column(default=0)  # refunds that it took on and that never arrived
    asked: Mapped[int] = mapped_column(default=0)  # how often people were asked what to do about it
    next_at: Mapped[datetime]  # when it is tried again
    at: Mapped[datetime]
