"""What the desk tells, and to whom."""

from dataclasses import replace
from typing import Any

import pytest
from langchain_core.messages import AIMessage, HumanMessage
from sqlalchemy import select

from agent import services as composition
from agent.assistant.models import MESSAGE_LIMIT, Act, Understanding
from agent.assistant.understand import ReadBy
from agent.commerce.policy import RULES
from agent.customer_service import nodes
from agent.customer_service.reply_templates import OPENLY, SAYINGS
from agent.customer_service.specialists import look_into
from agent.identity import Caller
from agent.ledger.tables import TicketMessageRow, TicketRow
from agent.services import Services
from agent.shop import SHOP
from tests.support.cast import CAST
from tests.support.chains import BILLING
from tests.support.conversations import ADA, BEN, STOREFRONT, claims_reach, conversation, say
from tests.support.goods import NOBODYS, W1001, W1002, W1003, W1004
from tests.support.threads import events, staff

pytestmark = pytest.mark.usefixtures("shop")


async def test_a_customer_is_told_where_their_order_is() -> None:
    assert f"{W1001} (1 × Writing desk, 1 × Table lamp, {SHOP.money(718_00)}): delivered" in await say(
        conversation(), f"where is {W1001}?"
    )


async def test_without_an_order_the_latest_ones_are_told() -> None:
    told = await say(conversation(), "where is my order?")

    assert told.index(W1002) < told.index(W1001)
    assert W1003 not in told


async def test_anothers_order_is_spoken_of_in_the_same_words_as_none() -> None:
    thread = conversation()

    bens, nobodys = await say(thread, f"where is {W1003}?"), await say(thread, f"where is {NOBODYS}?")

    assert bens.replace(W1003, "…") == nobodys.replace(NOBODYS, "…")
    assert bens.startswith(RULES["ORDER-EXISTS"])


@pytest.mark.parametrize("wish", [f"cancel {W1004}, no longer needed", f"refund 10.00 of {W1003}"])
async def test_nothing_is_planned_on_anothers_order(wish: str) -> None:
    thread = conversation()

    assert RULES["ORDER-EXISTS"] in await say(thread, wish)
    assert (await thread.values())["plan"] is None


async def test_two_topics_are_looked_into_each_by_its_specialist() -> None:
    thread = conversation()

    told = await say(thread, f"where is {W1001}? and cancel {W1002}, it is no longer needed")

    values = await thread.values()
    assert [wish["capability"] for wish in values["topics"]] == ["order_status", "cancel_order"]
    assert values["findings"].keys() == {"0", "1"}
    assert f"{W1001} (1 × Writing desk" in told
    assert f"- Cancel order {W1002}" in told


async def test_what_one_turn_found_is_not_told_again_in_the_next() -> None:
    thread = conversation()
    await say(thread, f"where is {W1001}? and how do returns work?")

    told = await say(thread, f"where is {W1002}?")

    assert W1002 in told
    assert W1001 not in told
    assert CAST.returns not in told


async def test_a_question_is_answered_from_the_articles_and_the_second_time_from_the_cache() -> None:
    thread = conversation()
    hits = events("cache.hit")
    first = await say(thread, "How do returns work?")
    assert events("cache.hit") == hits

    second = await say(thread.beside("chat-2"), "how do  RETURNS work?", BEN)

    assert first == second
    assert first.startswith(f"{CAST.returns}: ")
    assert events("cache.hit") == hits + 1


async def test_a_cached_question_does_not_give_one_customer_anothers_orders() -> None:
    thread = conversation()

    adas, bens = await say(thread, "where is my order?"), await say(thread.beside("chat-2"), "where is my order?", BEN)

    assert W1001 in adas
    assert W1003 in bens
    assert W1001 not in bens


async def test_what_no_article_is_about_is_said_to_be_so() -> None:
    assert "no article" in await say(conversation(), "do you sell zeppelins?")


@pytest.mark.parametrize(
    ("text", "saying"),
    [("hello!", "small_talk"), ("what will the weather be?", "out_of_scope"), ("asdf qwer", "unclear")],
)
async def test_what_is_no_request_is_answered_kindly(text: str, saying: str) -> None:
    assert await say(conversation(), text) == SAYINGS[saying]


