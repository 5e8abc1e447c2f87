"""The ledger's tables. Money is integer minor units; times are UTC; every effect has a unique key.

Only rows and constraints live here. What may be written when is decided in `commerce` and `approvals`.
"""

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from agent.ledger.base import Base


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
    email: Mapped[str] = mapped_column(String(200), unique=True)  # in lower case
    address: Mapped[dict[str, Any]]
    profile_changed_at: Mapped[datetime | None]
    frozen_at: Mapped[datetime | None]


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
    __table_args__ = (Index(None, "customer_id", "placed_at"), Index(None, "stage", "touched_at"))
    id: Mapped[str] = mapped_column(String(60), primary_key=True)
    customer_id: Mapped[str] = mapped_column(ForeignKey("customers.id"))
    status: Mapped[str] = mapped_column(String(40))
    stage: Mapped[str] = mapped_column(String(20))
    generation: Mapped[int] = mapped_column(default=0)  # of its thread: one that fails is given up for the next
    thread_id: Mapped[str | None] = mapped_column(String(40), index=True)  # made of id and generation
    revision: Mapped[int] = mapped_column(
        default=0
    )  # of its content, before it is paid: what was approved is one of them
    total: Mapped[int]
    currency: Mapped[str] = mapped_column(String(3))
    payment_method_id: Mapped[str] = mapped_column(ForeignKey("payment_methods.id"))
    ship_to: Mapped[dict[str, Any]]
    allow_partial: Mapped[bool] = mapped_column(default=False)  # what is in stock is sent without the rest
    reason: Mapped[str | None] = mapped_column(String(60))  # why it was undone: a rule id
    cancel_reason: Mapped[str | None] = mapped_column(String(40))  # why the customer cancelled it
    placed_by: Mapped[str] = mapped_column(String(100))  # who was authenticated
    placed_at: Mapped[datetime]
    touched_at: Mapped[datetime]


class OrderLineRow(Base):
    """One line of an order, at the price of the moment it was placed; `reservation` is the stock held for it."""

    __tablename__ = "order_lines"
    order_id: Mapped[str] = mapped_column(ForeignKey("orders.id"), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True)
    sku: Mapped[str] = mapped_column(ForeignKey("variants.sku"))
    quantity: Mapped[int]
    unit_price: Mapped[int]
    reservation: Mapped[str] = mapped_column(String(10), default="none")  # none, short, held, released, shipped


class PaymentRow(Base):
    """One attempt to capture an order's money: written `open` before the provider is asked, closed by its answer."""

    __tablename__ = "payments"
    key: Mapped[str] = mapped_column(String(250), primary_key=True)  # also the provider's idempotency key
    order_id: Mapped[str] = mapped_column(ForeignKey("orders.id"), index=True)
    attempt: Mapped[int | None]  # 1, 2, … at the order's own price; None: what a change of it costs
    method_id: Mapped[str] = mapped_column(ForeignKey("payment_methods.id"))
    amount: Mapped[int]
    outcome: Mapped[str] = mapped_column(String(20), index=True)  # due, open, unknown, captured, declined, void
    provider: Mapped[str | None] = mapped_column(String(40))  # who may know of it; None: surely nobody was asked
    asks: Mapped[int] = mapped_column(default=0)  # how often somebody began to ask
    provider_id: Mapped[str | None] = mapped_column(String(100), index=True)
    reason: Mapped[str | None] = mapped_column(String(40))  # why it was declined: a rule id
    replaces: Mapped[str | None] = mapped_column(String(250))  # the payment that is given back once this is captured
    tries: Mapped[int] = mapped_column(default=1)  # methods that were named for what it pays, this one included
    next_at: Mapped[datetime | None]  # when a change's payment is asked for again; None: at once
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


class ParcelRow(Base):
    """What leaves one warehouse for one order. `booked` is written before the carrier is asked to come."""

    __tablename__ = "parcels"
    id: Mapped[str] = mapped_column(String(100), primary_key=True)
    order_id: Mapped[str] = mapped_column(ForeignKey("orders.id"), index=True)
    warehouse: Mapped[str] = mapped_column(String(40))
    lines: Mapped[list[Any]]  # line numbers
    state: Mapped[str] = mapped_column(
        String(20), index=True
    )  # planned, booked, handed_over, delivered; refused, stopped
    tracking_id: Mapped[str | None] = mapped_column(String(40))


