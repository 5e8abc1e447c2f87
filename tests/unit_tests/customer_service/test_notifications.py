"""News in a conversation: told with the next reply, or when the reconciler wakes it."""

import asyncio
from typing import Any, get_args

import pytest
from langchain_core.messages import AIMessage, HumanMessage

from agent.commerce.policy import RULES
from agent.customer_service import nodes
from agent.customer_service.reply_templates import NOTIFICATIONS, SAYINGS, sentence_of
from agent.notifications.conversations import Notification
from agent.notifications.notify import CustomerEvent
from agent.services import Services
from agent.shop import SHOP
from tests.support.chains import BILLING, GENERAL
from tests.support.clock import Clock
from tests.support.conversations import (
    ADA,
    BEN,
    LITTLE,
    MUCH,
    STOREFRONT,
    answer,
    claims_reach,
    conversation,
    refunds,
    say,
    waiting_refund,
)
from tests.support.goods import W1001, W1002
from tests.support.notifications import note, noted
from tests.support.threads import APPROVE, SERVICE, Thread, staff

SHIPPED = f"A parcel of order {W1001} is on its way. Its tracking number is T-1."
REFUNDED = f"{SHOP.money(60_00)} of order {W1001} has been refunded."


async def shipped(shop: Services) -> str:
    return await note(shop, "parcel.shipped", "P-1", parcel_id="P-1", tracking_id="T-1")


async def wake(thread: Thread) -> None:
    """What the reconciler does."""
    await thread.run({"messages": []}, SERVICE)


async def messages(thread: Thread) -> list[str]:
    return [message.text for message in (await thread.values()).get("messages", [])]


async def test_notifications_come_before_the_answer_and_once(shop: Services, clock: Clock) -> None:
    thread = conversation()
    await shipped(shop)
    clock.advance(seconds=1)
    await note(shop, "refund.settled", "r1", amount=60_00)

    await say(thread, "hello")
    await say(thread, "hello")

    small_talk = SAYINGS["small_talk"]
    assert await messages(thread) == ["hello", SHIPPED, REFUNDED, small_talk, "hello", small_talk]


async def test_a_woken_conversation_shows_its_notifications_and_nothing_else_and_once(shop: Services) -> None:
    thread = conversation()
    await say(thread, "hello")
    key = await shipped(shop)
    assert await shop.notifications.with_pending() == ["chat-1"]

    await wake(thread)
    await wake(thread)

    assert await messages(thread) == ["hello", SAYINGS["small_talk"], SHIPPED]
    assert (await thread.values())["messages"][-1].id == key
    assert await shop.notifications.with_pending() == []


async def test_what_was_marked_but_not_saved_is_delivered_by_the_next_run(shop: Services) -> None:
    thread = conversation()
    await shipped(shop)
    await shop.notifications.take_pending("ada_park", "chat-1", set())  # the process ends here

    await say(thread, "hello")
    await say(thread, "hello")

    assert (await messages(thread)).count(SHIPPED) == 1


async def test_a_run_that_is_made_again_delivers_the_same_in_the_same_message(shop: Services) -> None:
    thread = conversation()
    key = await shipped(shop)
    await say(thread, "hello")

    await thread.run(None, ADA, checkpoint=await thread.before("triage"))
    await thread.run(None, ADA, checkpoint=await thread.before("reply"))

    assert [message.id for message in (await thread.values())["messages"]].count(key) == 1


async def test_of_two_conversations_one_shows_a_notification(shop: Services) -> None:
    one = conversation()
    other = one.beside("chat-2")
    await shipped(shop)

    await asyncio.gather(say(one, "hello"), say(other, "hello"))

    assert (await messages(one) + await messages(other)).count(SHIPPED) == 1


async def test_another_customer_hears_nothing_of_it(shop: Services) -> None:
    thread = conversation()
    await shipped(shop)

    await say(thread, "hello", BEN)
    await wake(thread)

    assert SHIPPED not in await messages(thread)


async def test_notifications_wait_until_it_is_known_who_speaks(shop: Services) -> None:
    claims_reach(shop, "full")
    thread = conversation()
    await shipped(shop)

    await say(thread, "hello", STOREFRONT)
    assert SHIPPED not in await messages(thread)

    await say(thread, "I am ada.park@example.com", STOREFRONT)
    assert SHIPPED in await messages(thread)


async def test_a_turn_in_anothers_name_hears_none(shop: Services) -> None:
    thread = conversation()
    await say(thread, "hello", STOREFRONT, customer_id="ada_park")
    await shipped(shop)

    assert await say(thread, "hello", STOREFRONT, customer_id="ben_ortiz") == RULES["CUSTOMER-ONE"]

    assert SHIPPED not in await messages(thread)