@pytest.mark.parametrize("who", [None, staff(BILLING[0])])
async def test_only_customers_and_channels_are_talked_to(who: Caller | None) -> None:
    assert await say(conversation(), f"where is {W1001}?", who) == RULES["CUSTOMER-IDENTIFIED"]


async def test_a_channel_that_names_nobody_hears_nothing_personal() -> None:
    thread = conversation()

    assert (await say(thread, f"where is {W1001}?", STOREFRONT)).startswith(RULES["CUSTOMER-IDENTIFIED"])
    assert (await say(thread, f"cancel {W1002}, no longer needed", STOREFRONT)).startswith(RULES["CUSTOMER-IDENTIFIED"])
    assert (await say(thread, "how do returns work?", STOREFRONT)).startswith(CAST.returns)


async def test_where_an_address_alone_will_do_it_says_who_the_customer_is_from_then_on(shop: Services) -> None:
    claims_reach(shop, "full")
    thread = conversation()

    await say(thread, "I am Ada.Park@example.com", STOREFRONT)

    assert (await thread.values())["customer_id"] == "ada_park"
    assert "delivered" in await say(thread, f"where is {W1001}?", STOREFRONT)
    assert RULES["ORDER-EXISTS"] in await say(thread, f"where is {W1003}?", STOREFRONT)


@pytest.mark.parametrize("claim", ["nobody@example.com", "ada.park@example.org", "my id is ada_park", "ada park"])
async def test_a_claim_that_is_no_known_address_identifies_nobody(shop: Services, claim: str) -> None:
    claims_reach(shop, "full")
    told = await say(conversation(), f"{claim}: where is {W1001}?", STOREFRONT)
    assert told.startswith(RULES["CUSTOMER-IDENTIFIED"])


async def test_another_address_in_the_same_conversation_changes_nothing(shop: Services) -> None:
    claims_reach(shop, "full")
    thread = conversation()
    await say(thread, "I am ada.park@example.com", STOREFRONT)

    await say(thread, "I am ben.ortiz@example.com", STOREFRONT)

    assert (await thread.values())["customer_id"] == "ada_park"


async def test_a_customer_who_writes_anothers_address_stays_who_they_are() -> None:
    thread = conversation()

    await say(thread, f"I am ben.ortiz@example.com, where is {W1003}?")

    assert (await thread.values())["customer_id"] == "ada_park"


async def test_a_channel_speaks_for_the_customer_that_it_names() -> None:
    assert "delivered" in await say(conversation(), f"where is {W1001}?", STOREFRONT, customer_id="ada_park")


async def test_a_channel_that_names_an_unknown_customer_is_told_so() -> None:
    told = await say(conversation(), f"where is {W1001}?", STOREFRONT, customer_id="nobody")

    assert told == RULES["ORDER-CUSTOMER"]


async def test_a_conversation_is_about_one_customer_and_tells_another_nothing_of_what_was_planned() -> None:
    thread = conversation()
    await say(thread, f"cancel {W1002}, no longer needed", STOREFRONT, customer_id="ada_park")

    told = await say(thread, "hello", STOREFRONT, customer_id="ben_ortiz")

    assert told == RULES["CUSTOMER-ONE"]
    assert (await thread.values())["customer_id"] == "ada_park"


@pytest.mark.parametrize(
    ("message", "rule"),
    [
        (HumanMessage(""), "MESSAGE-EMPTY"),
        (HumanMessage("x" * (MESSAGE_LIMIT + 1)), "MESSAGE-LONG"),
        (HumanMessage([{"type": "image_url", "image_url": {"url": "x"}}]), "MESSAGE-FORM"),
        (AIMessage("Shall I?"), "MESSAGE-FORM"),
    ],
)
async def test_a_message_that_is_not_read_is_said_to_be_so(message: Any, rule: str) -> None:
    ended = await conversation().run({"messages": [message]}, ADA)

    assert ended["messages"][-1].content == RULES[rule]


