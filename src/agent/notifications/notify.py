"""Writes notifications for customers and staff, in the transaction of their cause. Delivering them comes after it."""

from datetime import datetime
from functools import cache
from importlib import import_module
from typing import Any, Final, Literal

from sqlalchemy import Insert, String, bindparam, case, exists, literal, null
from sqlalchemy.orm import Session

from agent.ledger.database import digest
from agent.ledger.statements import table_of
from agent.ledger.tables import ConversationRow, NotificationRow, OrderRow

CustomerEvent = Literal[
    "payment.deferred",  # the provider can't be asked, or did not answer
    "payment.declined",  # another method is asked for; facts: rule
    "approval.decided",  # facts: status, request_id
    "approval.question",  # staff asks the customer; facts: request_id, question (in the words of who asks)
    "parcel.shipped",  # facts: parcel_id, tracking_id
    "parcel.refused",  # the carrier will not take it, its part is given back; facts: parcel_id, amount
    "refund.pending",  # its provider has taken it on, and it may yet fail; facts: amount
    "refund.settled",  # facts: amount
    "refund.returned",  # it did not arrive after all, and is owed again; facts: amount
    "method.kept",  # another method was declined, and the old one stays; facts: rule, amount
    "difference.declined",  # of changed items or an exchange: another method is asked for; facts: rule, amount
    "difference.refunded",  # less than its value: the rest was refunded before; facts: amount, value
    "change.undone",  # it was not paid
    "exchange.refunded",  # it was not paid, so what came back is refunded; facts: amount
    "return.received",  # facts: amount that is refunded, value of what is back
    "return.reminder",  # facts: pieces that are still to come
    "return.closed",  # what is left of it did not come; facts: pieces
    "order.cancelled",  # facts: rule
    "ticket.answered",  # facts: ticket_id, answer (in the words of who answers)
    "ticket.closed",  # facts: ticket_id
    "cancel.refused",  # asked for too late: the carrier has it; facts: rule
]

StaffEvent = Literal[
    "approval.requested",  # a step's turn begins
    "approval.reminded",
    "approval.escalated",
    "approval.decided",  # one person's decision, which counts; facts: decision, role
    "approval.expired",
    "approval.withdrawn",  # by its customer; facts: request_id, case, status
    "ticket.opened",  # facts of these: ticket_id, topic, status, roles, due
    "ticket.heard",  # its customer has written
    "ticket.escalated",  # nobody has taken it in time, or who has says nothing: the last of the roles is asked as well
    "ticket.overdue",  # and that was the end of its chain
    "order.stuck",  # nothing has moved it for days; facts: stage
    "payment.disputed",  # a customer disputes it at their bank, who may take it back; facts: payment
]
"""Of one step of a request, see `approval_notifications` for the facts; of a ticket; or of an order's money."""

LONGEST_KEY: Final = 150

NO_CONVERSATION: Final = ""
"""Stands for the thread of a notification to a customer who has had no conversation yet: none is woken for it."""


def notification_key(event: CustomerEvent | StaffEvent, about: str) -> str:
    """What happened, to what; `about` is digested where it is too long to be told apart by its beginning."""
    key = f"{event}:{about}"
    return key if len(key) <= LONGEST_KEY else f"{event}:{digest(about)}"


def notify(
    session: Session,
    event: CustomerEvent,
    about: str,
    *,
    now: datetime,
    order: OrderRow | None = None,
    customer_id: str = "",
    order_id: str | None = None,
    **facts: str | int,
) -> None:
    """Notify the customer of an order, once of each event; `about` is what it happened to.

    Who has no row of the order names customer and order by id.
    """
    _write(
        session,
        key=notification_key(event, about),
        audience="customers",
        event=event,
        customer_id=order.customer_id if order else customer_id,
        order_id=order.id if order else order_id,
        facts=facts,
        now=now,
    )


def notify_staff(
    session: Session, event: StaffEvent, about: str, *, now: datetime, order_id: str | None, facts: dict[str, Any]
) -> None:
    """Notify staff, once of each event. The facts are ids, roles, times and amounts only."""
    key = notification_key(event, about)
    _write(session, key=key, audience="staff", event=event, customer_id=None, order_id=order_id, facts=facts, now=now)


def _write(session: Session, **given: Any) -> None:
    """One statement: what was written before stays as it is."""
    session.connection().execute(_statement(session.get_bind().dialect.name), given)


@cache
def _statement(dialect: str) -> Insert:
    """A notification to a customer without a conversation belongs to none; any other may be delivered in one."""
    insert: Any = import_module(f"sqlalchemy.dialects.{dialect}").insert  # loads no other dialect: that takes 0.1 s
    notifications, whom = table_of(NotificationRow), bindparam("customer_id", type_=String)
    silent = whom.is_not(None) & ~exists().where(ConversationRow.customer_id == whom)
    given = ("key", "audience", "event", "order_id", "facts")
    values: dict[str, Any] = {name: bindparam(name, type_=notifications.c[name].type) for name in given}
    now = bindparam("now", type_=notifications.c.at.type)
    values |= {"customer_id": whom, "at": now, "next_at": now, "sent": False, "attempts": 0}
    values |= {"thread_id": case((silent, literal(NO_CONVERSATION)), else_=null())}
    statement: Insert = insert(notifications).values(values).on_conflict_do_nothing(index_elements=["key"])
    return statement
