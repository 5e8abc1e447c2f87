"""Time passes and nobody answers."""

import asyncio

import pytest

from agent.approvals.chains import CHAINS
from agent.approvals.deadlines import Deadlines, Happened, ThreadToWake
from agent.approvals.requests import Approvals
from agent.approvals.trail import Trail
from agent.escalation import HOUR
from agent.ledger.database import Database
from tests.support.approvals import ASKER, ask, decide, order, refund
from tests.support.chains import BILLING, GENERAL, OF_LARGE, due_seconds, expiry_seconds, next_role
from tests.support.clock import Clock
from tests.support.goods import W1001
from tests.support.threads import APPROVE, SERVICE, events, reject, staff

DUE, EXPIRY = due_seconds("billing"), expiry_seconds("billing")


async def test_nothing_happens_before_half_of_a_steps_time(
    approvals: Approvals, clock: Clock, deadlines: Deadlines
) -> None:
    view = await ask(approvals, refund(), "billing")
    clock.advance(seconds=DUE / 2 - 60)

    assert await deadlines.enforce_deadlines() == {}
    assert await approvals.get(view["request_id"]) == view


async def test_past_half_of_its_time_a_step_is_reminded_of_once_and_stays_as_it_is(
    approvals: Approvals, clock: Clock, deadlines: Deadlines
) -> None:
    view = await ask(approvals, refund(), "billing")
    clock.advance(seconds=DUE / 2)
    before = events("approval.reminded")

    assert await deadlines.enforce_deadlines() == {view["request_id"]: "reminded"}
    clock.advance(seconds=DUE / 2 - 60)
    assert await deadlines.enforce_deadlines() == {}

    assert events("approval.reminded") == before + 1
    assert await approvals.get(view["request_id"]) == view
    assert await deadlines.threads_to_wake() == [], "what the thread shows is still right"


async def test_each_step_is_reminded_of(approvals: Approvals, clock: Clock, deadlines: Deadlines) -> None:
    view = await ask(approvals, refund(), "billing")
    clock.advance(seconds=DUE / 2)
    await deadlines.enforce_deadlines()
    await decide(approvals, view["request_id"], view["action_hash"], APPROVE, staff(BILLING[0]))
    assert await deadlines.enforce_deadlines() == {}
    clock.advance(seconds=DUE / 2)

    assert await deadlines.enforce_deadlines() == {view["request_id"]: "reminded"}
    assert await deadlines.enforce_deadlines() == {}


async def test_who_is_late_already_is_not_reminded_any_more(
    approvals: Approvals, clock: Clock, deadlines: Deadlines
) -> None:
    view = await ask(approvals, refund(), "billing")
    clock.advance(seconds=DUE)

    assert await deadlines.enforce_deadlines() == {view["request_id"]: "escalated"}
    assert await deadlines.enforce_deadlines() == {}


@pytest.mark.parametrize(("seconds", "happened"), [(DUE / 2, "reminded"), (DUE, "escalated"), (EXPIRY, "expired")])
async def test_several_who_watch_the_clock_at_the_same_time_do_it_once(
    approvals: Approvals, database: Database, clock: Clock, seconds: float, happened: Happened
) -> None:
    requests = [(await ask(approvals, refund(), "billing", key=f"plan:{n}"))["request_id"] for n in range(3)]
    clock.advance(seconds=seconds)
    before = events(f"approval.{happened}")

    done = await asyncio.gather(*(Deadlines(database).enforce_deadlines() for _ in range(4)))

    told = [each for one in done for each in one.items()]
    assert sorted(told) == sorted((request_id, happened) for request_id in requests)
    assert events(f"approval.{happened}") == before + 3


async def test_an_overdue_step_may_be_answered_by_the_next_role_as_well(
    approvals: Approvals, clock: Clock, deadlines: Deadlines
) -> None:
    view = await ask(approvals, refund(), "billing")
    clock.advance(seconds=DUE)

    assert await deadlines.enforce_deadlines() == {view["request_id"]: "escalated"}

    late = await approvals.get(view["request_id"])
    assert late["roles"] == [BILLING[0], BILLING[1]]
    after = await decide(approvals, view["request_id"], view["action_hash"], APPROVE, staff(BILLING[1]))
    assert (after["step"], after["roles"]) == (2, [BILLING[1]])


async def test_who_stood_in_for_one_step_does_not_take_the_next(
    approvals: Approvals, clock: Clock, deadlines: Deadlines
) -> None:
    view = await ask(approvals, refund(), "billing")
    clock.advance(seconds=DUE)
    await deadlines.enforce_deadlines()
    await decide(approvals, view["request_id"], view["action_hash"], APPROVE, staff(BILLING[1]))

    again = await decide(approvals, view["request_id"], view["action_hash"], APPROVE, staff(BILLING[1]))
    assert str(again["refused"]).startswith("APPROVAL-TWICE")

    other = await decide(approvals, view["request_id"], view["action_hash"], APPROVE, staff(BILLING[1], 2))
    assert other["status"] == "approved"


async def test_the_last_step_goes_to_the_duty_manager(approvals: Approvals, clock: Clock, deadlines: Deadlines) -> None:
    view = await ask(approvals, order(), "large_order")
    clock.advance(seconds=due_seconds("large_order"))
    await deadlines.enforce_deadlines()

    after = await decide(approvals, view["request_id"], view["action_hash"], APPROVE, staff(next_role("large_order")))

    assert after["status"] == "approved"


