"""Orders that wait for people."""

from typing import Any

import pytest

from agent.approvals.chains import LARGE_ORDER
from agent.approvals.gate import AnswerBy
from agent.identity import Caller
from agent.services import Services
from agent.shop import SHOP
from tests.support.approvals import decide
from tests.support.chains import OF_LARGE, OF_VERY_LARGE, due_seconds, expiry_seconds, next_role, outsider
from tests.support.clock import Clock
from tests.support.commands import cancel_order
from tests.support.orders import ADA, LARGE, SMALL, VERY_LARGE, charges, order, place, redrive_order, stock, thread_of
from tests.support.threads import APPROVE, LOOK_AGAIN, SERVICE, Thread, reject, staff


async def waiting(lines: dict[str, int] = LARGE) -> Thread:
    """A thread whose order waits at the gate."""
    thread, ended = await place(lines)
    assert (ended["processing_stage"], ended["human_approval_needed"]) == ("awaiting_approval", True)
    return thread


async def test_a_large_order_waits_with_its_stock_held_and_no_money_taken(shop: Services) -> None:
    before = await stock(shop)

    view = await (await waiting()).waits_for()

    assert view is not None
    assert (view["case"], view["roles"], view["order_id"]) == ("large_order", [OF_LARGE[0]], "N-1")
    assert view["action_requests"][0]["args"]["total"] == SHOP.amount(1_399_00)
    facts, words, lines, judged = view["action_requests"][0]["description"].split("\n\n")
    assert facts.startswith(f"step 1 of 1 for {OF_LARGE[0]} · asked by ada_park for ada_park · due ")
    assert words.startswith(f"**{SHOP.money(1_399_00)}**, order N-1, to ")
    assert lines == f"- 1 × Three-seat sofa (SOFA-WOOL), {SHOP.money(1_399_00)} each"
    assert judged.startswith("Customer since 2026-05-11, 3 orders; no refunds in 30 days. Risk ")
    assert (await stock(shop))["SOFA-WOOL"] == (before["SOFA-WOOL"][0], before["SOFA-WOOL"][1] + 1)
    assert await charges(shop) == []


async def test_an_approved_order_is_charged_once_and_shipped(shop: Services) -> None:
    thread = await waiting()

    ended = await thread.answer(APPROVE, staff(OF_LARGE[0]))

    assert (ended["processing_stage"], ended["payment_status"]) == ("completed", "captured")
    assert [charge["amount"] for charge in await charges(shop)] == [1_399_00]


async def test_a_rejected_order_is_undone_and_says_why(shop: Services) -> None:
    before = await stock(shop)
    thread = await waiting()

    ended = await thread.answer(reject("too risky"), staff(OF_LARGE[0]))

    assert (ended["processing_stage"], ended["denial"]["rule"]) == ("cancelled", "ORDER-REJECTED")
    assert "too risky" in ended["denial"]["sentence"]
    assert await stock(shop) == before
    assert await charges(shop) == []


@pytest.mark.parametrize(
    ("said", "who", "rule"),
    [
        (APPROVE, ADA, "APPROVAL-ROLE"),
        (APPROVE, None, "APPROVAL-ROLE"),
        (APPROVE, staff(outsider("large_order")), "APPROVAL-ROLE"),
        (APPROVE, Caller("ada_park", OF_LARGE[0]), "APPROVAL-OWN"),
        ("perhaps", staff(OF_LARGE[0]), "APPROVAL-UNREADABLE"),
        (False, staff(OF_LARGE[0]), "APPROVAL-NOTE"),
        (0, staff(OF_LARGE[0]), "APPROVAL-UNREADABLE"),
        ([], staff(OF_LARGE[0]), "APPROVAL-UNREADABLE"),
        ({"decisions": [{"type": "approve"}] * 2}, staff(OF_LARGE[0]), "APPROVAL-UNREADABLE"),
        ({"decisions": {"type": ["approve"]}}, staff(OF_LARGE[0]), "APPROVAL-UNREADABLE"),
        (reject(""), staff(OF_LARGE[0]), "APPROVAL-NOTE"),
        (
            {"type": "edit", "edited_action": {"name": "approve_order", "args": {"total": 1}}},
            staff(OF_LARGE[0]),
            "APPROVAL-EDIT",
        ),
    ],
)
async def test_an_answer_that_does_not_count_is_asked_again_until_one_does(
    shop: Services, said: Any, who: Caller | None, rule: str
) -> None:
    thread = await waiting()
    first = await thread.waits_for()

    await thread.answer(said, who)

    again = await thread.waits_for()
    assert first is not None
    assert again is not None
    assert str(again["refused"]).startswith(rule)
    assert again["action_requests"][0]["description"].startswith(f"Not taken: {rule}")
    assert again["token"] == first["token"]
    assert (await thread.values())["messages"][-1]["content"] == f"Not taken: {again['refused']}"
    assert await charges(shop) == []
    assert (await thread.answer(APPROVE, staff(OF_LARGE[0])))["processing_stage"] == "completed"


