"""The tables of orders: their lines, their parcels, what came back of them, and what was changed."""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from agent.ledger.base import Base


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
    traceparent: Mapped[str | None] = mapped_column(String(55))  # W3C's, of the span that placed it (`ledger.traces`)
    placed_by: Mapped[str] = mapped_column(String(100))  # who was authenticated
    placed_at: Mapped[datetime]
    touched_at: Mapped[datetime]
    ended_at: Mapped[datetime | None] = mapped_column(index=True)  # completed or cancelled here; None: not yet


class OrderLineRow(Base):
    """One line of an order, at the price of the moment it was placed; `reservation` is the stock held for it."""

    __tablename__ = "order_lines"
    order_id: Mapped[str] = mapped_column(ForeignKey("orders.id"), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True)
    sku: Mapped[str] = mapped_column(ForeignKey("variants.sku"))
    quantity: Mapped[int]
    unit_price: Mapped[int]
    reservation: Mapped[str] = mapped_column(String(10), default="none")  # none, short, held, released, shipped


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
    kind: Mapped[str] = mapped_column(String(10))  # return, exchange, replace
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