class ReturnRow(Base):
    """A return or an exchange that was asked for; an order has one that is open at most."""

    __tablename__ = "returns"
    id: Mapped[str] = mapped_column(String(100), primary_key=True)  # the order's id, and which of its returns it is
    order_id: Mapped[str] = mapped_column(ForeignKey("orders.id"), index=True)
    kind: Mapped[str] = mapped_column(String(10))  # return, exchange
    method_id: Mapped[str] = mapped_column(ForeignKey("payment_methods.id"))
    amount: Mapped[int]  # for all of it: to be paid by the customer; negative: to be given back
    state: Mapped[str] = mapped_column(String(10), index=True)  # open, received, withdrawn, expired
    at: Mapped[datetime]
    reminded_at: Mapped[datetime | None]
    closed_at: Mapped[datetime | None]


class ReturnLineRow(Base):
    """Pieces of one order line that are to come back; of an exchange, with what takes their place."""

    __tablename__ = "return_lines"
    return_id: Mapped[str] = mapped_column(ForeignKey("returns.id"), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True)
    line: Mapped[int]  # of the order
    sku: Mapped[str] = mapped_column(ForeignKey("variants.sku"))
    quantity: Mapped[int]
    unit_price: Mapped[int]  # that was paid
    received: Mapped[int] = mapped_column(default=0)
    new_sku: Mapped[str | None] = mapped_column(ForeignKey("variants.sku"), index=True)
    new_price: Mapped[int | None]
    held: Mapped[int] = mapped_column(default=0)  # new pieces in the house, those that wait for a payment included
    sent: Mapped[int] = mapped_column(default=0)  # new pieces that have left


class WaitingPieceRow(Base):
    """New pieces of an exchange whose old ones are back, and which wait for the payment of the difference."""

    __tablename__ = "waiting_pieces"
    return_id: Mapped[str] = mapped_column(ForeignKey("returns.id"), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True)  # of the return's line
    payment_key: Mapped[str] = mapped_column(ForeignKey("payments.key"), primary_key=True)
    quantity: Mapped[int]


class ChangedPieceRow(Base):
    """A piece that another one took the place of, held as long as the difference is not paid."""

    __tablename__ = "changed_pieces"
    order_id: Mapped[str] = mapped_column(ForeignKey("orders.id"), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True)
    sku: Mapped[str] = mapped_column(ForeignKey("variants.sku"))
    quantity: Mapped[int]
    unit_price: Mapped[int]
    new_sku: Mapped[str] = mapped_column(ForeignKey("variants.sku"))


class TicketRow(Base):
    """A case for a person to look into (`commerce.tickets`)."""

    __tablename__ = "tickets"
    __table_args__ = (Index(None, "status", "due_at"), Index(None, "thread_id", "status"))
    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    customer_id: Mapped[str | None] = mapped_column(ForeignKey("customers.id"), index=True)
    order_id: Mapped[str | None] = mapped_column(ForeignKey("orders.id"))
    thread_id: Mapped[str | None] = mapped_column(String(40))  # the conversation that it came from
    topic: Mapped[str] = mapped_column(String(20))
    text: Mapped[str] = mapped_column(String(8000))
    role: Mapped[str | None] = mapped_column(String(40))  # the furthest of its topic's chain that is asked; None: first
    status: Mapped[str] = mapped_column(String(10))  # open, taken, closed
    at: Mapped[datetime]
    due_at: Mapped[datetime | None]  # when the next role is told
    taken_by: Mapped[str | None] = mapped_column(String(100))
    taken_at: Mapped[datetime | None]
    closed_by: Mapped[str | None] = mapped_column(String(100))
    closed_at: Mapped[datetime | None]


class TicketMessageRow(Base):
    """Something that was said about a ticket since it was opened."""

    __tablename__ = "ticket_messages"
    __table_args__ = (UniqueConstraint("ticket_id", "number"),)
    key: Mapped[str] = mapped_column(String(150), primary_key=True)  # said once
    ticket_id: Mapped[str] = mapped_column(ForeignKey("tickets.id"))
    number: Mapped[int]  # of the ticket's messages, from 1
    kind: Mapped[str] = mapped_column(String(10))  # answer: to the customer; reply: by the customer; note: among staff
    author: Mapped[str] = mapped_column(String(100))
    text: Mapped[str] = mapped_column(String(8000))
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
    chain: Mapped[list[Any]]  # of `approvals.chains.Step`
    step: Mapped[int] = mapped_column(default=0)  # whose turn it is
    status: Mapped[str] = mapped_column(String(20), index=True)  # open, approved, rejected, expired, void
    note: Mapped[str] = mapped_column(String(2000), default="")
    round: Mapped[int] = mapped_column(default=0)  # an edit begins a new one
    escalated: Mapped[bool] = mapped_column(default=False)  # the present step
    reminded_since: Mapped[datetime | None]  # the `step_since` of the step that was reminded of last
    thread_told: Mapped[bool] = mapped_column(
        default=True, index=True
    )  # False: changed by the clock or an undo; wake the thread
    step_since: Mapped[datetime]
    created_at: Mapped[datetime]
    asked: Mapped[dict[str, Any] | None]  # what was asked at first: {action_hash, roles}; sealed, as are the next two
    seal: Mapped[str | None] = mapped_column(String(64))  # None: made before there were seals
    head: Mapped[str | None] = mapped_column(String(64))  # the seal of the last decision, or of the request


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
    number: Mapped[int | None]  # from 1, over all rounds
    over: Mapped[dict[str, Any] | None]  # what it is about, or what an edit made of it: {action_hash, roles}
    seal: Mapped[str | None] = mapped_column(String(64))  # over all of this, and the seal before


