"""Notifications about tickets, written in the transaction that changes the ticket."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Literal

from sqlalchemy.orm import Session

from agent.ledger.database import emit_once_committed
from agent.ledger.tables import TicketRow
from agent.notifications.notify import notify_staff

TicketEvent = Literal["ticket.opened", "ticket.heard", "ticket.escalated", "ticket.overdue"]


def notify_of_ticket(
    session: Session, event: TicketEvent, ticket: TicketRow, roles: Sequence[str], now: datetime
) -> None:
    """Notify staff of what became of a ticket: which roles may work on it, until when; no words of anybody's."""
    emit_once_committed(session, event, ticket_id=ticket.id, role=ticket.role)
    due = ticket.due_at.isoformat() if ticket.due_at else None
    facts: dict[str, Any] = {"ticket_id": ticket.id, "topic": ticket.topic, "status": ticket.status}
    facts |= {"roles": list(roles), "due": due}
    notify_staff(session, event, f"{ticket.id}:{now.isoformat()}", now=now, order_id=ticket.order_id, facts=facts)
