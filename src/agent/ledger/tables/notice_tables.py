"""The tables of what customers and staff are told, and where they were last heard."""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from agent.ledger.base import Base


class NoticeRow(Base):
    """Something that a customer should hear of, in their conversation and by webhook; or staff, by webhook alone."""

    __tablename__ = "notices"
    __table_args__ = (Index(None, "thread_id", "at"), Index(None, "audience", "sent", "next_at"))
    key: Mapped[str] = mapped_column(String(150), primary_key=True)  # what happened, to what: told once
    audience: Mapped[str] = mapped_column(String(10), default="customers")  # customers, staff
    event: Mapped[str] = mapped_column(String(40))  # `ledger.notices.NoticeEvent` or `StaffEvent`
    customer_id: Mapped[str | None] = mapped_column(String(60), index=True)  # whom to tell; None: it is for staff
    order_id: Mapped[str | None] = mapped_column(String(60))
    facts: Mapped[dict[str, Any]]  # ids, amounts in minor units, rule ids
    at: Mapped[datetime]
    thread_id: Mapped[str | None] = mapped_column(String(40))  # the conversation in which it was told
    sent: Mapped[bool] = mapped_column(default=False)  # the webhook was taken
    attempts: Mapped[int] = mapped_column(default=0)
    next_at: Mapped[datetime]


class ConversationRow(Base):
    """The conversation in which a customer was last heard."""

    __tablename__ = "conversations"
    customer_id: Mapped[str] = mapped_column(ForeignKey("customers.id"), primary_key=True)
    thread_id: Mapped[str] = mapped_column(String(40))
    at: Mapped[datetime]
