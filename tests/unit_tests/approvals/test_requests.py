"""Requests and the answers that count."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from agent.approvals.chains import REFUND_BY_BILLING as LIMIT
from agent.approvals.models import ApprovalView
from agent.approvals.requests import Approvals
from agent.identity import APPROVER_ROLES, ROLES, Caller, Role
from agent.ledger.database import Database, PolicyDenied
from agent.ledger.tables import ApprovalRow
from agent.shop import SHOP
from tests.support.approvals import ASKER, CUSTOMER, ask, changed_amount, decide, decisions, edit_to, order, refund
from tests.support.chains import BILLING, GENERAL, OF_LARGE, OF_VERY_LARGE, SECURITY, due_seconds, roles
from tests.support.clock import Clock
from tests.support.goods import W1001, W1002
from tests.support.threads import APPROVE, SERVICE, events, reject, seen, staff


async def test_a_request_shows_people_what_would_be_done_and_who_may_answer(approvals: Approvals, clock: Clock) -> None:
    view = await ask(approvals, refund(), "billing")

    assert view["action_requests"][0]["args"] == view["action_requests"][0]["arguments"]
    assert view["action_requests"][0]["args"] == {
        "order_id": W1001,
        "amount": SHOP.amount(40_00),
        "reason": "scratched",
        "request_id": view["request_id"],
    }
    assert view["review_configs"][0]["allowed_decisions"] == ["approve", "edit", "reject"]
    assert (view["roles"], view["step"], view["steps"]) == ([BILLING[0]], 1, len(BILLING))
    assert (view["status"], view["subject"], view["asked_by"]) == ("open", CUSTOMER, ASKER)
    assert view["due"] == (clock() + timedelta(seconds=due_seconds("billing"))).isoformat()


async def test_asking_again_with_the_same_key_finds_the_same_request(approvals: Approvals) -> None:
    first = await ask(approvals, order(), "very_large_order")
    await decide(approvals, first["request_id"], first["action_hash"], APPROVE, staff(OF_VERY_LARGE[0]))

    again = await ask(approvals, order(), "very_large_order")

    assert again["request_id"] == first["request_id"]
    assert (again["step"], again["roles"]) == (2, [OF_VERY_LARGE[1]])


async def test_a_changed_action_is_another_request(approvals: Approvals) -> None:
    first = await ask(approvals, order(5_000_00), "very_large_order")
    second = await ask(approvals, order(6_000_00), "very_large_order")

    assert first["request_id"] != second["request_id"]
    assert first["action_hash"] != second["action_hash"]


async def test_the_head_of_a_conversation_is_its_oldest_open_request(approvals: Approvals, clock: Clock) -> None:
    first = await ask(approvals, refund(10_00), "general", key="plan:1")
    clock.advance(seconds=1)
    second = await ask(approvals, refund(20_00), "general", key="plan:2")

    assert await approvals.head("thread-1") == first
    await decide(approvals, first["request_id"], first["action_hash"], APPROVE, staff(GENERAL[0]))
    assert await approvals.head("thread-1") == second
    assert await approvals.head("another thread") is None


async def test_each_role_says_yes_in_its_turn(approvals: Approvals, database: Database) -> None:
    view = await ask(approvals, refund(), "security")

    for role in SECURITY:
        assert view["roles"] == [role]
        view = await decide(approvals, view["request_id"], view["action_hash"], APPROVE, staff(role))

    assert view["status"] == "approved"
    said = [(d.step, d.role, d.decision) for d in await decisions(database, view["request_id"])]
    assert said == [(step, role, "approve") for step, role in enumerate(SECURITY)]


@pytest.mark.parametrize("role", [role for role in ROLES if role not in (OF_VERY_LARGE[0], "service")])
async def test_no_other_role_answers_a_step(approvals: Approvals, role: Role) -> None:
    view = await ask(approvals, order(), "very_large_order")

    after = await decide(approvals, view["request_id"], view["action_hash"], APPROVE, staff(role))

    assert str(after["refused"]).startswith("APPROVAL-ROLE")
    assert (after["status"], after["step"]) == ("open", 1)


@pytest.mark.parametrize("role", sorted(set(ROLES) - APPROVER_ROLES))
async def test_no_customer_and_no_program_approves_even_if_the_ledgers_chain_names_it(
    approvals: Approvals, database: Database, role: Role
) -> None:
    view = await ask(approvals, order(), "large_order")
    with database.writing() as session:
        row = session.get_one(ApprovalRow, view["request_id"])
        row.chain = [row.chain[0] | {"role": role}]

    after = await decide(approvals, view["request_id"], view["action_hash"], APPROVE, staff(role))

    assert after["status"] == "void"


def unanswered(view: ApprovalView) -> dict[str, Any]:
    """A request as it stands, whatever was said of the last answer."""
    [action] = view["action_requests"]
    words = action["description"].partition("\n\n")[2]
    return {**view, "refused": None, "asked_again": None, "action_requests": [{**action, "description": words}]}


REFUSALS = {
    "nobody": (None, {}, "APPROVAL-ROLE"),
    "who asked": (Caller(ASKER, OF_VERY_LARGE[0]), {}, "APPROVAL-OWN"),
    "whom it is for": (Caller(CUSTOMER, OF_VERY_LARGE[0]), {}, "APPROVAL-OWN"),
    "who saw something else": (staff(OF_VERY_LARGE[0]), {"seen_hash": "0" * 64}, "APPROVAL-STALE"),
    "unclear words": (staff(OF_VERY_LARGE[0]), {"said": {"type": "perhaps"}}, "APPROVAL-UNREADABLE"),
    "a no without a reason": (staff(OF_VERY_LARGE[0]), {"said": "reject"}, "APPROVAL-NOTE"),
    "a blank reason": (staff(OF_VERY_LARGE[0]), {"said": reject(" \n")}, "APPROVAL-NOTE"),
    "a change of what can't be changed": (
        staff(OF_VERY_LARGE[0]),
        {"said": {"type": "edit", "edited_action": {"name": "approve_order", "args": {"order_id": "N-1"}}}},
        "APPROVAL-EDIT",
    ),
}


@pytest.mark.parametrize(("caller", "changes", "rule"), REFUSALS.values(), ids=REFUSALS)
async def test_an_answer_that_does_not_count_names_its_rule_and_changes_nothing(
    approvals: Approvals, database: Database, caller: Caller | None, changes: dict[str, Any], rule: str
) -> None:
    view = await ask(approvals, order(), "very_large_order")
    refused_before = events("approval.answer_refused")
    answer: dict[str, Any] = {"seen_hash": view["action_hash"], "said": APPROVE, "edit": changed_amount} | changes

    after = await decide(approvals, view["request_id"], caller=caller, **answer)

    assert str(after["refused"]).startswith(f"{rule}: ")
    assert unanswered(after) == unanswered(view)
    assert after["action_requests"][0]["description"].startswith(f"Not taken: {after['refused']}")
    assert await decisions(database, view["request_id"]) == []
    assert events("approval.answer_refused") == refused_before + 1


async def test_nobody_acts_twice_in_one_chain(approvals: Approvals) -> None:
    view = await ask(approvals, order(), "very_large_order")
    both = Caller("ann", OF_VERY_LARGE[0]), Caller("ann", OF_VERY_LARGE[1])
    await decide(approvals, view["request_id"], view["action_hash"], APPROVE, both[0])

    after = await decide(approvals, view["request_id"], view["action_hash"], APPROVE, both[1])

    assert str(after["refused"]).startswith("APPROVAL-TWICE")
    assert (after["status"], after["step"]) == ("open", 2)


@pytest.mark.parametrize("said", [APPROVE, reject("no"), "look again", None])
async def test_the_word_of_the_service_account_is_never_a_decision(
    approvals: Approvals, database: Database, said: Any
) -> None:
    view = await ask(approvals, order(), "large_order")

    assert await decide(approvals, view["request_id"], view["action_hash"], said, SERVICE) == view
    assert await decisions(database, view["request_id"]) == []


async def test_a_rejection_by_anyone_in_the_chain_ends_it(approvals: Approvals) -> None:
    view = await ask(approvals, order(), "very_large_order")
    await decide(approvals, view["request_id"], view["action_hash"], APPROVE, staff(OF_VERY_LARGE[0]))

    after = await decide(
        approvals, view["request_id"], view["action_hash"], reject("no budget"), staff(OF_VERY_LARGE[1])
    )

    assert (after["status"], after["note"], after["refused"]) == ("rejected", "no budget", None)


@pytest.mark.parametrize("ending", [APPROVE, reject("no")])
async def test_a_closed_request_is_not_answered_again(approvals: Approvals, database: Database, ending: Any) -> None:
    view = await ask(approvals, order(), "large_order")
    closed = await decide(approvals, view["request_id"], view["action_hash"], ending, staff(OF_LARGE[0]))

    other = staff(OF_LARGE[0], 2)
    for said in (APPROVE, reject("no")):
        again = await decide(approvals, view["request_id"], view["action_hash"], said, other)
        assert again == closed | {"refused": again["refused"]}
        assert again["refused"] == (
            f"APPROVAL-ENDED: this was {closed['status']} by {OF_LARGE[0]} {staff(OF_LARGE[0]).identity}"
            " at 2026-06-01 12:00 UTC"
        )
    assert len(await decisions(database, view["request_id"])) == 1


@pytest.mark.parametrize("case", ["large_order", "very_large_order"])
async def test_of_two_answers_to_one_step_at_once_one_counts(
    approvals: Approvals, database: Database, case: Any
) -> None:
    view = await ask(approvals, order(), case)
    role = roles(case)[0]
    answers = [(APPROVE, staff(role, 1)), (reject("no"), staff(role, 2))]

    await asyncio.gather(
        *(decide(approvals, view["request_id"], view["action_hash"], said, caller) for said, caller in answers)
    )

    (counted,) = await decisions(database, view["request_id"])
    after = await approvals.get(view["request_id"])
    done = {"large_order": "approved", "very_large_order": "open"}[case]
    assert after["status"] == ("rejected" if counted.decision == "reject" else done)


async def test_a_double_click_counts_once_and_never_for_the_next_step(approvals: Approvals, database: Database) -> None:
    view = await ask(approvals, order(), "very_large_order")
    click = (view["request_id"], view["action_hash"], APPROVE, staff(OF_VERY_LARGE[0]))

    await asyncio.gather(decide(approvals, *click), decide(approvals, *click))

    assert [d.step for d in await decisions(database, view["request_id"])] == [0]
    assert (await approvals.get(view["request_id"]))["step"] == 2


async def test_only_what_everybody_approved_may_be_done(approvals: Approvals) -> None:
    view = await ask(approvals, refund(), "billing")
    request_id, seen = view["request_id"], view["action_hash"]

    async def refused() -> bool:
        with pytest.raises(PolicyDenied) as denial:
            await approvals.approved(request_id)
        return denial.value.rule == "APPROVAL-MISSING"

    assert await refused()
    await decide(approvals, request_id, seen, APPROVE, staff(BILLING[0]))
    assert await refused()
    await decide(approvals, request_id, seen, APPROVE, staff(BILLING[1]))
    assert (await approvals.approved(request_id))["arguments"] == refund().arguments


async def test_what_was_rejected_or_never_asked_may_not_be_done(approvals: Approvals) -> None:
    view = await ask(approvals, refund(), "general")
    await decide(approvals, view["request_id"], view["action_hash"], reject("no"), staff(GENERAL[0]))

    for request_id in (view["request_id"], "apr-000000000000"):
        with pytest.raises(PolicyDenied, match="APPROVAL-MISSING"):
            await approvals.approved(request_id)


async def test_an_edit_changes_the_action_and_its_hash(approvals: Approvals) -> None:
    view = await ask(approvals, refund(40_00), "general")

    after = await decide(
        approvals,
        view["request_id"],
        view["action_hash"],
        edit_to(view, LIMIT),
        staff(GENERAL[0]),
        edit=changed_amount,
    )

    assert after["status"] == "approved", "the editor's own yes counts for the only step"
    assert after["action_hash"] == refund(LIMIT).hash != view["action_hash"]
    assert (await approvals.approved(view["request_id"]))["arguments"]["amount"] == LIMIT


async def test_an_edit_above_the_limit_of_its_editor_needs_the_longer_chain(approvals: Approvals) -> None:
    view = await ask(approvals, refund(40_00), "general")

    after = await decide(
        approvals,
        view["request_id"],
        view["action_hash"],
        edit_to(view, LIMIT + 1),
        staff(GENERAL[0]),
        edit=changed_amount,
    )

    assert (after["status"], after["case"], after["roles"], after["steps"]) == (
        "open",
        "billing",
        [BILLING[0]],
        len(BILLING),
    )


async def test_an_edit_voids_the_yeses_before_it_but_not_the_editors_own(
    approvals: Approvals, database: Database
) -> None:
    view = await ask(approvals, refund(80_00), "billing")
    agent, manager = staff(BILLING[0]), staff(BILLING[1])
    await decide(approvals, view["request_id"], view["action_hash"], APPROVE, agent)

    edited = await decide(
        approvals, view["request_id"], view["action_hash"], edit_to(view, 90_00), manager, edit=changed_amount
    )
    assert (edited["status"], edited["roles"]) == ("open", [BILLING[0]])

    stale = await decide(approvals, view["request_id"], view["action_hash"], APPROVE, agent)
    assert str(stale["refused"]).startswith("APPROVAL-STALE")

    done = await decide(approvals, view["request_id"], edited["action_hash"], seen(edited, APPROVE), agent)
    assert done["status"] == "approved"
    said = [(d.round, d.step, d.decision) for d in await decisions(database, view["request_id"])]
    assert said == [(0, 0, "approve"), (1, 0, "approve"), (1, 1, "edit")]


@pytest.mark.parametrize(
    "changed",
    [
        {"reason": None},
        {"to": "another card"},
        {"amount": SHOP.amount(100_01)},
    ],
    ids=["missing", "more", "out of bounds"],
)
async def test_an_edit_that_is_not_allowed_changes_nothing(approvals: Approvals, changed: dict[str, Any]) -> None:
    view = await ask(approvals, refund(), "general")
    wanted = view["action_requests"][0]["args"] | changed
    arguments = {name: value for name, value in wanted.items() if value is not None}
    said = {"type": "edit", "edited_action": {"name": "refund_payment", "args": arguments}}

    after = await decide(
        approvals, view["request_id"], view["action_hash"], said, staff(GENERAL[0]), edit=changed_amount
    )

    assert str(after["refused"]).startswith("APPROVAL-EDIT: ")
    assert unanswered(after) == unanswered(view)
    assert after["action_requests"][0]["description"].startswith(f"Not taken: {after['refused']}")


async def test_the_requests_of_an_order_come_oldest_first(approvals: Approvals, clock: Clock) -> None:
    first = await ask(approvals, refund(10_00), "general", key="plan:1")
    clock.advance(seconds=1)
    second = await ask(approvals, refund(20_00), "general", key="plan:2")

    assert await approvals.of_order(W1001) == [first, second]
    assert await approvals.of_order(W1002) == []
