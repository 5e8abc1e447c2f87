"""Reading the trail back: proving all of it, or telling the story of one request. Nothing here changes anything."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from agent.approvals.card import decisions_of
from agent.approvals.trail import BrokenTrailError, Trail
from agent.ledger.tables import ApprovalRow, DecisionRow, EffectRow

_PAGE = 500


@dataclass(frozen=True)
class Verdict:
    """What the trail proves. `unsealed` requests were made before there were seals, and prove nothing."""

    requests: int
    decisions: int
    unsealed: int
    broken: list[dict[str, str]]
    """In the order in which they were asked: {request_id, link, why}."""


@dataclass(frozen=True)
class Story:
    """One request from its beginning to its end. `broken` says where its trail breaks, if it does."""

    request: dict[str, Any]
    decisions: list[dict[str, Any]]
    effect: dict[str, Any] | None
    broken: str | None


def verify(session: Session, trail: Trail) -> Verdict:
    """Prove every request, the oldest first."""
    requests = decisions = unsealed = 0
    broken: list[dict[str, str]] = []
    order = ApprovalRow.created_at, ApprovalRow.id
    while page := session.scalars(select(ApprovalRow).order_by(*order).offset(requests).limit(_PAGE)).all():
        for row in page:
            said = decisions_of(session, row)
            requests, decisions, unsealed = requests + 1, decisions + len(said), unsealed + (row.seal is None)
            try:
                trail.prove(row, said)
            except BrokenTrailError as error:
                broken.append({"request_id": row.id, "link": error.link, "why": str(error)})
    return Verdict(requests, decisions, unsealed, broken)


def story(session: Session, trail: Trail, request_id: str) -> Story | None:
    """All that the ledger knows of a request; None: it knows no such request."""
    row = session.get(ApprovalRow, request_id)
    if row is None:
        return None
    said = decisions_of(session, row)
    try:
        trail.prove(row, said)
        broken = None
    except BrokenTrailError as error:
        broken = str(error)
    effect = session.scalar(select(EffectRow).where(EffectRow.key.in_([row.head or row.id, row.id])))
    return Story(
        request={
            "request_id": row.id,
            "status": row.status,
            "case": row.case,
            "action": row.action["name"],
            "arguments": row.action["arguments"],
            "in_the_name_of": row.subject,
            "asked_by": row.asked_by,
            "order_id": row.order_id,
            "thread_id": row.thread_id,
            "asked_at": _iso(row.created_at),
            "chain": [step["role"] for step in row.chain],
            "seal": row.seal,
            "head": row.head,
        },
        decisions=[_decision_facts(decision) for decision in said],
        effect={"key": effect.key, "command": effect.name, "at": _iso(effect.at)} if effect else None,
        broken=broken,
    )


def _decision_facts(row: DecisionRow) -> dict[str, Any]:
    return {
        "number": row.number,
        "round": row.round + 1,
        "step": row.step + 1,
        "decision": row.decision,
        "actor": row.actor,
        "role": row.role,
        "note": row.note,
        "seen": (row.over or {}).get("seen"),
        "at": _iso(row.at),
        "seal": row.seal,
    }


def _iso(at: datetime) -> str:
    return at.isoformat(timespec="seconds")
