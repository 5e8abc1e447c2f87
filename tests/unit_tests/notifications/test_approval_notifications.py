"""What staff's programs are told of a request: each thing once, in ids, roles, times and amounts."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from agent.approvals.chains import CHAINS
from agent.approvals.deadlines import Deadlines
from agent.approvals.requests import Action, Approvals
from agent.ledger.database import Database
from agent.ledger.tables import NotificationRow
from agent.shop import Case
from tests.support.approvals import ask, changed_amount, decide, edit_to, order, refund
from tests.support.chains import BILLING, GENERAL, OF_VERY_LARGE, next_role, outsider
from tests.support.clock import Clock
from tests.support.threads import APPROVE, LOOK_AGAIN, SERVICE, reject, staff


async def told(database: Database) -> list[tuple[str, dict[str, Any]]]:
    """(event, facts) of what staff is to hear, in the order in which it happened."""
    query = (
        select(NotificationRow)
        .where(NotificationRow.audience == "staff")
        .order_by(NotificationRow.at, NotificationRow.key)
    )
    with database.reading() as session:
        return [(row.event, row.facts) for row in session.scalars(query)]


async def test_a_chain_is_told_from_the_request_to_its_end(
    approvals: Approvals, database: Database, clock: Clock
) -> None:
    view = await ask(approvals, order(), "very_large_order")
    clock.advance(minutes=1)
    second = await decide(approvals, view["request_id"], view["action_hash"], APPROVE, staff(OF_VERY_LARGE[0]))
    clock.advance(minutes=1)
    await decide(approvals, view["request_id"], view["action_hash"], reject("too risky"), staff(OF_VERY_LARGE[1]))

    first = {
        "request_id": view["request_id"],
        "case": "very_large_order",
        "status": "open",
        "roles": [OF_VERY_LARGE[0]],
        "step": 1,
        "steps": len(OF_VERY_LARGE),
        "due": view["due"],
        "amount": 5_000_00,
    }
    following = first | {"roles": [OF_VERY_LARGE[1]], "step": 2, "due": second["due"]}
    assert await told(database) == [
        ("approval.requested", first),
        ("approval.decided", following | {"decision": "approve", "role": OF_VERY_LARGE[0]}),
        ("approval.requested", following),
        ("approval.decided", following | {"status": "rejected", "decision": "reject", "role": OF_VERY_LARGE[1]}),
    ]


async def test_what_the_clock_does_is_told_once_a_turn(
    approvals: Approvals, database: Database, clock: Clock, deadlines: Deadlines
) -> None:
    view = await ask(approvals, refund(), "general")
    [step] = CHAINS["general"]
    began = clock.now
    for seconds in (step["reminder_seconds"], step["due_seconds"], step["expiry_seconds"]):
        clock.now = began + timedelta(seconds=seconds)
        await deadlines.enforce_deadlines()
        await deadlines.enforce_deadlines()
    await decide(approvals, view["request_id"], view["action_hash"], LOOK_AGAIN, SERVICE)

    assert [(event, facts["roles"], facts["status"]) for event, facts in await told(database)] == [
        ("approval.requested", [GENERAL[0]], "open"),
        ("approval.reminded", [GENERAL[0]], "open"),
        ("approval.escalated", [GENERAL[0], next_role("general")], "open"),
        ("approval.expired", [GENERAL[0], next_role("general")], "expired"),
    ]


async def test_an_edit_is_a_decision_and_a_new_turn(approvals: Approvals, database: Database, clock: Clock) -> None:
    view = await ask(approvals, refund(80_00), "billing")
    clock.advance(minutes=1)
    edited = await decide(
        approvals, view["request_id"], view["action_hash"], edit_to(view, 90_00), staff(BILLING[0]), changed_amount
    )
    assert edited["refused"] is None

    _, *after = await told(database)

    assert [(event, facts["amount"], facts["step"]) for event, facts in after] == [
        ("approval.decided", 90_00, 2),
        ("approval.requested", 90_00, 2),
    ]


async def test_asking_again_and_answers_that_do_not_count_are_not_told(
    approvals: Approvals, database: Database
) -> None:
    view = await ask(approvals, refund(), "general")
    await ask(approvals, refund(), "general")
    for who in (staff(outsider("general")), None, SERVICE):
        await decide(approvals, view["request_id"], view["action_hash"], APPROVE, who)

    assert [event for event, _ in await told(database)] == ["approval.requested"]


@pytest.mark.parametrize(("action", "case"), [(refund(), "general"), (order(), "large_order")])
async def test_nothing_that_anybody_wrote_is_told(
    approvals: Approvals, database: Database, action: Action, case: Case
) -> None:
    view = await ask(approvals, action, case)
    role = view["roles"][0]
    await decide(approvals, view["request_id"], view["action_hash"], reject("Ada moved"), staff(role, 7))  # type: ignore[arg-type]

    everything = repr(await told(database))

    for written in ("Ada", "ada_park", "scratched", action.description, f"{role}-7", "channel-1"):
        assert written not in everything


async def test_a_customer_is_told_of_the_end_alone(approvals: Approvals, database: Database) -> None:
    view = await ask(approvals, order(), "very_large_order")
    for role in OF_VERY_LARGE:
        await decide(approvals, view["request_id"], view["action_hash"], APPROVE, staff(role))

    with database.reading() as session:
        rows = session.scalars(select(NotificationRow).where(NotificationRow.customer_id.is_not(None))).all()

    assert [(row.audience, row.event, row.facts["status"]) for row in rows] == [
        ("customers", "approval.decided", "approved")
    ]