class NotificationRow(Base):
    """Something that customers hear in their conversation and by webhook; staff, by webhook and at their addresses."""

    __tablename__ = "notices"
    __table_args__ = (
        Index(None, "thread_id", "at"),
        Index(None, "audience", "sent", "next_at"),
        Index(None, "audience", "routed_at", "at"),
    )
    key: Mapped[str] = mapped_column(String(150), primary_key=True)  # what happened, to what: once
    audience: Mapped[str] = mapped_column(String(10), default="customers")  # customers, staff
    event: Mapped[str] = mapped_column(String(40))  # `notifications.notify.CustomerEvent` or `StaffEvent`
    customer_id: Mapped[str | None] = mapped_column(String(60), index=True)  # whose it is; None: it is for staff
    order_id: Mapped[str | None] = mapped_column(String(60))
    facts: Mapped[dict[str, Any]]  # ids, amounts in minor units, rule ids
    at: Mapped[datetime]
    thread_id: Mapped[str | None] = mapped_column(String(40))  # the conversation in which it was delivered
    sent: Mapped[bool] = mapped_column(default=False)  # the webhook was taken
    attempts: Mapped[int] = mapped_column(default=0)
    next_at: Mapped[datetime]
    routed_at: Mapped[datetime | None]  # of staff's: when it was given to the addresses


class StaffDeliveryRow(Base):
    """A notification that an address of staff's has yet to take; gone when it has, or when it is given up."""

    __tablename__ = "staff_deliveries"
    __table_args__ = (Index(None, "queue", "next_at"),)
    key: Mapped[str] = mapped_column(ForeignKey("notices.key"), primary_key=True)
    queue: Mapped[str] = mapped_column(String(40), primary_key=True)  # whose address: a role, or * for all
    attempts: Mapped[int] = mapped_column(default=0)
    next_at: Mapped[datetime]


class ConversationRow(Base):
    """The conversation in which a customer last wrote."""

    __tablename__ = "conversations"
    customer_id: Mapped[str] = mapped_column(ForeignKey("customers.id"), primary_key=True)
    thread_id: Mapped[str] = mapped_column(String(40))
    at: Mapped[datetime]


class QuarantineRow(Base):
    """A state that could not be true, kept as it was found; its thread went on with one rebuilt from the ledger."""

    __tablename__ = "quarantine"
    id: Mapped[str] = mapped_column(String(40), primary_key=True)  # hash of thread, node and state
    thread_id: Mapped[str] = mapped_column(String(40), index=True)
    order_id: Mapped[str | None] = mapped_column(String(60))
    node: Mapped[str] = mapped_column(String(40))
    found: Mapped[str] = mapped_column(String(500))  # what is wrong with it
    state: Mapped[dict[str, Any]]
    at: Mapped[datetime]


class QuestionRow(Base):
    """What an approver asked the customer about a request, and what the customer said. It decides nothing."""

    __tablename__ = "questions"
    __table_args__ = (UniqueConstraint("request_id", "number"),)
    key: Mapped[str] = mapped_column(String(150), primary_key=True)  # asked once
    request_id: Mapped[str] = mapped_column(ForeignKey("approvals.id"))
    number: Mapped[int]  # of the request's questions, from 1
    asked_by: Mapped[str] = mapped_column(String(100))
    text: Mapped[str] = mapped_column(String(2000))
    at: Mapped[datetime]
    answer: Mapped[str | None] = mapped_column(String(8000))
    answered_at: Mapped[datetime | None]


class HeartbeatRow(Base):
    """When something that must go on by itself last did."""

    __tablename__ = "heartbeats"
    name: Mapped[str] = mapped_column(String(40), primary_key=True)
    at: Mapped[datetime]
