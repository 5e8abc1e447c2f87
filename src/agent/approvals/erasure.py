"""Erases what was written in a request, for a customer who is to be forgotten. Who asked what, and who said yes, stays.

The hash of the action stays, and so does each seal: what is left is sealed anew, over the seal that was there.
"""

from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from agent.approvals.card import decisions_of
from agent.approvals.trail import Trail
from agent.ledger.tables import ApprovalRow, QuestionRow

ERASED: Final = "(erased)"
"""Stands where words were."""

KEPT_ARGUMENTS: Final = frozenset(
    ("order_id", "revision", "amount", "total", "currency", "risk", "lines", "line", "quantity", "debt", "kind",
     "frozen_at")
)  # fmt: skip
"""What stays of an action: ids, numbers and times."""


def erase_words(session: Session, trail: Trail, row: ApprovalRow) -> None:
    """Erase the words of a request, of the decisions on it, and of its questions. Safe to repeat.

    Raises `BrokenTrailError` for one that can't be proved as it is: a new seal would hide that.
    """
    said = decisions_of(session, row)
    trail.prove(row, said)
    if "erased" not in row.action:
        kept = {name: value for name, value in row.action["arguments"].items() if name in KEPT_ARGUMENTS}
        row.action = row.action | {"arguments": kept, "description": ERASED}
        row.action = row.action | {"erased": trail.of_erased_action(row)}
    row.note = ERASED if row.note else ""
    before = row.seal
    for decision in said:
        if decision.note and decision.note != ERASED:
            decision.note = ERASED
            if before is not None:
                decision.over = (decision.over or {}) | {"erased": trail.of_erased_decision(before, decision)}
        before = decision.seal
    for question in session.scalars(select(QuestionRow).where(QuestionRow.request_id == row.id)):
        question.text, question.answer = ERASED, question.answer and ERASED
    session.flush()
