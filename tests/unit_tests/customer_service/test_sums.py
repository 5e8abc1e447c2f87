"""Refunds are looked at together: what was paid lately, and what waits, counts with what is asked for now."""

from typing import Any

import pytest

from agent.approvals.chains import REFUND_BY_BILLING as LIMIT
from agent.customer_service.plan_execution import review_plan
from agent.customer_service.state import Plan, PlannedAction
from agent.services import Services
from agent.shop import SHOP
from tests.support.approvals import decide
from tests.support.chains import BILLING, GENERAL
from tests.support.clock import Clock
from tests.support.conversations import LITTLE, MUCH, answer, conversation, refunds, say, waiting_refund
from tests.support.goods import W1001
from tests.support.threads import APPROVE, SERVICE, Thread, reject, seen, staff

AGENT = staff(GENERAL[0])


async def view_of(thread: Thread) -> Any:
    view = await thread.waits_for()
    assert view is not None
    return view


async def test_small_refunds_one_after_the_other_need_the_people_of_their_sum(shop: Services, clock: Clock) -> None:
    first = await waiting_refund(LIMIT, conversation("chat-1"))
    assert (await view_of(first))["roles"] == [GENERAL[0]]
    await first.answer(APPROVE, AGENT)
    clock.advance(minutes=5)

    second = await view_of(await waiting_refund(LIMIT - 1, conversation("chat-2")))

    assert (second["case"], second["roles"]) == ("billing", [BILLING[0]])
    assert f"- {SHOP.money(LIMIT)} of {W1001}, paid on 2026-06-01" in second["action_requests"][0]["description"]
    assert f"{SHOP.money(LIMIT)} in 1 refund in 30 days" in second["action_requests"][0]["description"]


async def test_what_waits_counts_as_well(shop: Services) -> None:
    first = await view_of(await waiting_refund(LITTLE, conversation("chat-1")))
    second = await view_of(await waiting_refund(LITTLE, conversation("chat-2")))

    assert (first["case"], second["case"]) == ("general", "billing")
    assert (
        f"- {SHOP.money(LITTLE)} of {W1001}, waits as {first['request_id']}"
        in second["action_requests"][0]["description"]
    )


async def test_all_of_one_plan_count_for_each_of_it(shop: Services) -> None:
    both = [
        PlannedAction(
            name="refund_payment",
            arguments={"order_id": W1001, "amount": amount, "reason": "scratched"},
            sentence=f"Refund {amount}.",
        )
        for amount in (LIMIT - 1, LIMIT - 2)
    ]
    plan, about = Plan(id="chat-1:1", actions=both), {"thread_id": "chat-1", "asked_by": "ada_park"}

    for _ in range(2):  # the second time finds the same requests
        _, notes = await shop.database.write(
            lambda session: review_plan(shop, session, plan, subject="ada_park", **about)
        )
        assert all(note.endswith(f"It waits for approval by {BILLING[0]}, step 1 of {len(BILLING)}.") for note in notes)

    assert [view["case"] for view in await shop.approvals.of_order(W1001)] == ["billing", "billing"]


async def test_after_thirty_days_a_paid_refund_counts_no_more(shop: Services, clock: Clock) -> None:
    await (await waiting_refund(LIMIT, conversation("chat-1"))).answer(APPROVE, AGENT)
    clock.advance(days=30, minutes=1)

    assert (await view_of(await waiting_refund(LIMIT, conversation("chat-2"))))["case"] == "general"


async def test_what_was_refused_counts_no_more(shop: Services) -> None:
    await (await waiting_refund(LIMIT, conversation("chat-1"))).answer(reject("no"), AGENT)

    assert (await view_of(await waiting_refund(LIMIT, conversation("chat-2"))))["case"] == "general"


async def test_an_edit_is_summed_up_as_well(shop: Services) -> None:
    await waiting_refund(LIMIT - 10_00, conversation("chat-1"))
    thread = await waiting_refund(10_00, conversation("chat-2"))
    view = await view_of(thread)
    assert view["case"] == "general"
    [action] = view["action_requests"]
    edited = {"type": "edit", "edited_action": {"name": action["name"], "args": action["args"] | {"amount": "10.01"}}}

    await thread.answer(seen(view, edited), AGENT)

    assert (await view_of(thread))["case"] == "billing"