@pytest.mark.parametrize("said", [{"0" * 32: APPROVE}, {}], ids=["an unknown one", "none"])
async def test_an_answer_to_no_known_interrupt_changes_nothing_and_the_request_is_still_answerable(
    shop: Services, said: Any
) -> None:
    thread = await waiting()
    first = await thread.waits_for()

    await thread.answer(said, staff(OF_LARGE[0]))

    assert await thread.waits_for() == first
    assert await charges(shop) == []
    assert (await thread.answer(APPROVE, staff(OF_LARGE[0])))["processing_stage"] == "completed"


async def test_a_very_large_order_needs_two_people_in_order(shop: Services) -> None:
    thread = await waiting(VERY_LARGE)

    await thread.answer(APPROVE, staff(OF_VERY_LARGE[1]))
    await thread.answer(APPROVE, staff(OF_VERY_LARGE[0]))
    second = await thread.waits_for()
    assert second is not None
    assert (second["step"], second["roles"]) == (2, [OF_VERY_LARGE[1]])
    await thread.answer(APPROVE, staff(OF_VERY_LARGE[0], 2))
    assert await charges(shop) == []

    ended = await thread.answer(APPROVE, staff(OF_VERY_LARGE[1]))

    assert ended["processing_stage"] == "completed"
    assert len(await charges(shop)) == 1


async def test_a_small_order_of_high_risk_needs_two_people_as_well(shop: Services) -> None:
    elsewhere = {"line1": "1 Other Street", "city": "Elsewhere", "postcode": "00001", "country": "US"}
    for n in range(1, 4):
        await place({"MUG-WHITE": 1}, order_id=f"N-{n}")  # more than three in a day, and a low median

    thread, ended = await place({"RUG-SAND": 1}, order_id="N-4", ship_to=elsewhere)

    view = await thread.waits_for()
    assert view is not None
    assert ended["order_amount"] < LARGE_ORDER
    assert view["case"] == "very_large_order"
    assert view["arguments"]["risk"] >= 70


async def test_the_service_accounts_look_decides_nothing(shop: Services) -> None:
    thread = await waiting()
    first = await thread.waits_for()

    await thread.answer(LOOK_AGAIN, SERVICE)
    assert await thread.waits_for() == first

    await redrive_order(thread)
    assert await thread.waits_for() == first


async def test_an_overdue_request_is_shown_to_the_next_role_when_the_thread_looks_again(
    shop: Services, clock: Clock
) -> None:
    thread = await waiting()
    clock.advance(seconds=due_seconds("large_order"))
    await shop.deadlines.enforce_deadlines()

    await redrive_order(thread)

    view = await thread.waits_for()
    assert view is not None
    assert view["roles"] == [OF_LARGE[0], next_role("large_order")]
    assert (await thread.answer(APPROVE, staff(next_role("large_order"))))["processing_stage"] == "completed"


async def test_an_order_that_nobody_answers_is_undone_by_the_clock(shop: Services, clock: Clock) -> None:
    before = await stock(shop)
    thread = await waiting()
    clock.advance(seconds=expiry_seconds("large_order"))
    await shop.deadlines.enforce_deadlines()

    ended = await redrive_order(thread)

    assert (ended["processing_stage"], ended["denial"]["rule"]) == ("cancelled", "ORDER-REJECTED")
    assert "nobody answered in time" in ended["denial"]["sentence"]
    assert await stock(shop) == before
    assert await shop.deadlines.threads_to_wake() == []


async def cancel(shop: Services) -> None:
    await cancel_order(shop, "N-1", reason="no longer needed", subject="ada_park", key="plan:1")


