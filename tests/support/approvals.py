"""What the approval tests ask for, and what was decided on it.

It knows requests and chains only; threads and people are elsewhere.
"""

from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from agent.approvals.card import args_of
from agent.approvals.chains import case_for_refund
from agent.approvals.models import ApprovalView, decision_payload
from agent.approvals.requests import Action, Approvals, Edit
from agent.identity import Caller
from agent.ledger.database import Database
from agent.ledger.tables import ApprovalRow, DecisionRow
from agent.shop import SHOP, Case
from tests.support.goods import W1001

CUSTOMER = "ada_park"
ASKER = "channel-1"


def refund(amount: int = 40_00) -> Action:
    """A refund of `amount` minor units, which people may edit."""
    arguments = {"order_id": W1001, "amount": amount, "reason": "scratched"}
    return Action("refund_payment", arguments, f"Refund {amount} of {W1001}", editable=True)


def order(total: int = 5_000_00) -> Action:
    """An order of `total` minor units, which people may approve or reject."""
    return Action("approve_order", {"order_id": "N-1", "total": total}, f"Order N-1 of {total}")


def changed_amount(session: Session, row: ApprovalRow, wanted: dict[str, Any], now: datetime) -> tuple[Action, Case]:
    """An `Edit`: the amount may change, within reason."""
    amount = SHOP.read_money(wanted["amount"])
    if amount > 100_00:
        raise ValueError("amount: more than was paid")
    assert wanted | {"amount": ""} == args_of(row) | {"amount": ""}
    return refund(amount), case_for_refund(amount)


def edit_to(view: ApprovalView, amount: int) -> dict[str, Any]:
    """The answer that changes a refund's amount."""
    arguments = view["action_requests"][0]["args"] | {"amount": SHOP.amount(amount)}
    return decision_payload("edit", name="refund_payment", arguments=arguments)


async def ask(approvals: Approvals, action: Action, case: Case, *, key: str = "plan:1") -> ApprovalView:
    """Open a request for the customer, asked for by the storefront."""
    return await approvals.open(
        action, case, key=key, subject=CUSTOMER, order_id=W1001, thread_id="thread-1", asked_by=ASKER
    )


async def decide(  # noqa: PLR0917
    approvals: Approvals, request_id: str, seen_hash: str, said: Any, caller: Caller | None, edit: Edit | None = None
) -> ApprovalView:
    """The gate takes an answer, if it counts, from where nothing was shown, in a transaction of its own."""
    return await approvals._db.write(
        lambda session: approvals.decide_in(session, request_id, seen_hash, said, caller, edit=edit)
    )


async def decisions(database: Database, request_id: str) -> list[DecisionRow]:
    """What people said to a request that counted, in order."""
    query = select(DecisionRow).where(DecisionRow.request_id == request_id)
    with database.reading() as session:
        return list(session.scalars(query.order_by(DecisionRow.round, DecisionRow.at, DecisionRow.step)))
