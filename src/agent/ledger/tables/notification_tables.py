"""The tables of notifications to customers and staff, and of where customers last wrote."""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from agent.ledger.base import Base


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
