"""What was seen (law 17): what an answer carries that proves it is for the request exactly as it stands.

Some clients send back the card's token, some its arguments; others name the interrupt or the checkpoint that they
show, which the server checks (`server.resumes`). Who sends none of these is asked again, once, where the thread showed
something else not long ago: that may be what they have answered.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from agent.approvals.card import args_of, decisions_of, token_of
from agent.approvals.models import Answer, ApprovalView
from agent.approvals.responses import AnswerRefusedError
from agent.ledger.database import digest
from agent.ledger.tables import ApprovalRow
from agent.money import exponent
from agent.shop import SHOP

CHANGED_LATELY: Final = timedelta(hours=24)
"""How long a card that shows what the thread showed before may still be open somewhere."""

_EXAMPLE: Final = 80 * 10 ** exponent(SHOP.currency)
_CHANGED: Final = "the request has changed since it was shown: look at it again"


@dataclass(frozen=True)
class Seen:
    """What the thread of a request shows, and what an answer named of that: `interrupt`, `checkpoint` or nothing."""

    shown: ApprovalView | None = None
    named: str = ""


NOTHING_SEEN: Final = Seen()


def proof_of(session: Session, row: ApprovalRow, answer: Answer, seen: Seen, *, who: str, now: datetime) -> str:
    """Which part of an answer proves that `who` saw the request as it stands, or that it has not changed lately.

    Raises `AnswerRefusedError` APPROVAL-STALE.
    """
    shown = seen.shown
    if shown and "token" not in shown and answer.decision == "edit":  # shown by a release that had amounts in cents
        raise AnswerRefusedError(
            "APPROVAL-STALE", f"amounts are written like {SHOP.amount(_EXAMPLE)} now: look at it again", ask_again=True
        )
    if answer.token is not None:
        return _same("token", answer.token == token_of(row))
    if answer.echoed is not None:
        before_cards = shown is not None and "token" not in shown  # then clients repeat what that release has shown
        return _same("arguments", answer.echoed == (row.action["arguments"] if before_cards else args_of(row)))
    if shown and shown.get("token", token_of(row)) != token_of(row):
        raise AnswerRefusedError("APPROVAL-STALE", _CHANGED)
    if seen.named:
        return seen.named
    since = _changed_at(session, row)
    if since is None or now - since > CHANGED_LATELY:
        return "unchanged"
    if name_digest(who) in asked_again(row, seen):
        return "asked again"
    raise AnswerRefusedError("APPROVAL-STALE", f"{_CHANGED}, and answer once more", ask_again=True)


def asked_again(row: ApprovalRow, seen: Seen) -> list[str]:
    """Who was told already that the request, as it is now, has changed."""
    shown = seen.shown
    return shown.get("asked_again", []) if shown and shown.get("token") == token_of(row) else []


def name_digest(who: str) -> str:
    """Somebody, without their name: whoever may read the thread must not read that."""
    return digest(who)[:12]


def _same(proof: str, is_same: bool) -> str:
    if not is_same:
        raise AnswerRefusedError("APPROVAL-STALE", _CHANGED)
    return proof


def _changed_at(session: Session, row: ApprovalRow) -> datetime | None:
    """Since when the thread shows the request as it is, if it showed it otherwise, or another one, before."""
    moments = [each.at for each in decisions_of(session, row) if each.decision == "edit"]
    query = select(ApprovalRow).where(
        (ApprovalRow.thread_id == row.thread_id) | (ApprovalRow.key == row.key),
        ApprovalRow.id != row.id,
        ApprovalRow.status != "open",
        ApprovalRow.created_at <= row.created_at,
    )
    for earlier in session.scalars(query.order_by(ApprovalRow.created_at.desc()).limit(20)):
        ends = [each.at for each in decisions_of(session, earlier)]
        if earlier.status == "expired":
            ends.append(earlier.step_since + timedelta(seconds=earlier.chain[earlier.step]["expiry_seconds"]))
        moments.append(max([row.created_at, *ends]))
    return max(moments, default=None)
