"""What changes for a customer rather than for an order: the default address, a ticket, a request withdrawn."""

from datetime import datetime
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from agent.commerce.commands import ChangeProfileAddress, WithdrawRequest
from agent.commerce.locks import own
from agent.commerce.policy import policy_denied
from agent.commerce.ticket_commands import OpenTicket
from agent.commerce.tickets import add_ticket, say
from agent.ledger.database import digest, emit_once_committed
from agent.ledger.tables import ApprovalRow, ConversationRow, CustomerRow, TicketRow
from agent.notifications.approval_notifications import notify_of_withdrawal

WITHDRAWABLE: Final = ("billing", "general")
"""Cases that a customer may withdraw: what was asked for in their name, and not by an order's own process."""


def change_profile_address(session: Session, command: ChangeProfileAddress, now: datetime) -> CustomerRow:
    """ChangeProfileAddress, for oneself (PROFILE-OWN). Raises `PolicyDenied` ORDER-CUSTOMER."""
    customer = customer_of(session, command.subject)
    customer.address = command.address.model_dump()
    customer.profile_changed_at = now
    return customer


def open_ticket(session: Session, command: OpenTicket, now: datetime) -> TicketRow:
    """OpenTicket. While the conversation has one of this topic and order that is not closed, the words are added to it:
    however much somebody writes, staff has one case. Raises `PolicyDenied` ORDER-CUSTOMER, ORDER-EXISTS."""
    customer_of(session, command.subject)
    if command.order_id:
        own(session, command.order_id, command.subject)
    heard = None if command.thread_id else session.get(ConversationRow, command.subject)
    about = {
        "customer_id": command.subject,
        "order_id": command.order_id,
        "thread_id": heard.thread_id if heard else command.thread_id,
    }
    same = select(TicketRow).filter_by(topic=command.topic, **about).where(TicketRow.status != "closed").limit(1)
    if about["thread_id"] and (ticket := session.scalar(same.with_for_update())):
        say(session, ticket, "reply", command.text, author=command.subject, key=command.key, now=now)
        return ticket
    ticket_id = f"tic-{digest(command.key)[:12]}"
    emit_once_committed(session, "conversation.handed_over", ticket_id=ticket_id, topic=command.topic)
    return add_ticket(session, ticket_id, topic=command.topic, text=command.text, now=now, **about)


def withdraw_request(session: Session, command: WithdrawRequest, now: datetime) -> CustomerRow:
    """WithdrawRequest: nobody is asked any more. Raises `PolicyDenied` REQUEST-OPEN for one that is decided, or
    another's."""
    customer = customer_of(session, command.subject)
    row = session.get(ApprovalRow, command.request_id, with_for_update=True)
    if row is None or row.subject != customer.id or row.status != "open" or row.case not in WITHDRAWABLE:
        raise policy_denied("REQUEST-OPEN")
    row.status, row.thread_is_current = "withdrawn", True
    notify_of_withdrawal(session, row, now)
    emit_once_committed(session, "approval.withdrawn", request_id=row.id)
    return customer


def customer_of(session: Session, customer_id: str) -> CustomerRow:
    """The customer, locked. Raises `PolicyDenied` ORDER-CUSTOMER, also for one who was forgotten."""
    customer = session.get(CustomerRow, customer_id, with_for_update=True)
    if customer is None or customer.forgotten_at is not None:
        raise policy_denied("ORDER-CUSTOMER")
    return customer
