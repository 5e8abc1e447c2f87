"""What a person saw is what they answer: an answer that may be for something else is asked again."""

from typing import Any

import pytest

from agent.approvals.card import args_of, token_of
from agent.approvals.models import ApprovalView
from agent.approvals.requests import Approvals
from agent.approvals.seen import CHANGED_LATELY, Seen
from agent.identity import Caller
from agent.ledger.database import Database
from agent.ledger.tables import ApprovalRow
from agent.shop import SHOP
from tests.support.approvals import ask, changed_amount, decisions, edit_to, order, refund
from tests.support.chains import BILLING, GENERAL, OF_LARGE, OF_VERY_LARGE
from tests.support.clock import Clock
from tests.support.threads import APPROVE, reject, seen, staff

AGENT, MANAGER = staff(BILLING[0]), staff(BILLING[1])


def inbox(view: ApprovalView, **changed: str) -> list[dict[str, Any]]:
    """Agent Inbox's approval, which repeats what its card shows."""
    [action] = view["action_requests"]
    return [{"type": "accept", "args": {"action": action["name"], "args": action["arguments"] | changed}}]


async def told(approvals: Approvals, shown: ApprovalView, said: Any, who: Caller, named: str = "") -> ApprovalView:
    """An answer on the thread that shows this."""
    return await approvals._db.write(
        lambda session: approvals.decide_in(
            session, shown["request_id"], shown["action_hash"], said, who, edit=changed_amount, seen=Seen(shown, named)
        )
    )


async def edited(approvals: Approvals, clock: Clock) -> tuple[ApprovalView, ApprovalView]:
    """A refund of 60.00 as the manager's card shows it, and what the agent has made of it meanwhile: 90.00."""
    first = await told(approvals, await ask(approvals, refund(60_00), "billing"), APPROVE, AGENT)
    clock.advance(minutes=1)
    return first, await told(approvals, first, edit_to(first, 90_00), staff(BILLING[1], 2))


@pytest.mark.parametrize("named", ["", "interrupt"])
async def test_a_repeated_argument_that_is_another_by_now_counts_for_nothing(
    approvals: Approvals, clock: Clock, named: str
) -> None:
    first, now = await edited(approvals, clock)

    after = await told(approvals, now, inbox(first), AGENT, named)

    assert str(after["refused"]).startswith("APPROVAL-STALE")
    assert (after["status"], after["arguments"]["amount"]) == ("open", 90_00)
    assert (await told(approvals, now, inbox(now), AGENT))["status"] == "approved"


async def test_the_same_for_another_request_counts_for_nothing(approvals: Approvals) -> None:
    first = await ask(approvals, refund(), "general", key="plan:1")
    second = await ask(approvals, refund(), "general", key="plan:2")

    after = await told(approvals, second, inbox(first), staff(GENERAL[0]), "interrupt")

    assert str(after["refused"]).startswith("APPROVAL-STALE")


async def test_a_token_is_of_one_step(approvals: Approvals) -> None:
    first = await ask(approvals, order(), "very_large_order")
    second = await told(approvals, first, seen(first, APPROVE), staff(OF_VERY_LARGE[0]))

    after = await told(approvals, second, seen(first, APPROVE), staff(OF_VERY_LARGE[1]), "interrupt")

    assert str(after["refused"]).startswith("APPROVAL-STALE")
    assert first["token"] != second["token"]


@pytest.mark.parametrize("said", [APPROVE, reject("too much"), "approve", [{"type": "accept", "args": None}]])
async def test_an_answer_that_names_nothing_is_asked_again_once_of_each_after_an_edit(
    approvals: Approvals, clock: Clock, said: Any
) -> None:
    _, now = await edited(approvals, clock)

    again = await told(approvals, now, said, AGENT)
    assert "has changed" in str(again["refused"])
    assert again["action_requests"][0]["description"].startswith("Not taken: APPROVAL-STALE")
    colleague = await told(approvals, again, said, staff(BILLING[0], 2))
    assert "has changed" in str(colleague["refused"])

    assert (await told(approvals, colleague, said, AGENT))["status"] in ("approved", "rejected")


async def test_an_edit_of_what_has_changed_is_asked_again(approvals: Approvals, clock: Clock) -> None:
    first, now = await edited(approvals, clock)

    after = await told(approvals, now, edit_to(first, 70_00), AGENT)

    assert str(after["refused"]).startswith("APPROVAL-STALE")
    assert after["arguments"]["amount"] == 90_00


async def test_an_answer_that_names_nothing_is_not_for_what_took_the_place_of_a_void_request(
    approvals: Approvals, clock: Clock
) -> None:
    await ask(approvals, order(5_000_00), "very_large_order")
    clock.advance(minutes=5)
    now = await ask(approvals, order(6_000_00), "very_large_order")

    assert "has changed" in str((await told(approvals, now, APPROVE, staff(OF_VERY_LARGE[0])))["refused"])
    clock.advance(seconds=CHANGED_LATELY.total_seconds())
    assert (await told(approvals, now, APPROVE, staff(OF_VERY_LARGE[0])))["step"] == 1
    clock.advance(seconds=1)
    assert (await told(approvals, now, APPROVE, staff(OF_VERY_LARGE[0])))["step"] == 2