async def test_a_topic_that_fails_is_said_and_the_others_are_answered(monkeypatch: pytest.MonkeyPatch) -> None:
    async def fail_on_returns(shop: Services, task: Any) -> Any:
        if task["topic"]["capability"] == "shop_question":
            raise RuntimeError("broken")
        return await look_into(shop, task)

    monkeypatch.setattr(nodes, "look_into", fail_on_returns)
    thread = conversation()

    told = await say(thread, f"where is {W1001}? How do returns work?")

    assert "delivered" in told
    assert SAYINGS["failed"] in told
    assert (await thread.values())["error_count"] == 1


async def test_a_message_whose_only_topic_fails_is_answered_too(monkeypatch: pytest.MonkeyPatch) -> None:
    async def fail(shop: Services, task: Any) -> Any:
        raise RuntimeError("broken")

    monkeypatch.setattr(nodes, "look_into", fail)

    assert SAYINGS["failed"] in await say(conversation(), f"where is {W1001}?")


class Replaced:
    """An understander whose model can't be reached."""

    def __init__(self, act: Act, read_by: ReadBy) -> None:
        self._answer = Understanding(act=act), read_by

    async def understand(self, text: str, **_: Any) -> tuple[Understanding, ReadBy]:
        return self._answer


def read_in_its_place(shop: Services, act: Act, read_by: ReadBy) -> None:
    composition.replace(replace(shop, understander=Replaced(act, read_by)))  # type: ignore[arg-type]


async def test_a_degraded_answer_says_that_it_is_one(shop: Services) -> None:
    read_in_its_place(shop, "small_talk", "degraded")

    assert await say(conversation(), "hello") == f"{OPENLY['degraded']}\n\n{SAYINGS['small_talk']}"


async def test_what_nobody_can_read_is_a_case_for_a_person(shop: Services) -> None:
    read_in_its_place(shop, "unclear", "person")

    told = await say(conversation(), "it came, but you know how that is")

    with shop.database.reading() as session:
        [ticket] = session.scalars(select(TicketRow)).all()
    assert (ticket.customer_id, ticket.text) == (ADA.identity, "it came, but you know how that is")
    assert told.startswith(OPENLY["person"])
    assert f"case {ticket.id}" in told


async def test_what_nobody_can_read_again_and_again_is_one_case(shop: Services) -> None:
    read_in_its_place(shop, "unclear", "person")
    thread = conversation()

    told = {await say(thread, f"it came, but you know how that is {number}") for number in range(3)}

    assert len(told) == 1
    with shop.database.reading() as session:
        [ticket] = session.scalars(select(TicketRow)).all()
        added = session.scalars(select(TicketMessageRow.text).order_by(TicketMessageRow.number)).all()
    assert [ticket.text, *added] == [f"it came, but you know how that is {number}" for number in range(3)]


async def test_what_nobody_can_read_of_somebody_unknown_is_asked_again(shop: Services) -> None:
    read_in_its_place(shop, "unclear", "person")

    assert SAYINGS["unclear"] in await say(conversation(), "it came, but you know how that is", STOREFRONT)
    with shop.database.reading() as session:
        assert session.scalars(select(TicketRow)).all() == []


def sent(text: str, message_id: str) -> dict[str, Any]:
    return {"messages": [HumanMessage(text, id=message_id)]}


async def test_a_message_that_is_sent_again_is_the_same_turn_and_the_plan_still_waits(shop: Services) -> None:
    thread = conversation()
    await thread.run(sent(f"where is {W1001}?", "m-1"), ADA)
    before = await thread.run(sent(f"cancel {W1002}, no longer needed", "m-2"), ADA)

    for text, message_id in ((f"where is {W1001}?", "m-1"), (f"cancel {W1002}, no longer needed", "m-2")):
        assert await thread.run(sent(text, message_id), ADA) == before

    assert W1002 in await say(thread, "yes")
    assert (await shop.queries.get(W1002))["status"] == "cancelled"


async def test_a_message_whose_answer_was_cut_short_is_answered_when_it_is_sent_again() -> None:
    thread = conversation()
    await thread.graph.aupdate_state(  # as after a crash between `triage`, which told what is new, and the reply
        thread.config(ADA),
        {"messages": [HumanMessage(f"where is {W1001}?", id="m-1"), AIMessage("News.", id="x:1")], "answering": "m-1"},
        as_node="triage",
    )

    told = (await thread.run(sent(f"where is {W1001}?", "m-1"), ADA))["messages"][-1].content

    assert W1001 in told
