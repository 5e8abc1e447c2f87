"""The card: what an approver is shown of a request, the same in every client.

Clients show the description and the arguments, and nothing else that is sent. So the description begins with one line
of facts: whether the last answer was taken, whose step it is, who has said yes, who asks for whom, until when. The
words of the action follow. The arguments are text: what identifies the action, and what may be edited.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from agent.approvals.models import ActionRequest, ApprovalView, Decision, Ended, ReviewConfig
from agent.escalation import Step, asked_now
from agent.ledger.database import digest
from agent.ledger.tables import ApprovalRow, DecisionRow
from agent.shop import SHOP

_MONEY: Final = ("amount", "total")
"""Arguments that are amounts, in minor units."""
_IN_WORDS: Final = ("risk",)
"""Arguments that the description tells of, as it does of all that is no single value."""
_YES: Final[dict[str, str]] = {"approve": "said yes", "edit": "changed it"}


def view_of(session: Session, row: ApprovalRow, refused: str | None = None) -> ApprovalView:
    """A request as it stands; `refused` says why the last answer to it was not taken."""
    began = row.step or row.round or row.status != "open"  # nearly always nobody has answered yet
    said = decisions_of(session, row) if began else []
    name, args = row.action["name"], args_of(row)
    allowed: list[Decision] = ["approve", "edit", "reject"] if row.action["editable"] else ["approve", "reject"]
    description = f"{' · '.join(_facts(row, said, refused))}\n\n{row.action['description']}"
    view = ApprovalView(
        action_requests=[ActionRequest(name=name, args=args, arguments=args, description=description)],
        review_configs=[ReviewConfig(action_name=name, allowed_decisions=allowed)],
        request_id=row.id,
        case=row.case,
        subject=row.subject,
        order_id=row.order_id,
        asked_by=row.asked_by,
        roles=roles_of(row),
        step=row.step + 1,
        steps=len(row.chain),
        due=_due(row).isoformat(),
        action_hash=row.action_hash,
        status=row.status,
        note=row.note,
        refused=refused,
        token=token_of(row),
        arguments=row.action["arguments"],
        currency=SHOP.currency,
    )
    if row.head:
        view["head"] = row.head
    if row.status != "open":
        view["ended"] = _ended(row, said)
    return view


def token_of(row: ApprovalRow) -> str:
    """What stands for a request exactly as it is shown: another step, round or action is another."""
    return digest([row.id, row.round, row.step, row.action_hash])[:12]


def args_of(row: ApprovalRow) -> dict[str, str]:
    """A request's arguments as text, and its own id: two requests may be for the same."""
    args = {
        name: _amount(value) if name in _MONEY else str(value)
        for name, value in row.action["arguments"].items()
        if isinstance(value, str | int) and value != "" and name not in _IN_WORDS and (value or name not in _MONEY)
    }
    return {**args, "request_id": row.id}


def roles_of(row: ApprovalRow) -> list[str]:
    """Who may answer the present step."""
    return asked_now(row.chain, row.step, is_escalated=row.escalated)


def decisions_of(session: Session, row: ApprovalRow) -> list[DecisionRow]:
    """What people have said to a request, in all rounds, in order."""
    query = select(DecisionRow).where(DecisionRow.request_id == row.id)
    return list(session.scalars(query.order_by(DecisionRow.number, DecisionRow.round, DecisionRow.step)).all())


def is_of(shown: ApprovalView, known: ApprovalView) -> bool:
    """Whether what is shown is this request, with its own words and arguments, whatever the facts were at the time."""
    [seen], [stands] = shown["action_requests"], known["action_requests"]
    words = stands["description"].partition("\n\n")[2]
    arguments = stands["args"] if "token" in shown else known["arguments"]  # as releases before this one showed them
    same = seen["name"] == stands["name"] and seen["args"] == seen["arguments"] == arguments
    return same and seen["description"].endswith(words) and shown["action_hash"] == known["action_hash"]


def not_taken(view: ApprovalView) -> str:
    """Why the last answer to a request was not taken, fit for its thread, which a customer may read: no names."""
    why = f"APPROVAL-ENDED: {ended_in_words(view, names=False)}" if "ended" in view else view["refused"]
    return f"Not taken: {why}"


def ended_in_words(view: ApprovalView, *, names: bool = True) -> str:
    """What became of a request that is not open any more, through whom and when."""
    ended = view["ended"]
    match ended["status"]:
        case "void":
            return "what was asked for has changed, and this request is void"
        case "withdrawn":
            return "the customer has withdrawn it"
        case "expired":
            return "nobody answered in time, and this request has expired"
        case status:
            who = f" {ended['actor']}" if names else ""
            at = f" at {datetime.fromisoformat(ended['at']):%Y-%m-%d %H:%M} UTC" if ended["at"] else ""
            return f"this was {status} by {ended['role']}{who}{at}"


def waits_in_words(view: ApprovalView) -> str:
    """Whom a request waits for, fit for a customer: no names."""
    whom = " or ".join(view["roles"])
    return f"waits for approval by {whom}" + (f", step {view['step']} of {view['steps']}" if view["steps"] > 1 else "")


def _facts(row: ApprovalRow, said: Sequence[DecisionRow], refused: str | None) -> Iterator[str]:
    """The first line: each fact on that line alone, whatever is in it."""
    if refused:
        yield _line(f"Not taken: {refused}")
    step = f"step {row.step + 1} of {len(row.chain)} for {' or '.join(roles_of(row))}"
    earlier = [f"{each.role} {each.actor} {_YES[each.decision]}" for each in said if _is_yes(row, each)]
    yield _line(", ".join([step, *earlier]))
    yield _line(f"asked by {row.asked_by} for {row.subject}")
    yield f"due {_due(row):%Y-%m-%d %H:%M} UTC"


def _is_yes(row: ApprovalRow, decision: DecisionRow) -> bool:
    return decision.round == row.round and decision.decision in _YES


def _ended(row: ApprovalRow, said: Sequence[DecisionRow]) -> Ended:
    last = said[-1] if said and row.status in ("approved", "rejected") else None
    if last is None:
        return Ended(status=row.status, actor=None, role=None, at=None)
    return Ended(status=row.status, actor=last.actor, role=last.role, at=last.at.isoformat())


def _due(row: ApprovalRow) -> datetime:
    step: Step = row.chain[row.step]
    due: datetime = row.step_since + timedelta(seconds=step["due_seconds"])
    return due


def _amount(minor: int | str) -> str:
    return SHOP.amount(minor) if isinstance(minor, int) else minor


def _line(text: str) -> str:
    return " ".join(text.split())
