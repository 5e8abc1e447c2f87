"""Changes that need the customer's yes and nobody else's."""

import pytest
from langgraph.runtime import Runtime

from agent.customer_service import nodes
from agent.customer_service.reply_templates import SAYINGS
from agent.customer_service.state import DeskState, PlannedAction, ReadyAction
from agent.services import Services
from agent.shop import SHOP
from tests.support.clock import Clock
from tests.support.commands import cancel_order
from tests.support.conversations import BEN, conversation, refunds, say
from tests.support.goods import W1001, W1002, W1004


async def test_a_cancellation_is_asked_for_its_reason_listed_agreed_and_refunded(shop: Services) -> None:
    thread = conversation()

    assert "no longer needed or ordered by mistake?" in await say(thread, f"cancel {W1002}")
    listed = await say(thread, "I ordered it by mistake")
    assert f"- Cancel order {W1002} (1 × Table lamp, 2 × Linen cushion), reason: ordered by mistake" in listed
    assert f"refund {SHOP.money(147_00)} to ada_card" in listed
    assert listed.endswith("Please answer yes or no.")
    assert (await thread.values())["processing_stage"] == "awaiting_customer"
    assert (await shop.queries.get(W1002))["status"] == "pending"

    done = await say(thread, "yes please")

    assert done == f"Order {W1002} is cancelled. {SAYINGS['refund_time']}"
    assert (await shop.queries.get(W1002))["status"] == "cancelled"
    assert await refunds(shop) == [147_00]


@pytest.mark.parametrize("other", ["no", "no, leave it", f"refund 500.00 of {W1001}", "I want a person"])
async def test_a_no_or_a_changed_subject_drops_the_plan(shop: Services, other: str) -> None:
    thread = conversation()
    await say(thread, f"cancel {W1002}, no longer needed")

    await say(thread, other)
    await say(thread, "yes")

    assert (await thread.values())["plan"] is None
    assert (await shop.queries.get(W1002))["status"] == "pending"


@pytest.mark.parametrize("question", [f"where is {W1001}?", "how do returns work?", "do you have the wool rug?"])
async def test_a_question_in_between_is_answered_and_the_plan_is_listed_again(shop: Services, question: str) -> None:
    thread = conversation()
    await say(thread, f"cancel {W1002}, no longer needed")

    told = await say(thread, question)

    assert not told.startswith("This is what I would do")
    assert f"- Cancel order {W1002}" in told
    assert (await shop.queries.get(W1002))["status"] == "pending"
    await say(thread, "yes")
    assert (await shop.queries.get(W1002))["status"] == "cancelled"


@pytest.mark.parametrize("words", ["hello", "hmm", "yes? why?", "cancel", "yes but to another card"])
async def test_what_is_no_clear_yes_changes_nothing_and_the_plan_still_waits(shop: Services, words: str) -> None:
    thread = conversation()
    await say(thread, f"cancel {W1002}, no longer needed")

    told = await say(thread, words)

    assert f"Cancel order {W1002}" in told
    assert (await shop.queries.get(W1002))["status"] == "pending"
    await say(thread, "yes")
    assert (await shop.queries.get(W1002))["status"] == "cancelled"


async def test_a_yes_to_nothing_does_nothing(shop: Services) -> None:
    thread = conversation()

    assert await say(thread, "yes") in (SAYINGS["yes"], SAYINGS["unclear"])


async def test_a_second_yes_does_nothing_more(shop: Services) -> None:
    thread = conversation()
    await say(thread, f"cancel {W1002}, no longer needed")
    await say(thread, "yes")

    await say(thread, "yes")

    assert await refunds(shop) == [147_00]


async def test_what_the_ledger_refuses_at_last_is_said_with_its_rule(shop: Services) -> None:
    thread = conversation()
    await say(thread, f"cancel {W1002}, no longer needed")
    await cancel_order(shop, W1002, reason="no longer needed", subject="ada_park", key="elsewhere")

    assert (await say(thread, "yes")).startswith("An order can be cancelled only while it is pending")


async def test_an_order_past_pending_is_not_offered_to_be_cancelled(shop: Services) -> None:
    thread = conversation()

    assert f"{W1001} is delivered" in await say(thread, f"cancel {W1001}, no longer needed")
    assert (await thread.values())["plan"] is None


async def test_while_the_provider_is_down_the_change_is_made_and_the_money_owed(shop: Services, clock: Clock) -> None:
    shop.breakers["payment"].force_open()
    thread = conversation()
    await say(thread, f"cancel {W1002}, no longer needed")

    assert "can't be reached just now" in await say(thread, "yes")

    assert (await shop.queries.get(W1002))["status"] == "cancelled"
    shop.breakers["payment"].reset()
    assert await shop.debts.settle() == {}  # not yet: it is tried again after a while
    clock.advance(minutes=2)
    assert list((await shop.debts.settle()).values()) == ["settled"]
    assert await refunds(shop) == [147_00]


async def test_each_turn_of_a_conversation_plans_under_a_key_of_its_own(shop: Services) -> None:
    thread = conversation()
    await say(thread, f"cancel {W1002}, no longer needed")
    first = (await thread.values())["plan"]["id"]
    await say(thread, "no")
    await say(thread, f"cancel {W1002}, no longer needed")

    assert (await thread.values())["plan"]["id"] != first


async def test_conversations_do_not_share_keys(shop: Services) -> None:
    ids = set()
    for thread_id in ("chat-1", "chat-2"):
        thread = conversation(thread_id)
        await say(thread, f"cancel {W1004}, no longer needed", BEN)
        ids.add((await thread.values())["plan"]["id"])

    assert len(ids) == 2


async def test_making_a_change_twice_is_one_change(shop: Services) -> None:
    action = PlannedAction(
        name="cancel_order", arguments={"order_id": W1002, "reason": "no longer needed"}, sentence=""
    )
    state = DeskState(
        messages=[],
        notes=[],
        customer_id="ada_park",
        ready=[ReadyAction(key="plan:chat-1:1:0", action=action, request_id=None)],
    )

    first, second = await nodes.execute(state, Runtime()), await nodes.execute(state, Runtime())

    assert first["notes"][0].startswith(f"Order {W1002} is cancelled.")
    assert second["notes"] == [f"Order {W1002} is cancelled."], "the money is on its way already"
    assert await refunds(shop) == [147_00]
