"""The tables of what people decide and look into: tickets, approvals, questions."""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from agent.ledger.base import Base


class TicketRow(Base):
    """A case for a person to look into (`commerce.tickets`)."""

    __tablename__ = "tickets"
    __table_args__ = (
        Index(None, "status", "due_at"),
        Index(None, "status", "closed_at"),
        Index(None, "thread_id", "status"),
    )
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
    thread_is_current: Mapped[bool] = mapped_column(
        "thread_told", default=True, index=True
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
