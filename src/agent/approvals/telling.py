"""Who is told what becomes of a request, in the transaction in which it does: its customer, and the staff.

What staff's programs hear are ids, roles, times and amounts: no names, nothing that anybody wrote. `commerce.outbox`
sends it on; customers are told in their conversations as well.
"""

from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from agent.approvals.models import ApprovalView
from agent.ledger.notices import StaffEvent, notify, notify_staff
from agent.ledger.tables import ApprovalRow, DecisionRow


def tell_customer(session: Session, row: ApprovalRow, now: datetime) -> None:
    """Note that a request of the customer's came to its end; what the shop asks its own people is not theirs."""
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


def tell_of_turn(session: Session, event: StaffEvent, row: ApprovalRow, view: ApprovalView, now: datetime) -> None:
    """Note for the staff that the present turn of a request begins, or what the clock did to it; each once."""
    _tell_staff(session, event, f"{row.id}/{row.round}/{row.step}", row, view, now=now)


def tell_of_decision(
    session: Session, decision: DecisionRow, row: ApprovalRow, view: ApprovalView, now: datetime
) -> None:
    """Note a decision that counts for the staff, and what it leads to: the next turn, or the end."""
    about = f"{decision.request_id}/{decision.round}/{decision.step}"
    _tell_staff(session, "approval.decided", about, row, view, now=now, decision=decision.decision, role=decision.role)
    if row.status == "open":
        tell_of_turn(session, "approval.requested", row, view, now)
    tell_customer(session, row, now)


def _tell_staff(
    session: Session, event: StaffEvent, about: str, row: ApprovalRow, view: ApprovalView, *, now: datetime, **more: str
) -> None:
    """The facts say how the request stands now: while its status is open `roles` may answer, best before `due`."""
    action = row.action["arguments"]
    facts: dict[str, Any] = {
        "request_id": view["request_id"],
        "case": view["case"],
        "status": view["status"],
        "roles": view["roles"],
        "step": view["step"],
        "steps": view["steps"],
        "due": view["due"],
        "amount": action.get("amount", action.get("total")),  # minor units
        **more,
    }
    notify_staff(session, event, about, now=now, order_id=view["order_id"], facts=facts)
