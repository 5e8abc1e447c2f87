"""Specialists with a model: what it looks up and proposes, what is left of it, and what happens when it fails."""

from typing import Any

import pytest

from agent.assistant.languages import LANGUAGES
from agent.customer_service.reply_templates import OPENLY, SHALL_I
from agent.services import Services
from tests.support.conversations import ADA, conversation, say
from tests.support.model_desk import Answers, is_triage, results, specialist, with_model
from tests.support.openai_stub import Step, calls, completes, fails, hangs

CANCEL = ("propose_cancel_order", {"order_id": "W-1002", "reason": "no longer needed"})


async def test_a_proposal_is_listed_and_made_after_the_customers_yes(shop: Services) -> None:
    answers = specialist("order_cancel", calls(("find_my_orders", {})), calls(CANCEL), completes(""))
    thread = conversation()
    async with with_model(shop, answers) as stub:
        told = await say(thread, "the lamp one, I've no use for it")
        assert "Cancel order W-1002" in told
        assert "Shall I?" in told
        asked = len(stub.requests)
        assert "cancelled" in await say(thread, "yes")
        assert len(stub.requests) == asked  # a plain yes is read by the rules
    assert (await shop.queries.get("W-1002"))["status"] == "cancelled"


async def test_a_specialist_has_the_tools_of_its_topic_and_none_that_takes_a_customer(shop: Services) -> None:
    async with with_model(shop, specialist("order_cancel", completes("Which order is it?"))) as stub:
        await say(conversation(), "cancel it")
    [request] = [each for each in stub.requests if not is_triage(each)]
    tools = {each["function"]["name"]: each["function"]["parameters"] for each in request["tools"]}
    assert {name for name in tools if name.startswith("propose_")} == {"propose_cancel_order", "propose_talk_to_person"}
    assert {"find_my_orders", "show_order", "find_products", "search_articles", "explain_charges"} <= set(tools)
    assert not [name for name, form in tools.items() if any("customer" in each for each in form["properties"])]


async def test_a_sentence_that_facts_bear_out_leaves_and_is_streamed(shop: Services) -> None:
    answers = specialist(
        "order_status", calls(("show_order", {"order_id": "w 1002"})), completes("Your order W-1002 is pending.")
    )
    async with with_model(shop, answers):
        assert await say(conversation(), "what about the other one") == "Your order W-1002 is pending."


@pytest.mark.parametrize(
    "draft",
    [
        "Your refund of 500.00 USD has been paid.",
        "Your order W-1002 is delivered.",
        "Your order W-1002 is not pending.",
        "I have cancelled W-1002.",
        "It will arrive on 2026-12-24.",
        "W-1001 is pending.",
        "Yes, you can.",
        "Shall I cancel W-1002 and refund 147.00 USD?",
        "Ihre Bestellung W-1002 ist geliefert.",
    ],
)
async def test_a_sentence_that_facts_do_not_bear_out_does_not_leave(shop: Services, draft: str) -> None:
    answers = specialist("order_status", calls(("show_order", {"order_id": "W-1002"})), completes(draft))
    async with with_model(shop, answers):
        told = await say(conversation(), "what about W-1002?")
    assert draft not in told
    assert "W-1002 (1 × Table lamp, 2 × Linen cushion, 147.00 USD): pending." in told


async def test_an_article_that_a_model_found_is_told_whole_by_the_desk(shop: Services) -> None:
    answers = specialist(
        "question", calls(("search_articles", {"words": "payment methods"})), completes("Plastic works.")
    )
    async with with_model(shop, answers):
        told = await say(conversation(), "qqq plastik zzz")
    assert told.startswith("Payment methods and when you are charged: You can pay by credit or debit card")
    assert "Plastic" not in told


async def test_what_policy_denies_is_told_to_the_model_and_the_customer_and_is_no_plan(shop: Services) -> None:
    denied = ("propose_cancel_order", {"order_id": "W-1001", "reason": "no longer needed"})
    async with with_model(shop, specialist("order_cancel", calls(denied), completes("Done!"))) as stub:
        told = await say(conversation(), "away with the first one")
    assert "can be cancelled only while it is pending" in results(stub.requests[-1])[0]
    assert "can be cancelled only while it is pending" in told
    assert "Done" not in told
    assert "Shall I" not in told