async def test_a_yes_to_an_order_that_the_customer_cancelled_charges_nothing(shop: Services) -> None:
    before = await stock(shop)
    thread = await waiting()
    await cancel(shop)

    ended = await thread.answer(APPROVE, staff(OF_LARGE[0]))

    assert (ended["processing_stage"], ended["denial"]["rule"]) == ("cancelled", "CUSTOMER-CANCELLED")
    assert await stock(shop) == before
    assert await charges(shop) == []


async def test_the_thread_of_an_order_that_the_customer_cancelled_is_told_once(shop: Services) -> None:
    thread = await waiting()
    await cancel(shop)
    assert len(await shop.deadlines.threads_to_wake()) == 1

    ended = await redrive_order(thread)

    assert ended["processing_stage"] == "cancelled"
    assert await thread.waits_for() is None
    assert await shop.deadlines.threads_to_wake() == []


@pytest.mark.parametrize(
    ("given", "rule"),
    [(order(SMALL), "ORDER-ID-TAKEN"), (order(LARGE, total=1), "ORDER-INPUT")],
    ids=["another order", "no order"],
)
async def test_a_word_on_a_waiting_thread_is_refused_and_does_not_end_the_waiting(
    shop: Services, given: dict[str, Any], rule: str
) -> None:
    thread = await waiting()
    first = await thread.waits_for()

    told = await thread.run(given, ADA)

    assert told["denial"]["rule"] == rule
    assert await thread.waits_for() == first
    ended = await thread.answer(APPROVE, staff(OF_LARGE[0]))
    assert (ended["processing_stage"], ended["denial"]) == ("completed", None)


@pytest.mark.parametrize("who", [ADA, SERVICE], ids=["sent again", "driven on"])
async def test_a_lost_thread_asks_for_the_same_request_with_its_decisions(shop: Services, who: Caller) -> None:
    lost = await waiting(VERY_LARGE)
    await lost.answer(APPROVE, staff(OF_VERY_LARGE[0]))
    known = await lost.waits_for()
    given = order(VERY_LARGE) if who == ADA else {"order": {"order_id": "N-1"}}

    thread = thread_of()
    await thread.run(given, who)

    assert await thread.waits_for() == known
    assert (await thread.answer(APPROVE, staff(OF_VERY_LARGE[1])))["processing_stage"] == "completed"


async def test_an_order_that_was_decided_while_its_thread_was_lost_goes_on(shop: Services) -> None:
    lost = await waiting()
    view = await lost.waits_for()
    assert view is not None
    await decide(shop.approvals, view["request_id"], view["action_hash"], APPROVE, staff(OF_LARGE[0]))

    ended = await redrive_order(thread_of())

    assert ended["processing_stage"] == "completed"
    assert len(await charges(shop)) == 1


async def test_going_back_to_before_a_rejection_does_not_undo_it(shop: Services) -> None:
    thread = await waiting()
    await thread.answer(reject("too risky"), staff(OF_LARGE[0]))

    await thread.run(None, ADA, checkpoint=await thread.before("approval"))
    ended = await thread.answer(APPROVE, staff(OF_LARGE[0], 2))

    assert ended["processing_stage"] == "cancelled"
    assert await charges(shop) == []


async def test_an_answer_that_was_written_into_the_checkpoint_decides_nothing(shop: Services) -> None:
    thread = await waiting()
    forged = AnswerBy(said=APPROVE, identity=staff(OF_LARGE[0]).identity, role=OF_LARGE[0], seal="0" * 64)

    await thread.graph.aupdate_state(thread.config(None), {"answer": forged}, as_node="approval")
    await thread.run(None, ADA)

    assert (await shop.queries.get("N-1"))["stage"] == "awaiting_approval"
    assert await charges(shop) == []
    assert await thread.waits_for() is not None
    assert (await thread.answer(APPROVE, staff(OF_LARGE[0])))["processing_stage"] == "completed"
    assert len(await charges(shop)) == 1


async def test_what_is_said_of_an_order_tells_its_way(shop: Services) -> None:
    thread = await waiting()
    await thread.answer("perhaps", staff(OF_LARGE[0]))
    ended = await thread.answer(reject("too risky"), staff(OF_LARGE[0]))

    first, waits, again, last = (message["content"] for message in ended["messages"])
    assert first == f"Order N-1, 1 line, {SHOP.money(1_399_00)}"
    assert waits == f"N-1 waits for approval by {OF_LARGE[0]}."
    assert again.startswith("Not taken: APPROVAL-UNREADABLE")
    assert last.startswith("N-1 is cancelled. ")