@pytest.mark.parametrize("who", [ADA, STOREFRONT, staff("order_manager"), None])
async def test_a_turn_without_a_message_is_the_service_accounts_alone(shop: Services, who: Any) -> None:
    thread = conversation()
    await say(thread, "hello")
    await shipped(shop)

    await thread.run({"messages": []}, who)

    assert SHIPPED not in await messages(thread)


async def test_the_service_accounts_words_are_not_read(shop: Services) -> None:
    thread = conversation()
    await say(thread, f"cancel {W1002}, no longer needed")
    before = await messages(thread)

    await thread.run({"messages": [HumanMessage("yes")]}, SERVICE)

    assert await messages(thread) == [*before, "yes"]
    assert (await shop.queries.get(W1002))["status"] == "pending"


async def test_while_people_are_asked_notifications_come_and_the_same_request_is_asked_again(shop: Services) -> None:
    thread = await waiting_refund(MUCH)
    await thread.answer(APPROVE, staff(BILLING[0]))
    before = await thread.waits_for()
    await shipped(shop)

    await wake(thread)

    assert (await messages(thread))[-1] == SHIPPED
    assert await thread.waits_for() == before
    assert before is not None
    assert before["step"] == 2
    await thread.answer(APPROVE, staff(BILLING[1]))
    assert await refunds(shop) == [MUCH]


async def test_a_plan_waits_on_while_notifications_come_and_a_yes_counts_when_it_is_listed_again(
    shop: Services,
) -> None:
    thread = conversation()
    listed = await say(thread, f"cancel {W1002}, no longer needed")
    await shipped(shop)

    await wake(thread)

    assert (await messages(thread))[-2:] == [listed, SHIPPED]
    assert (await thread.values())["processing_stage"] == "awaiting_customer"
    assert await say(thread, "ok thanks") == listed
    assert (await shop.queries.get(W1002))["status"] == "pending"
    await say(thread, "yes")
    assert (await shop.queries.get(W1002))["status"] == "cancelled"


async def test_an_own_cancellation_is_not_notified_of_but_the_money_that_came_back_is(shop: Services) -> None:
    thread = conversation()
    await say(thread, f"cancel {W1002}, no longer needed")
    done = await say(thread, "yes")

    await wake(thread)

    assert (await messages(thread))[-2:] == [done, f"{SHOP.money(147_00)} of order {W1002} has been refunded."]


async def test_a_decision_that_the_conversation_waited_for_is_told_once(shop: Services) -> None:
    thread = await waiting_refund(LITTLE)
    view = await thread.waits_for()
    assert view is not None
    key = await note(shop, "approval.decided", view["request_id"], request_id=view["request_id"], status="approved")

    done = await answer(thread, APPROVE, staff(GENERAL[0]))

    assert done.startswith(f"{SHOP.money(LITTLE)} of order {W1001} will be refunded.")
    await wake(thread)
    assert (await noted(shop, key)).thread_id != "chat-1"
    assert f"What had to be approved for order {W1001} was approved." not in await messages(thread)


async def test_a_conversation_that_has_lost_its_state_is_not_woken_again(shop: Services) -> None:
    await say(conversation(), "hello")
    await shipped(shop)
    lost = conversation()

    await wake(lost)

    assert await messages(lost) == []
    assert await shop.notifications.with_pending() == []


async def test_words_that_a_broken_run_left_unsaid_are_said_with_the_notifications(
    shop: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    thread = conversation()
    await say(thread, f"cancel {W1002}, no longer needed")
    with monkeypatch.context() as broken:
        broken.setattr(nodes, "requests_here", None)
        with pytest.raises(TypeError):
            await say(thread, "yes")

    await wake(thread)

    assert f"Order {W1002} is cancelled." in (await messages(thread))[-1]


FACTS = {"rule": "CANCEL-STATUS", "status": "rejected", "tracking_id": "T-1", "amount": 69_00}


def test_every_event_has_its_words() -> None:
    assert set(NOTIFICATIONS) == set(get_args(CustomerEvent))


@pytest.mark.parametrize("event", get_args(CustomerEvent))
@pytest.mark.parametrize("facts", [FACTS, {}])
def test_a_notification_is_a_plain_sentence_with_or_without_its_facts(
    event: CustomerEvent, facts: dict[str, Any]
) -> None:
    words = sentence_of(Notification("k", event, W1001, facts))

    assert W1001 in words
    assert words.endswith(".")
    assert AIMessage(words).text == words


@pytest.mark.parametrize(
    ("event", "words"),
    [
        ("approval.decided", f"What had to be approved for order {W1001} was not approved."),
        (
            "parcel.refused",
            f"The carrier can't take a parcel of order {W1001}. You get its price back: {SHOP.money(69_00)}.",
        ),
        ("order.cancelled", f"Order {W1001} is cancelled. {RULES['CANCEL-STATUS']}"),
    ],
)
def test_facts_are_told_as_people_say_them(event: CustomerEvent, words: str) -> None:
    assert sentence_of(Notification("k", event, W1001, FACTS)) == words