async def test_a_step_is_escalated_once(approvals: Approvals, clock: Clock, deadlines: Deadlines) -> None:
    view = await ask(approvals, refund(), "billing")
    clock.advance(seconds=DUE + HOUR)
    before = events("approval.escalated")

    assert await deadlines.enforce_deadlines() == {view["request_id"]: "escalated"}
    assert await deadlines.enforce_deadlines() == {}
    assert events("approval.escalated") == before + 1


async def test_each_step_has_a_due_time_of_its_own(approvals: Approvals, clock: Clock, deadlines: Deadlines) -> None:
    view = await ask(approvals, refund(), "billing")
    clock.advance(seconds=DUE + HOUR)
    await deadlines.enforce_deadlines()
    view = await decide(approvals, view["request_id"], view["action_hash"], APPROVE, staff(BILLING[0]))
    clock.advance(hours=1)

    assert await deadlines.enforce_deadlines() == {}
    assert view["roles"] == [BILLING[1]]
    clock.advance(seconds=DUE - HOUR)
    assert await deadlines.enforce_deadlines() == {view["request_id"]: "escalated"}


@pytest.mark.parametrize("escalated_before", [True, False])
async def test_what_nobody_answers_expires_once(
    approvals: Approvals, clock: Clock, escalated_before: bool, deadlines: Deadlines
) -> None:
    view = await ask(approvals, refund(), "general")
    if escalated_before:
        clock.advance(seconds=due_seconds("general") + HOUR)
        await deadlines.enforce_deadlines()
    clock.advance(seconds=expiry_seconds("general"))

    assert await deadlines.enforce_deadlines() == {view["request_id"]: "expired"}
    assert await deadlines.enforce_deadlines() == {}

    after = await decide(approvals, view["request_id"], view["action_hash"], APPROVE, staff(GENERAL[0]))
    assert (after["status"], after["note"]) == ("expired", "nobody answered in time")


async def test_closed_requests_are_left_alone(approvals: Approvals, clock: Clock, deadlines: Deadlines) -> None:
    view = await ask(approvals, order(), "large_order")
    await decide(approvals, view["request_id"], view["action_hash"], reject("no"), staff(OF_LARGE[0]))
    clock.advance(days=30)

    assert await deadlines.enforce_deadlines() == {}


async def test_a_drill_runs_on_shorter_times(database: Database, clock: Clock, deadlines: Deadlines) -> None:
    approvals = Approvals(database, Trail([b"a key"]), time_scale=1 / HOUR)
    view = await ask(approvals, refund(), "general")
    [step] = CHAINS["general"]
    clock.advance(seconds=step["reminder_seconds"] / HOUR)
    assert await deadlines.enforce_deadlines() == {view["request_id"]: "reminded"}
    clock.advance(seconds=(step["due_seconds"] - step["reminder_seconds"]) / HOUR)
    assert await deadlines.enforce_deadlines() == {view["request_id"]: "escalated"}
    clock.advance(seconds=(step["expiry_seconds"] - step["due_seconds"]) / HOUR)
    assert await deadlines.enforce_deadlines() == {view["request_id"]: "expired"}


async def test_the_thread_of_what_the_clock_changed_is_to_be_told_until_it_looked(
    approvals: Approvals, clock: Clock, deadlines: Deadlines
) -> None:
    view = await ask(approvals, refund(), "general")
    assert await deadlines.threads_to_wake() == []
    clock.advance(seconds=due_seconds("general"))
    await deadlines.enforce_deadlines()
    owner = f"channel:{ASKER}"
    assert await deadlines.threads_to_wake() == [ThreadToWake(view["request_id"], "thread-1", W1001, owner, "open")]

    await decide(approvals, view["request_id"], view["action_hash"], "look again", SERVICE)

    assert await deadlines.threads_to_wake() == []


async def test_a_thread_hears_once_of_what_ended_without_it(
    approvals: Approvals, clock: Clock, deadlines: Deadlines
) -> None:
    ended = await ask(approvals, refund(), "general")
    clock.advance(seconds=expiry_seconds("general"))
    await ask(approvals, refund(20_00), "general", key="plan:2")
    await deadlines.enforce_deadlines()

    heard = await deadlines.ended_meanwhile("thread-1")

    assert [(view["request_id"], view["status"]) for view in heard] == [(ended["request_id"], "expired")]
    assert await deadlines.ended_meanwhile("thread-1") == []
    assert await deadlines.threads_to_wake() == []


async def test_what_is_only_overdue_has_not_ended(approvals: Approvals, clock: Clock, deadlines: Deadlines) -> None:
    view = await ask(approvals, refund(), "general")
    clock.advance(seconds=due_seconds("general") + HOUR)
    await deadlines.enforce_deadlines()

    assert await deadlines.ended_meanwhile("thread-1") == []
    owner = f"channel:{ASKER}"
    assert await deadlines.threads_to_wake() == [ThreadToWake(view["request_id"], "thread-1", W1001, owner, "open")]


async def test_threads_that_have_to_wait_are_named_with_whose_they_are_until_their_request_ends(
    approvals: Approvals, deadlines: Deadlines
) -> None:
    view = await ask(approvals, refund(), "general")
    assert await deadlines.waiting() == {"thread-1": f"channel:{ASKER}"}

    await decide(approvals, view["request_id"], view["action_hash"], APPROVE, staff(GENERAL[0]))

    assert await deadlines.waiting() == {}
