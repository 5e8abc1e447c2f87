"""Specialists with a model: what it looks up and proposes, what is left of it, and what happens when it fails."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from agent.assistant.languages import LANGUAGES
from agent.assistant.models import RequestType, Topic, Understanding
from agent.commerce.commands import ReceiveReturn, RequestExchange, RequestReturn, Swap
from agent.commerce.policy import RULES
from agent.customer_service.reply_templates import OPENLY, SHALL_I
from agent.identity import Caller
from agent.ledger.tables import OrderLineRow
from agent.services import Services
from agent.shop import SHOP
from tests.support.conversations import ADA, BEN, conversation, say
from tests.support.goods import W1001, W1002, W1003, W1004, W1009
from tests.support.model_desk import Answers, is_triage, results, specialist, with_model
from tests.support.openai_stub import Step, calls, completes, fails, hangs, understands
from tests.support.scenes import ask, entries, new_order, paid
from tests.support.scenes import replace as replace_lines

CANCEL = ("propose_cancel_order", {"order_id": W1002, "reason": "no longer needed"})


async def test_a_proposal_is_listed_and_made_after_the_customers_yes(shop: Services) -> None:
    answers = specialist("order_cancel", calls(("find_my_orders", {})), calls(CANCEL), completes(""))
    thread = conversation()
    async with with_model(shop, answers) as stub:
        told = await say(thread, "the lamp one, I've no use for it")
        assert f"Cancel order {W1002}" in told
        assert "Shall I?" in told
        asked = len(stub.requests)
        assert "cancelled" in await say(thread, "yes")
        assert len(stub.requests) == asked  # a plain yes is read by the rules
    assert (await shop.queries.get(W1002))["status"] == "cancelled"


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
        "order_status", calls(("show_order", {"order_id": W1002.lower()})), completes(f"Your order {W1002} is pending.")
    )
    async with with_model(shop, answers):
        assert await say(conversation(), "what about the other one") == f"Your order {W1002} is pending."


@pytest.mark.parametrize(
    "draft",
    [
        f"Your refund of {SHOP.money(500_00)} has been paid.",
        f"Your order {W1002} is delivered.",
        f"Your order {W1002} is not pending.",
        f"I have cancelled {W1002}.",
        "It will arrive on 2026-12-24.",
        f"{W1001} is pending.",
        "Yes, you can.",
        f"Shall I cancel {W1002} and refund {SHOP.money(147_00)}?",
        f"Ihre Bestellung {W1002} ist geliefert.",
    ],
)
async def test_a_sentence_that_facts_do_not_bear_out_does_not_leave(shop: Services, draft: str) -> None:
    answers = specialist("order_status", calls(("show_order", {"order_id": W1002})), completes(draft))
    async with with_model(shop, answers):
        told = await say(conversation(), f"what about {W1002}?")
    assert draft not in told
    assert f"{W1002} (1 × Table lamp, 2 × Linen cushion, {SHOP.money(147_00)}): pending." in told


async def test_an_article_that_a_model_found_is_told_whole_by_the_desk(shop: Services) -> None:
    answers = specialist(
        "question", calls(("search_articles", {"words": "payment methods"})), completes("Plastic works.")
    )
    async with with_model(shop, answers):
        told = await say(conversation(), "qqq plastik zzz")
    assert told.startswith("Payment methods: ")
    assert "Plastic" not in told


async def test_what_policy_denies_is_told_to_the_model_and_the_customer_and_is_no_plan(shop: Services) -> None:
    denied = ("propose_cancel_order", {"order_id": W1001, "reason": "no longer needed"})
    async with with_model(shop, specialist("order_cancel", calls(denied), completes("Done!"))) as stub:
        told = await say(conversation(), "away with the first one")
    assert "can be cancelled only while it is pending" in results(stub.requests[-1])[0]
    assert "can be cancelled only while it is pending" in told
    assert "Done" not in told
    assert "Shall I" not in told


@pytest.mark.parametrize(
    "tool",
    [
        ("propose_cancel_order", {"order_id": W1004, "reason": "no longer needed"}),  # ben's
        ("show_order", {"order_id": W1004}),
        ("propose_cancel_order", {"order_id": [W1002], "reason": 7}),
        ("propose_cancel_order", "no JSON at all"),
        ("propose_cancel_order", {"order_id": W1002, "reason": "no longer needed", "customer_id": "ben_ortiz"}),
        ("cancel_order", {"order_id": W1002}),
    ],
)
async def test_a_call_that_is_wrong_changes_and_reveals_nothing(shop: Services, tool: tuple[str, Any]) -> None:
    async with with_model(shop, specialist("order_cancel", calls(tool), completes("Which order do you mean?"))) as stub:
        told = await say(conversation(), "that one please")
    assert "Shall I" not in told
    [result] = results(stub.requests[-1])
    assert "ben" not in result.replace("customer_id", "")
    assert (await shop.queries.get(W1002))["status"] == "pending"


async def test_a_sum_that_nobody_named_is_not_proposed(shop: Services) -> None:
    refund = ("propose_refund_payment", {"order_id": W1001, "amount": 33_00})
    async with with_model(shop, specialist("billing_issue", calls(refund), completes(""))) as stub:
        assert "Shall I" not in await say(conversation(), f"a bit of money back for {W1001}")
    assert "neither the customer nor a fact says that amount" in results(stub.requests[-1])[0]


async def test_a_thousand_calls_are_eight_and_a_model_that_never_ends_is_stopped(shop: Services) -> None:
    many = calls(*[("find_my_orders", {})] * 1_000)
    async with with_model(shop, specialist("order_status", many), model_steps=4) as stub:
        told = await say(conversation(), "where are they")
    assert W1002 in told
    loops = [each for each in stub.requests if not is_triage(each)]
    assert len(loops) == 4
    assert [len(results(each)) for each in loops] == [0, 8, 16, 24]


async def test_a_turn_has_so_many_tokens(shop: Services) -> None:
    async with with_model(shop, specialist("order_status", calls(("find_my_orders", {}))), model_turn_tokens=5) as stub:
        assert W1002 in await say(conversation(), "where are they")
    assert len(stub.requests) < 6


@pytest.mark.parametrize("step", [fails(500), completes("cut", finish_reason="length"), hangs()])
async def test_the_second_model_takes_over_from_the_beginning(shop: Services, step: Step) -> None:
    first = specialist("order_cancel", calls(CANCEL), step)
    second = specialist(
        "order_cancel", calls(("propose_cancel_order", {**CANCEL[1], "order_id": W1003})), completes("")
    )
    async with with_model(shop, first, second=second, model_timeout_seconds=0.5):
        told = await say(conversation(), "the one that's still on its way")
    assert OPENLY["degraded"] not in told
    assert W1002 not in told


async def test_when_no_model_answers_the_rules_do_and_say_so_once(shop: Services) -> None:
    def answers(request: dict[str, Any]) -> Step:
        return specialist("order_status", fails(500))(request)

    async with with_model(shop, answers):
        told = await say(conversation(), f"where is {W1002}?")
    assert told.startswith(OPENLY["degraded"])
    assert f"{W1002} (1 × Table lamp, 2 × Linen cushion, {SHOP.money(147_00)}): pending." in told
    assert ADA.identity not in told


@pytest.mark.parametrize(("order_id", "who"), [(W1002, ADA), (W1004, BEN)])
async def test_the_method_that_pays_already_is_denied_and_not_asked_about(
    shop: Services, order_id: str, who: Caller
) -> None:
    present = (await shop.queries.get(order_id))["payment_method_id"]
    same = ("propose_change_payment", {"order_id": order_id, "method": present})
    async with with_model(shop, specialist("order_change", calls(same), completes(""))):
        told = await say(conversation(), "charge it elsewhere", who)
    assert told == RULES["PAYMENT-DIFFERENT"]


async def changed_and_declined(shop: Services) -> str:
    """An order of which an item was changed for one that is 20.00 dearer; the card for that declined."""
    await paid(shop, new_order(lines={"LAMP-OAK": 2}))
    await replace_lines(shop, "A-1", ("LAMP-OAK", "LAMP-BRASS"), method="ada_declines")
    assert await shop.payments.collect("A-1") == {"c1": "declined"}
    return "A-1"


async def exchanged_and_declined(shop: Services) -> str:
    """An order of which an item was exchanged for one that is 20.00 dearer, and is back; the card for that declined."""
    swaps = (Swap(old="LAMP-OAK", new="LAMP-BRASS"),)
    await ask(shop, RequestExchange, order_id=W1001, swaps=swaps, payment_method_id="ada_declines")
    await ask(shop, ReceiveReturn, key="r1", order_id=W1001)
    assert await shop.payments.collect(W1001) == {"r1": "declined"}
    return W1001


@pytest.mark.parametrize("declined", [changed_and_declined, exchanged_and_declined])
async def test_what_was_declined_of_an_order_can_be_paid_by_the_method_that_paid_the_rest(
    shop: Services, declined: Callable[[Services], Awaitable[str]]
) -> None:
    order_id = await declined(shop)
    by_card = ("propose_change_payment", {"order_id": order_id, "method": "ada_card"})
    thread = conversation()
    async with with_model(shop, specialist("order_change", calls(by_card), completes(""))):
        told = await say(thread, "take it from the first card then")
        await say(thread, "yes")
    assert (
        f"Pay what was declined of order {order_id}, {SHOP.money(20_00)}, by Card ending 0001, instead of ada_declines."
        in told
    )
    assert ("capture", 20_00) in await entries(shop, order_id)


async def lamp_on_two_lines(shop: Services) -> None:
    """W-1001 has the same lamp on two lines, which were paid at 649.00 and 69.00."""
    with shop.database.writing() as session:
        session.get_one(OrderLineRow, (W1001, 1)).sku = "LAMP-OAK"


async def test_pieces_of_an_item_on_two_lines_are_exchanged_at_what_was_paid_for_each(shop: Services) -> None:
    await lamp_on_two_lines(shop)
    swap = {"old": "LAMP-OAK", "new": "LAMP-BRASS", "quantity": 2}
    exchange = ("propose_exchange_items", {"order_id": W1001, "swaps": [swap]})
    thread = conversation()
    async with with_model(shop, specialist("order_return", calls(exchange), completes(""))):
        told = await say(thread, "both in the other finish please")
        await say(thread, "yes")
    assert f"refund {SHOP.money(540_00)} to ada_card" in told
    assert (await shop.queries.get(W1001))["status"] == "exchange requested"


async def test_what_is_returned_a_second_time_is_of_the_line_that_is_left(shop: Services) -> None:
    await lamp_on_two_lines(shop)
    await ask(shop, RequestReturn, order_id=W1001, skus=("LAMP-OAK",), payment_method_id="ada_card")
    await ask(shop, ReceiveReturn, key="r1", order_id=W1001)
    again = ("propose_return_items", {"order_id": W1001, "pieces": [{"sku": "LAMP-OAK"}]})
    thread = conversation()
    async with with_model(shop, specialist("order_return", calls(again), completes(""))):
        told = await say(thread, "and the other lamp too")
        await say(thread, "yes")
    assert f"refund {SHOP.money(69_00)} to ada_card" in told
    assert (await shop.queries.get(W1001))["status"] == "return requested"


CANCEL_FIRST, PAY_BY_GIFT_CARD = f"I no longer need {W1009}.", "Take A-1 from my gift card."


def two_topics(*said: str) -> Answers:
    """A model that reads these as a cancel and a change of payment, and proposes both."""
    proposals = {
        CANCEL_FIRST: ("propose_cancel_order", {"order_id": W1009, "reason": "no longer needed"}),
        PAY_BY_GIFT_CARD: ("propose_change_payment", {"order_id": "A-1", "method": "ella_gift"}),
    }
    types: dict[str, RequestType] = {CANCEL_FIRST: "order_cancel", PAY_BY_GIFT_CARD: "order_change"}

    def answers(request: dict[str, Any]) -> Step:
        if is_triage(request):
            topics = [Topic(request_type=types[text], text=text) for text in said]
            return understands(Understanding(act="request", topics=topics))
        [mine] = [text for text in said if text in request["messages"][0]["content"]]
        return completes("") if results(request) else calls(proposals[mine])

    return answers


async def test_what_one_wish_makes_possible_for_another_is_in_the_plan(shop: Services) -> None:
    """The gift card covers the one order when the other is given back to it."""
    await paid(shop, new_order(customer="ella_novak", method="ella_card", lines={"LAMP-OAK": 2}))
    ella, thread = Caller("ella_novak", "customer"), conversation()
    async with with_model(shop, two_topics(CANCEL_FIRST, PAY_BY_GIFT_CARD)):
        told = await say(thread, f"{CANCEL_FIRST} {PAY_BY_GIFT_CARD}", ella)
        await say(thread, "yes", ella)
    assert RULES["PAYMENT-GIFT-COVERS"] not in told
    assert (await shop.queries.get(W1009))["status"] == "cancelled"
    assert (await shop.queries.get("A-1"))["payment_method_id"] == "ella_gift"


async def test_what_no_other_wish_makes_possible_is_told_and_not_in_the_plan(shop: Services) -> None:
    """As they are said: what comes later helps nothing before it."""
    await paid(shop, new_order(customer="ella_novak", method="ella_card", lines={"LAMP-OAK": 2}))
    ella, thread = Caller("ella_novak", "customer"), conversation()
    async with with_model(shop, two_topics(PAY_BY_GIFT_CARD, CANCEL_FIRST)):
        told = await say(thread, f"{PAY_BY_GIFT_CARD} {CANCEL_FIRST}", ella)
    assert RULES["PAYMENT-GIFT-COVERS"] in told
    assert [action["name"] for action in (await thread.values())["plan"]["actions"]] == ["cancel_order"]


GERMAN = f"Bitte stornieren Sie meine Bestellung {W1002}, ich brauche sie nicht mehr"


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
        f"- Bestellung {W1002} (1 × Table lamp, 2 × Linen cushion) stornieren,"
        f" {SHOP.money(147_00)} gehen an ada_card zurück.\n\n"
        "Soll ich? Bitte antworten Sie mit ja oder nein."
    )
    thread = conversation()
    async with with_model(shop, german(lines)):
        told = await say(thread, GERMAN)
        assert told.startswith(lines)
        assert told.endswith(SHALL_I)
        assert "cancelled" in await say(thread, "Ja, bitte")


@pytest.mark.parametrize(
    "wrong", [f"Alles erledigt, {SHOP.money(500_00)} sind zurück.", "", f"{W1002}\n\n\n{SHOP.money(147_00)}"]
)
async def test_a_translation_that_says_other_numbers_is_not_sent(shop: Services, wrong: str) -> None:
    async with with_model(shop, german(wrong)):
        told = await say(conversation(), GERMAN)
    assert told.startswith(LANGUAGES["de"].answer)
    assert "500.00" not in told
    assert told.endswith(SHALL_I)
