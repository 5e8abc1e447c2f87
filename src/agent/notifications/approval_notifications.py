"""Notifications about approval requests, written in the transaction that changes the request.

Staff hear ids, roles, times and amounts: no names, nothing that anybody wrote.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from agent.escalation import asked_now
from agent.ledger.tables import ApprovalRow, DecisionRow
from agent.notifications.notify import StaffEvent, notify, notify_staff

View = Mapping[str, object]
"""A request as `approvals.models.ApprovalView` has it."""


def notify_of_end(session: Session, row: ApprovalRow, now: datetime) -> None:
    """Notify the customer that their request came to its end; what the shop asks its own people is not theirs."""
    if row.status != "open" and row.case != "debt":
        notify(
            session,
            "approval.decided",
            row.id,
            customer_id=row.subject,
            order_id=row.order_id,
            now=now,
            status=row.status,
            request_id=row.id,
        )


def notify_of_step(session: Session, event: StaffEvent, row: ApprovalRow, view: View, now: datetime) -> None:
    """Notify staff that the present step of a request begins, or what the clock did to it; once each."""
    _notify_staff(session, event, f"{row.id}/{row.round}/{row.step}", row, view, now=now)


def notify_of_decision(session: Session, decision: DecisionRow, row: ApprovalRow, view: View, now: datetime) -> None:
    """Notify staff of a decision that counts, and of what it leads to: the next step, or the end."""
    about = f"{decision.request_id}/{decision.round}/{decision.step}"
    answer = {"decision": decision.decision, "role": decision.role}
    _notify_staff(session, "approval.decided", about, row, view, now=now, **answer)
    if row.status == "open":
        notify_of_step(session, "approval.requested", row, view, now)
    notify_of_end(session, row, now)


def notify_of_withdrawal(session: Session, row: ApprovalRow, now: datetime) -> None:
    """Notify staff that the customer has withdrawn a request."""
    roles = asked_now(row.chain, row.step, is_escalated=row.escalated)
    facts = {"request_id": row.id, "case": row.case, "status": row.status, "roles": roles}
    notify_staff(session, "approval.withdrawn", row.id, now=now, order_id=row.order_id, facts=facts)


def _notify_staff(
    session: Session, event: StaffEvent, about: str, row: ApprovalRow, view: View, *, now: datetime, **more: str
) -> None:
    """The facts say how the request stands now: while its status is open `roles` may answer, best before `due`."""
    action = row.action["arguments"]
    shown = ("request_id", "case", "status", "roles", "step", "steps", "due")
    facts: dict[str, Any] = {name: view[name] for name in shown}
    facts |= {"amount": action.get("amount", action.get("total")), **more}  # minor units
    notify_staff(session, event, about, now=now, order_id=row.order_id, facts=facts)