async def test_a_second_click_is_not_for_the_next_request_of_the_thread(approvals: Approvals, clock: Clock) -> None:
    first = await ask(approvals, refund(10_00), "general", key="plan:1")
    second = await ask(approvals, refund(20_00), "general", key="plan:2")
    agent = staff(GENERAL[0])
    assert (await told(approvals, first, APPROVE, agent))["status"] == "approved"

    after = await told(approvals, second, APPROVE, agent)

    assert "has changed" in str(after["refused"])


async def test_nothing_that_changed_is_asked_once(approvals: Approvals, database: Database) -> None:
    view = await ask(approvals, refund(), "general")
    assert (await told(approvals, view, APPROVE, staff(GENERAL[0])))["status"] == "approved"
    [decision] = await decisions(database, view["request_id"])
    assert (decision.over or {})["seen"] == "unchanged"


@pytest.mark.parametrize("proof", ["token", "arguments", "interrupt", "checkpoint"])
async def test_the_trail_says_what_proved_that_the_request_was_seen(
    approvals: Approvals, database: Database, proof: str
) -> None:
    view = await ask(approvals, refund(), "general")
    said: Any = {"token": seen(view, APPROVE), "arguments": inbox(view)}.get(proof, APPROVE)

    await told(approvals, view, said, staff(GENERAL[0]), "" if proof in ("token", "arguments") else proof)

    [decision] = await decisions(database, view["request_id"])
    assert (decision.over or {})["seen"] == proof
    assert (await approvals.approved(view["request_id"]))["status"] == "approved"


def as_before(view: ApprovalView) -> ApprovalView:
    """The card as it was before amounts were text."""
    arguments = view["arguments"]
    [action] = view["action_requests"]
    shown = {**action, "args": arguments, "arguments": arguments}
    return {**{k: v for k, v in view.items() if k not in ("token", "arguments")}, "action_requests": [shown]}  # type: ignore[typeddict-item]


async def test_what_an_older_release_has_shown_is_approved_and_not_edited(approvals: Approvals) -> None:
    view = as_before(await ask(approvals, refund(40_00), "general"))
    agent = staff(GENERAL[0])

    after = await told(approvals, view, edit_to(view, 30_00), agent)
    assert f"amounts are written like {SHOP.amount(80_00)}" in str(after["refused"])

    assert (await told(approvals, view, inbox(view), agent))["status"] == "approved"


@pytest.mark.parametrize("name", ["om", "om ", "OM", " Om\n", "ｏｍ", "o\u200bm"])
async def test_one_person_is_one_however_the_identity_is_spelled(approvals: Approvals, name: str) -> None:
    view = await ask(approvals, order(), "very_large_order")
    view = await told(approvals, view, APPROVE, Caller("om", OF_VERY_LARGE[0]))

    after = await told(approvals, view, APPROVE, Caller(name, OF_VERY_LARGE[1]))

    assert str(after["refused"]).startswith("APPROVAL-TWICE")


async def test_nobody_approves_their_own_under_another_spelling(approvals: Approvals) -> None:
    view = await ask(approvals, order(), "large_order")
    for name in ("Ada_Park", "ada_park ", "CHANNEL-1"):
        after = await told(approvals, view, APPROVE, Caller(name, OF_LARGE[0]))
        assert str(after["refused"]).startswith("APPROVAL-OWN")


async def test_the_card_says_in_one_line_who_is_asked_for_whom_and_until_when(approvals: Approvals) -> None:
    view = await ask(approvals, order(), "very_large_order")
    view = await told(approvals, view, APPROVE, staff(OF_VERY_LARGE[0]))

    first, words = view["action_requests"][0]["description"].split("\n\n", 1)

    assert first == (
        f"step 2 of 2 for {OF_VERY_LARGE[1]}, {OF_VERY_LARGE[0]} {staff(OF_VERY_LARGE[0]).identity} said yes"
        f" · asked by channel-1 for ada_park · due {view['due'][:16].replace('T', ' ')} UTC"
    )
    assert words == order().description


async def test_arguments_are_text_and_none_is_blank(approvals: Approvals, database: Database) -> None:
    view = await ask(approvals, order(1_234_50), "large_order")
    with database.reading() as session:
        row = session.get_one(ApprovalRow, view["request_id"])
        assert args_of(row) == {"order_id": "N-1", "total": SHOP.amount(1_234_50), "request_id": row.id}
        row.action = row.action | {
            "arguments": {"lines": [["A", 1]], "ship_to": {}, "reason": "", "risk": 5, "amount": 0}
        }
        assert args_of(row) == {"request_id": row.id}
        assert token_of(row) == view["token"]