async def test_the_same_money_is_not_asked_for_twice(shop: Services) -> None:
    """718.00 of W-1001 can be refunded."""
    both = [conversation("chat-1"), conversation("chat-2")]
    for thread in both:
        assert "Shall I?" in await say(thread, f"refund 400.00 of {W1001}")
    await say(both[0], "yes")

    told = await say(both[1], "yes")
    again = await say(conversation("chat-3"), f"refund 400.00 of {W1001}")

    for words in (told, again):
        assert (
            f"{SHOP.money(718_00)} of {W1001} can be refunded, of which {SHOP.money(400_00)} has been asked for already"
            in words
        )
    assert await both[1].waits_for() is None
    assert len(await shop.approvals.of_order(W1001, "open")) == 1


async def test_an_edit_can_not_take_what_another_request_waits_for(shop: Services) -> None:
    await waiting_refund(700_00, conversation("chat-1"))
    thread = await waiting_refund(10_00, conversation("chat-2"))
    view = await view_of(thread)
    [action] = view["action_requests"]
    edited = {"type": "edit", "edited_action": {"name": action["name"], "args": action["args"] | {"amount": "18.01"}}}

    await thread.answer(seen(view, edited), staff(BILLING[0]))

    after = await view_of(thread)
    assert after["refused"].startswith("REFUND-AMOUNT: ")
    assert (
        f"{SHOP.money(718_00)} of {W1001} can be refunded, of which {SHOP.money(700_00)} has been asked for already"
        in after["refused"]
    )


@pytest.mark.parametrize("note", ["too much: 20.00 at most", "20,00 and no more", "not 60.00, but 20.00 for the lamp"])
async def test_a_number_with_decimals_in_the_reason_for_a_no_is_an_offer(shop: Services, note: str) -> None:
    thread = await waiting_refund(60_00)

    assert f"Refund {SHOP.money(20_00)} of order {W1001}, instead of {SHOP.money(60_00)}." in await answer(
        thread, reject(note), staff(BILLING[0])
    )


@pytest.mark.parametrize("note", ["20.00 or 30.00", "version 2.0", "rule 12 says no", "60.00 is too much", "1.234"])
async def test_a_reason_that_names_no_one_smaller_amount_offers_nothing(shop: Services, note: str) -> None:
    thread = await waiting_refund(60_00)

    assert "Shall I?" not in await answer(thread, reject(note), staff(BILLING[0]))


async def test_a_refused_answer_and_each_step_are_said_in_the_conversation(shop: Services) -> None:
    thread = await waiting_refund(MUCH)

    for said in ("hm", "perhaps"):
        told = await answer(thread, said, staff(BILLING[0]))
        assert told.startswith("Not taken: APPROVAL-UNREADABLE")
    assert (await view_of(thread))["action_requests"][0]["description"].startswith("Not taken: APPROVAL-UNREADABLE")
    texts = [str(message.content) for message in (await thread.values())["messages"]]
    assert len([text for text in texts if text.startswith("Not taken")]) == 1

    told = await answer(thread, APPROVE, staff(BILLING[0]))
    assert told == f"Your request waits for approval by {BILLING[1]}, step 2 of {len(BILLING)}."
    texts = [str(message.content) for message in (await thread.values())["messages"]]
    assert not [text for text in texts if text.startswith("Not taken")]


async def test_who_answers_what_was_decided_is_told_so_by_which_role_and_when(shop: Services) -> None:
    thread = await waiting_refund(LITTLE)
    view = await view_of(thread)
    await decide(shop.approvals, view["request_id"], view["action_hash"], APPROVE, AGENT)

    ended = await thread.answer(reject("no"), staff(GENERAL[0], 2))

    texts = [str(message.content) for message in ended["messages"]]
    assert f"Not taken: APPROVAL-ENDED: this was approved by {AGENT.role} at 2026-06-01 12:00 UTC" in texts
    assert await refunds(shop) == [LITTLE]


async def test_what_was_approved_is_made_once_by_the_reconcilers_run_though_the_one_that_should_have_broke_off(
    shop: Services,
) -> None:
    thread = await waiting_refund(LITTLE)
    view = await view_of(thread)
    await decide(shop.approvals, view["request_id"], view["action_hash"], APPROVE, AGENT)
    [untold] = await shop.deadlines.threads_to_wake()
    assert (untold.request_id, untold.status) == (view["request_id"], "approved")

    for lost in (thread, conversation("chat-1")):
        await lost.run({"messages": []}, SERVICE)

    assert await refunds(shop) == [LITTLE]
    assert await thread.waits_for() is None
    assert await shop.deadlines.threads_to_wake() == []
