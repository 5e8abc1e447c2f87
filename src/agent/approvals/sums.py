"""What was asked for before: refunds and credits beyond policy, paid to a customer lately or waiting (law 23)."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Literal

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from agent.ledger.tables import ApprovalRow, EffectRow

LATELY: Final = timedelta(days=30)
"""How long a refund that was paid is counted (REFUND-SUM)."""

_BEYOND_POLICY: Final = ("refund_payment", "issue_credit")


@dataclass(frozen=True)
class EarlierRefund:
    """A refund or credit that people were asked about. `amount` in minor units; `at` is when it was paid, or asked."""

    request_id: str
    key: str
    order_id: str | None
    amount: int
    state: Literal["waits", "paid"]
    at: datetime


def earlier_refunds(session: Session, customer_id: str, now: datetime) -> list[EarlierRefund]:
    """A customer's refunds beyond policy, oldest first: paid within LATELY, and those not paid yet but not refused.

    What was approved and then could not be made, is none.
    """
    query = (
        select(ApprovalRow, EffectRow.at, EffectRow.answer)
        .outerjoin(EffectRow, EffectRow.key == func.coalesce(ApprovalRow.head, ApprovalRow.id))
        .where(ApprovalRow.subject == customer_id, ApprovalRow.status.in_(("open", "approved")))
        .order_by(ApprovalRow.created_at, ApprovalRow.id)
    )
    found = []
    for row, paid_at, answer in session.execute(query):
        gone = paid_at is not None and ("denied" in answer or paid_at < now - LATELY)
        if row.action["name"] in _BEYOND_POLICY and not gone:
            amount, at = row.action["arguments"]["amount"], paid_at or row.created_at
            state: Literal["waits", "paid"] = "waits" if paid_at is None else "paid"
            found.append(EarlierRefund(row.id, row.key, row.order_id, amount, state, at))
    return found
