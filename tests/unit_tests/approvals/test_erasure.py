"""Words of a request are erased, and its trail still proves; what is changed after that shows as it did before."""

from typing import Any

import pytest

from agent.approvals.erasure import ERASED, erase_words
from agent.approvals.models import ApprovalView
from agent.approvals.requests import Approvals
from agent.approvals.trail import BrokenTrailError, Trail
from agent.ledger.database import Database
from agent.ledger.tables import ApprovalRow
from tests.support.approvals import ask, edit_to, refund
from tests.support.chains import BILLING
from tests.support.goods import W1001
from tests.support.threads import APPROVE
from tests.unit_tests.approvals.test_trail import (
    CHANGES,
    Change,
    decide,
    link,
    of_decision,
    setting,
    untouched,
)


@pytest.fixture
async def erased(approvals: Approvals, database: Database, trail: Trail) -> ApprovalView:
    """A refund that was edited with a note, and approved with another; its words are erased."""
    view = await ask(approvals, refund(80_00), "billing")
    edit = edit_to(view, 90_00)
    edit["decisions"][0]["message"] = "she called"
    view = await decide(approvals, view, edit, BILLING[0])
    view = await decide(approvals, view, {"decisions": [APPROVE["decisions"][0] | {"message": "ok"}]}, BILLING[1])
    await erase(database, trail, view["request_id"])
    return await approvals.get(view["request_id"])


async def erase(database: Database, trail: Trail, request_id: str) -> None:
    await database.write(lambda session: erase_words(session, trail, session.get_one(ApprovalRow, request_id)))


async def test_words_are_gone_and_what_was_decided_is_proved(
    erased: ApprovalView, trail: Trail, database: Database
) -> None:
    assert "scratched" not in str(erased)
    assert erased["arguments"] == {"order_id": W1001, "amount": 90_00}
    assert erased["note"] == ERASED
    assert await link(trail, database, erased["request_id"], untouched) is None


async def test_to_erase_them_again_changes_nothing(erased: ApprovalView, trail: Trail, database: Database) -> None:
    def now(session: Any) -> Any:
        return {**session.get_one(ApprovalRow, erased["request_id"]).action}

    before = await database.read(now)
    await erase(database, trail, erased["request_id"])
    assert await database.read(now) == before
    assert await link(trail, database, erased["request_id"], untouched) is None


ALSO: dict[str, tuple[Change, str | None]] = {
    "an amount that is left": (lambda row, _: setting(action=_with(row, amount=95_00))(row, []), "action"),
    "an argument is put back": (lambda row, _: setting(action=_with(row, reason="cracked"))(row, []), "action"),
    "the second seal is taken off": (
        lambda row, _: setting(action={**row.action, "erased": None})(row, []), "action",
    ),
    "a note is made up": (of_decision(0, note="he called"), "decision 1"),
    "the first decision's second seal is another's": (
        lambda row, said: of_decision(0, over={**said[0].over, "erased": said[1].over["erased"]})(row, said),  # type: ignore[dict-item, index]
        "decision 1",
    ),
}  # fmt: skip


def _with(row: ApprovalRow, **arguments: Any) -> dict[str, Any]:
    return {**row.action, "arguments": {**row.action["arguments"], **arguments}}


@pytest.mark.parametrize("what", [*CHANGES, *ALSO])
async def test_a_change_shows_at_its_link_as_before(
    what: str, erased: ApprovalView, trail: Trail, database: Database
) -> None:
    change, breaks = (CHANGES | ALSO)[what]
    assert await link(trail, database, erased["request_id"], change) == breaks


async def test_what_does_not_hold_is_not_sealed_anew(approvals: Approvals, trail: Trail, database: Database) -> None:
    view = await ask(approvals, refund(80_00), "billing")
    await database.write(
        lambda session: setattr(session.get_one(ApprovalRow, view["request_id"]), "asked_by", "somebody")
    )
    with pytest.raises(BrokenTrailError):
        await erase(database, trail, view["request_id"])
    assert (await approvals.get(view["request_id"]))["arguments"]["reason"] == "scratched"


async def test_a_request_of_before_there_were_seals_is_erased_as_well(
    approvals: Approvals, trail: Trail, database: Database
) -> None:
    view = await ask(approvals, refund(80_00), "billing")
    await database.write(lambda session: setattr(session.get_one(ApprovalRow, view["request_id"]), "seal", None))
    await erase(database, trail, view["request_id"])
    assert "reason" not in (await approvals.get(view["request_id"]))["arguments"]
