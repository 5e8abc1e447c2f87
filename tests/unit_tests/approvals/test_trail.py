"""Nothing about a request or a decision can be changed, left out or made up without its showing."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from agent.approvals.card import decisions_of
from agent.approvals.models import ApprovalView
from agent.approvals.requests import Approvals
from agent.approvals.trail import BrokenTrailError, Trail
from agent.ledger.database import Database, PolicyDenied
from agent.ledger.tables import ApprovalRow, DecisionRow
from agent.settings import Settings
from tests.support import approvals as support
from tests.support.approvals import ask, changed_amount, edit_to, order, refund
from tests.support.chains import BILLING, GENERAL, OF_LARGE, OF_VERY_LARGE
from tests.support.threads import APPROVE, events, reject, seen, staff

Change = Callable[[ApprovalRow, list[DecisionRow]], None]


async def decide(approvals: Approvals, view: ApprovalView, said: Any, role: Any) -> ApprovalView:
    said = seen(view, said)
    return await support.decide(
        approvals, view["request_id"], view["action_hash"], said, staff(role), edit=changed_amount
    )


@pytest.fixture
async def approved(approvals: Approvals) -> ApprovalView:
    """A refund that was asked for with 80.00, edited to 90.00 by the agent, and approved by the manager."""
    view = await ask(approvals, refund(80_00), "billing")
    view = await decide(approvals, view, edit_to(view, 90_00), BILLING[0])
    return await decide(approvals, view, APPROVE, BILLING[1])


async def link(trail: Trail, database: Database, request_id: str, change: Change) -> str | None:
    """Which link of a request's trail breaks when this is changed in the ledger; None: it holds."""
    with database.writing() as session:
        row = session.get_one(ApprovalRow, request_id)
        decisions = decisions_of(session, row)
        change(row, decisions)
        try:
            trail.prove(row, decisions)
        except BrokenTrailError as error:
            return error.link
        finally:
            session.expunge_all()
    return None


def setting(**values: Any) -> Change:
    def change(row: ApprovalRow, decisions: list[DecisionRow]) -> None:
        for name, value in values.items():
            setattr(row, name, value)

    return change


def of_decision(n: int, **values: Any) -> Change:
    def change(row: ApprovalRow, decisions: list[DecisionRow]) -> None:
        for name, value in values.items():
            setattr(decisions[n], name, value)

    return change


def without(n: int) -> Change:
    return lambda _, decisions: decisions.remove(decisions[n])


def untouched(row: ApprovalRow, decisions: list[DecisionRow]) -> None:
    """Change nothing."""


CHANGES: dict[str, tuple[Change, str | None]] = {
    "nothing": (untouched, None),
    "its thread, which it may outlive": (setting(thread_id="thread-2"), None),
    "in whose name": (setting(subject="ben_ortiz"), "request"),
    "who asked": (setting(asked_by="somebody-else"), "request"),
    "what it is about": (setting(key="plan:2"), "request"),
    "what was asked at first": (setting(asked={"action_hash": "0" * 64, "roles": []}), "request"),
    "its seal": (setting(seal="0" * 64), "request"),
    "the action": (setting(action=refund(95_00).__dict__), "action"),
    "the action, and its hash": (setting(action=refund(95_00).__dict__, action_hash=refund(95_00).hash), "action"),
    "the chain": (setting(chain=[{"role": GENERAL[0], "due_seconds": 1, "expiry_seconds": 1}]), "action"),
    "who edited": (of_decision(0, actor=staff(BILLING[0], 2).identity), "decision 1"),
    "what was decided": (of_decision(1, decision="reject"), "decision 2"),
    "in which role": (of_decision(1, role="duty_manager"), "decision 2"),
    "the note": (of_decision(1, note="fine"), "decision 2"),
    "the first decision is gone": (without(0), "decision 1"),
    "the last decision is gone": (without(1), "head"),
}


@pytest.mark.parametrize("what", CHANGES)
async def test_a_change_in_the_ledger_shows_at_its_link(
    what: str, trail: Trail, database: Database, approved: ApprovalView
) -> None:
    change, breaks = CHANGES[what]
    assert await link(trail, database, approved["request_id"], change) == breaks


