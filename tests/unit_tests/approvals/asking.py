"""What the approval tests ask for, and what was decided on it."""

from typing import Any

from sqlalchemy import select

from agent.approvals.chains import Case, case_for_refund
from agent.approvals.models import ApprovalView, decision_payload
from agent.approvals.requests import Action, Approvals
from agent.ledger.database import Database
from agent.ledger.tables import DecisionRow

CUSTOMER = "ada_park"
ASKER = "channel-1"


def refund(amount: int = 40_00) -> Action:
    """A refund of `amount` minor units, which people may edit."""
    arguments = {"order_id": "W-1001", "amount": amount, "reason": "scratched"}
    return Action("refund_payment", arguments, f"Refund {amount} of W-1001", editable=True)


def order(total: int = 5_000_00) -> Action:
    """An order of `total` minor units, which people may approve or reject."""
    return Action("approve_order", {"order_id": "N-1", "total": total}, f"Order N-1 of {total}")


def changed_amount(shown: dict[str, Any], arguments: dict[str, Any]) -> tuple[Action, Case]:
    """An `Edit`: the amount may change, within reason."""
    if arguments["amount"] > 100_00:
        raise ValueError("amount: more than was paid")
    assert arguments | {"amount": 0} == shown | {"amount": 0}
    return refund(arguments["amount"]), case_for_refund(arguments["amount"])


def edit_to(amount: int) -> dict[str, Any]:
    """The answer that changes a refund's amount."""
    return decision_payload("edit", name="refund_payment", arguments=refund(amount).arguments)


async def ask(approvals: Approvals, action: Action, case: Case, *, key: str = "plan:1") -> ApprovalView:
    """Open a request for the customer, asked for by the storefront."""
    return await approvals.open(
        action, case, key=key, subject=CUSTOMER, order_id="W-1001", thread_id="thread-1", asked_by=ASKER
    )


async def decisions(database: Database, request_id: str) -> list[DecisionRow]:
    """What people said to a request that counted, in order."""
    query = select(DecisionRow).where(DecisionRow.request_id == request_id)
    with database.reading() as session:
        return list(session.scalars(query.order_by(DecisionRow.round, DecisionRow.at, DecisionRow.step)))
