"""A question of staff in a conversation, and the customer's answer to it."""

import pytest

from agent.customer_service.reply_templates import SAYINGS
from agent.services import Services
from tests.support.chains import GENERAL
from tests.support.conversations import ADA, BEN, LITTLE, conversation, refunds, say, waiting_refund
from tests.support.goods import W1001, W1002
from tests.support.threads import APPROVE, SERVICE, Thread, staff


async def asked_about(shop: Services, thread: Thread) -> str:
    """The request at the gate, about which an agent has just asked, and the conversation has told it."""
    view = await thread.waits_for()
    assert view is not None
    await shop.questions.ask(view["request_id"], "Which leg broke?", staff(GENERAL[0]), "k1")
    await thread.run({"messages": []}, SERVICE)
    return view["request_id"]


async def answers(shop: Services, request_id: str) -> list[str | None]:
    return [question["answer"] for question in await shop.questions.of(request_id)]


async def test_the_customer_reads_the_question_and_how_to_answer_it(shop: Services) -> None:
    thread = await waiting_refund(LITTLE)
    before = await thread.waits_for()

    request_id = await asked_about(shop, thread)

    told = (await thread.values())["messages"][-1].text
    assert told == (
        f"Our staff asks for order {W1001}: “Which leg broke?” To answer, begin your message with “re {request_id}”."
    )
    assert await thread.waits_for() == before


@pytest.mark.parametrize("words", ["the left one", "yes", "approve", f"cancel {W1002}, no longer needed"])
async def test_an_answer_is_passed_on_and_decides_and_changes_nothing(shop: Services, words: str) -> None:
    thread = await waiting_refund(LITTLE)
    request_id = await asked_about(shop, thread)
    before = await thread.waits_for()

    assert await say(thread, f"re {request_id}: {words}") == SAYINGS["passed_on"]

    assert await answers(shop, request_id) == [words]
    assert await thread.waits_for() == before
    assert (await thread.values()).get("plan") is None
    assert await refunds(shop) == []
    await thread.answer(APPROVE, staff(GENERAL[0]))
    assert await refunds(shop) == [LITTLE]


async def test_other_messages_are_answered_as_ever_and_the_question_waits_on(shop: Services) -> None:
    thread = await waiting_refund(LITTLE)
    request_id = await asked_about(shop, thread)

    assert "delivered" in await say(thread, f"where is {W1001}?")

    assert await answers(shop, request_id) == [None]


async def test_an_answer_is_no_yes_to_a_plan_that_waits(shop: Services) -> None:
    thread = await waiting_refund(LITTLE)
    request_id = await asked_about(shop, thread)
    await say(thread, f"cancel {W1002}, no longer needed")

    await say(thread, f"re {request_id} yes")

    assert (await shop.queries.get(W1002))["status"] == "pending"
    await say(thread, "yes")
    assert (await shop.queries.get(W1002))["status"] == "cancelled"


async def test_another_customers_answer_is_not_taken(shop: Services) -> None:
    request_id = await asked_about(shop, await waiting_refund(LITTLE))

    assert await say(conversation("chat-2"), f"re {request_id} none", BEN) == SAYINGS["not_awaited"]

    assert await answers(shop, request_id) == [None]


async def test_a_run_that_is_made_again_passes_the_same_answer_on(shop: Services) -> None:
    thread = await waiting_refund(LITTLE)
    request_id = await asked_about(shop, thread)
    await say(thread, f"re {request_id} the left one")

    again = await thread.run(None, ADA, checkpoint=await thread.before("triage"))

    assert again["messages"][-1].text == SAYINGS["passed_on"]
    assert await answers(shop, request_id) == ["the left one"]