@pytest.mark.parametrize(
    "tool",
    [
        ("propose_cancel_order", {"order_id": "W-1004", "reason": "no longer needed"}),  # ben's
        ("show_order", {"order_id": "W-1004"}),
        ("propose_cancel_order", {"order_id": ["W-1002"], "reason": 7}),
        ("propose_cancel_order", "no JSON at all"),
        ("propose_cancel_order", {"order_id": "W-1002", "reason": "no longer needed", "customer_id": "ben_ortiz"}),
        ("cancel_order", {"order_id": "W-1002"}),
    ],
)
async def test_a_call_that_is_wrong_changes_and_reveals_nothing(shop: Services, tool: tuple[str, Any]) -> None:
    async with with_model(shop, specialist("order_cancel", calls(tool), completes("Which order do you mean?"))) as stub:
        told = await say(conversation(), "that one please")
    assert "Shall I" not in told
    [result] = results(stub.requests[-1])
    assert "ben" not in result.replace("customer_id", "")
    assert (await shop.queries.get("W-1002"))["status"] == "pending"


async def test_a_sum_that_nobody_named_is_not_proposed(shop: Services) -> None:
    refund = ("propose_refund_payment", {"order_id": "W-1001", "amount": 33_00})
    async with with_model(shop, specialist("billing_issue", calls(refund), completes(""))) as stub:
        assert "Shall I" not in await say(conversation(), "a bit of money back for W-1001")
    assert "neither the customer nor a fact says that amount" in results(stub.requests[-1])[0]


async def test_a_thousand_calls_are_eight_and_a_model_that_never_ends_is_stopped(shop: Services) -> None:
    many = calls(*[("find_my_orders", {})] * 1_000)
    async with with_model(shop, specialist("order_status", many), model_steps=4) as stub:
        told = await say(conversation(), "where are they")
    assert "W-1002" in told
    loops = [each for each in stub.requests if not is_triage(each)]
    assert len(loops) == 4
    assert [len(results(each)) for each in loops] == [0, 8, 16, 24]


async def test_a_turn_has_so_many_tokens(shop: Services) -> None:
    async with with_model(shop, specialist("order_status", calls(("find_my_orders", {}))), model_turn_tokens=5) as stub:
        assert "W-1002" in await say(conversation(), "where are they")
    assert len(stub.requests) < 6


@pytest.mark.parametrize("step", [fails(500), completes("cut", finish_reason="length"), hangs()])
async def test_the_second_model_takes_over_from_the_beginning(shop: Services, step: Step) -> None:
    first = specialist("order_cancel", calls(CANCEL), step)
    second = specialist(
        "order_cancel", calls(("propose_cancel_order", {**CANCEL[1], "order_id": "W-1003"})), completes("")
    )
    async with with_model(shop, first, second=second, model_timeout_seconds=0.5):
        told = await say(conversation(), "the one that's still on its way")
    assert OPENLY["degraded"] not in told
    assert "W-1002" not in told


async def test_when_no_model_answers_the_rules_do_and_say_so_once(shop: Services) -> None:
    def answers(request: dict[str, Any]) -> Step:
        return specialist("order_status", fails(500))(request)

    async with with_model(shop, answers):
        told = await say(conversation(), "where is W-1002?")
    assert told.startswith(OPENLY["degraded"])
    assert "W-1002 (1 × Table lamp, 2 × Linen cushion, 147.00 USD): pending." in told
    assert ADA.identity not in told


GERMAN = "Bitte stornieren Sie meine Bestellung W-1002, ich brauche sie nicht mehr"


def german(translation: str) -> Answers:
    """A model that reads German, and translates so."""
    cancels = specialist("order_cancel", calls(CANCEL), completes(""))

    def answers(request: dict[str, Any]) -> Step:
        translates = not is_triage(request) and "tools" not in request
        return completes(translation) if translates else cancels(request)

    return answers


async def test_who_writes_in_another_language_is_answered_in_it_with_our_own_words_after_it(shop: Services) -> None:
    lines = (
        "Das würde ich tun:\n"
        "- Bestellung W-1002 (1 × Table lamp, 2 × Linen cushion) stornieren, 147.00 USD gehen an ada_card zurück.\n\n"
        "Soll ich? Bitte antworten Sie mit ja oder nein."
    )
    thread = conversation()
    async with with_model(shop, german(lines)):
        told = await say(thread, GERMAN)
        assert told.startswith(lines)
        assert told.endswith(SHALL_I)
        assert "cancelled" in await say(thread, "Ja, bitte")


@pytest.mark.parametrize("wrong", ["Alles erledigt, 500.00 USD sind zurück.", "", "W-1002\n\n\n147.00 USD"])
async def test_a_translation_that_says_other_numbers_is_not_sent(shop: Services, wrong: str) -> None:
    async with with_model(shop, german(wrong)):
        told = await say(conversation(), GERMAN)
    assert told.startswith(LANGUAGES["de"].answer)
    assert "500.00" not in told
    assert told.endswith(SHALL_I)
