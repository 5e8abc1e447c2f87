"""What an address of staff's is sent: a plain sentence of each event, with ids, roles and times, in nobody's words."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from agent.ledger.tables import NotificationRow

SENTENCES: Final[Mapping[str, str]] = {
    "approval.requested": "Request {id} ({what}) waits for {roles}{until}.",
    "approval.reminded": "Request {id} ({what}) still waits for {roles}{until}.",
    "approval.escalated": "Request {id} ({what}) is overdue: {roles} may answer it now.",
    "approval.decided": "Request {id} ({what}): {role} said {decision}, and it is {status} now.",
    "approval.expired": "Request {id} ({what}) has expired: nobody answered in time.",
    "approval.withdrawn": "Request {id} ({what}) was withdrawn by its customer.",
    "ticket.opened": "Ticket {id} ({what}) waits for {roles}{until}.",
    "ticket.heard": "The customer of ticket {id} ({what}) has written; it is for {roles}{until}.",
    "ticket.escalated": "Ticket {id} ({what}) was not worked on in time: {roles} may take it now{until}.",
    "ticket.overdue": "Ticket {id} ({what}) is overdue again, and nobody is left to ask but {roles}.",
}
"""By `StaffEvent`; what else staff's programs hear comes with a ticket."""


def sentence_of(row: NotificationRow) -> str:
    """A notification in words. Raises KeyError for an event that has no sentence."""
    facts = row.facts
    what = str(facts.get("case") or facts.get("topic")).replace("_", " ")
    return SENTENCES[row.event].format(
        id=facts.get("request_id") or facts.get("ticket_id"),
        what=f"{what}, order {row.order_id}" if row.order_id else what,
        roles=" or ".join(facts.get("roles", ())),
        until=_until(facts),
        role=facts.get("role"),
        decision=facts.get("decision"),
        status=facts.get("status"),
    )


def _until(facts: Mapping[str, Any]) -> str:
    """Until when; tickets of before there were times have none."""
    due = facts.get("due")
    return f", until {datetime.fromisoformat(due):%Y-%m-%d %H:%M} UTC" if due else ""