async def test_a_request_is_not_approved_by_saying_so(trail: Trail, database: Database, approvals: Approvals) -> None:
    view = await ask(approvals, order(), "very_large_order")
    view = await decide(approvals, view, APPROVE, OF_VERY_LARGE[0])
    assert await link(trail, database, view["request_id"], setting(status="approved")) == "status"


async def test_a_rejection_is_not_taken_back(trail: Trail, database: Database, approvals: Approvals) -> None:
    view = await decide(approvals, await ask(approvals, order(), "large_order"), reject("no"), OF_LARGE[0])
    for status in ("open", "approved"):
        assert await link(trail, database, view["request_id"], setting(status=status)) == "status"


async def test_what_cannot_be_proved_is_void_and_asked_anew(approvals: Approvals, database: Database) -> None:
    view = await ask(approvals, order(), "large_order")
    with database.writing() as session:
        session.get_one(ApprovalRow, view["request_id"]).asked_by = "somebody-else"
    broken = events("trail.broken")

    assert (await decide(approvals, view, APPROVE, OF_LARGE[0]))["status"] == "void"
    again = await ask(approvals, order(), "large_order")

    assert (again["status"], events("trail.broken")) == ("open", broken + 1)
    assert again["request_id"] != view["request_id"]
    assert (await decide(approvals, again, APPROVE, OF_LARGE[0]))["status"] == "approved"


async def test_no_effect_follows_from_an_approval_that_cannot_be_proved(
    approvals: Approvals, database: Database, approved: ApprovalView
) -> None:
    assert (await approvals.approved(approved["request_id"]))["head"] == approved["head"]
    with database.writing() as session:
        session.get_one(ApprovalRow, approved["request_id"]).action = refund(100_00).__dict__

    with pytest.raises(PolicyDenied, match="has not been approved"):
        await approvals.approved(approved["request_id"])


async def test_each_decision_has_a_seal_of_its_own(approvals: Approvals) -> None:
    view = await ask(approvals, order(), "very_large_order")
    heads = {view["head"]}
    for role in (OF_VERY_LARGE[0], OF_VERY_LARGE[1]):
        view = await decide(approvals, view, APPROVE, role)
        heads.add(view["head"])
    assert len(heads) == 3


async def test_an_old_key_proves_what_it_sealed_and_seals_no_more(
    database: Database, trail: Trail, approved: ApprovalView
) -> None:
    both, other = Trail([b"a new key", b"a key of the tests"]), Trail([b"a new key"])
    assert await link(both, database, approved["request_id"], untouched) is None
    assert await link(other, database, approved["request_id"], untouched) == "request"
    assert both.of_answer("head", "yes", "a", "b") == other.of_answer("head", "yes", "a", "b")


async def test_requests_from_before_there_were_seals_are_decided_as_they_are(
    approvals: Approvals, database: Database
) -> None:
    view = await ask(approvals, order(), "very_large_order")
    with database.writing() as session:
        row = session.get_one(ApprovalRow, view["request_id"])
        row.seal = row.head = row.asked = None

    for role in (OF_VERY_LARGE[0], OF_VERY_LARGE[1]):
        view = await decide(approvals, view, APPROVE, role)

    assert (view["status"], "head" in view) == ("approved", False)
    assert (await approvals.approved(view["request_id"]))["status"] == "approved"


def test_the_kept_key_is_made_once_and_is_its_owners(tmp_path: Path) -> None:
    config = Settings(data_dir=tmp_path / "data")
    seals = {Trail.of(config).of_answer("head", "yes", "a", "b") for _ in range(3)}
    kept = tmp_path / "data" / "trail.key"
    assert len(seals) == 1
    assert kept.stat().st_mode & 0o077 == 0
    assert [file.name for file in kept.parent.iterdir()] == ["trail.key"]


async def test_processes_that_start_at_once_keep_one_key(tmp_path: Path) -> None:
    config = Settings(data_dir=tmp_path)
    made = await asyncio.gather(*(asyncio.to_thread(Trail.of, config) for _ in range(8)))
    assert len({trail.of_answer("head", "yes", "a", "b") for trail in made}) == 1


def test_a_given_key_is_kept_nowhere(tmp_path: Path) -> None:
    Trail.of(Settings(data_dir=tmp_path, trail_key=SecretStr("new, old")))
    assert list(tmp_path.iterdir()) == []
