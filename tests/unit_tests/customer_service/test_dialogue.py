"""A conversation is more than its last message: answers, corrections, references, digressions, choices."""

import pytest
from sqlalchemy import select

from agent.assistant.languages import LANGUAGES
from agent.commerce.policy import RULES
from agent.customer_service.reply_templates import SAYINGS, SHALL_I
from agent.ledger.tables import TicketRow
from agent.services import Services
from agent.shop import SHOP
from tests.support.cast import CAST
from tests.support.chains import GENERAL
from tests.support.clock import Clock
from tests.support.conversations import ADA, BEN, LITTLE, MUCH, STOREFRONT, conversation, refunds, say, waiting_refund
from tests.support.goods import W1001, W1002, order_number
from tests.support.scenes import new_order, placed
from tests.support.threads import SERVICE, Thread, staff

pytestmark = pytest.mark.usefixtures("shop")

W7001, W7002 = order_number(7001), order_number(7002)


async def talk(*said: str) -> str:
    """Say all of it in one conversation; what the desk says at last."""
    thread, told = conversation(), ""
    for words in said:
        told = await say(thread, words)
    return told


def listed(told: str) -> list[str]:
    """The changes of the plan that is listed."""
    return [line.removeprefix("- ") for line in told.splitlines() if line.startswith("- ")] if SHALL_I in told else []


async def two_orders(shop: Services) -> None:
    """Two more orders of Ada's that can be cancelled."""
    for order_id in (W7001, W7002):
        await placed(shop, new_order(order_id=order_id))


async def test_one_answer_completes_every_wish_that_lacks_it(shop: Services) -> None:
    await two_orders(shop)
    asked = await talk(f"cancel {W7001} and {W7002}")
    assert asked.count("Why would you like to cancel") == 2
    plan = listed(await talk(f"cancel {W7001} and {W7002}", "no longer needed"))
    assert [W7001 in plan[0], W7002 in plan[1]] == [True, True]


async def test_a_wish_is_completed_over_turns() -> None:
    thread = conversation()
    assert "Which order" in await say(thread, "I want a refund")
    assert f"How much of order {W1001}" in await say(thread, W1001)
    assert listed(await say(thread, "all of it")) == [f"Refund {SHOP.money(718_00)} of order {W1001} to ada_card."]


async def test_what_is_proposed_waits_while_something_else_is_asked_for() -> None:
    thread = conversation()
    told = await say(thread, f"cancel {W1002}, no longer needed, and refund {W1001}")
    assert f"How much of order {W1001}" in told
    assert len(listed(told)) == 1
    assert len(listed(await say(thread, "20.00"))) == 2


@pytest.mark.parametrize(
    "said", ["I have been waiting 10 days already", "ordered 3 weeks ago", "there were 2 of them", "it is 5 pieces"]
)
async def test_a_number_is_money_only_if_it_says_so(said: str) -> None:
    told = await talk(f"refund {W1001}", said)
    assert "Refund" not in "".join(listed(told))
    assert listed(await talk(f"refund {W1001}", "10")) == [f"Refund {SHOP.money(10_00)} of order {W1001} to ada_card."]


async def test_each_question_of_a_message_is_answered() -> None:
    thread = conversation()
    await say(thread, f"How long does shipping take? How do returns work? Do you have the {CAST.product}?")
    assert len((await thread.values())["topics"]) == 3


@pytest.mark.parametrize(
    ("said", "put_right", "plan"),
    [
        (f"cancel {W7001}, no longer needed", f"no, I meant {W7002}", f"Cancel order {W7002}"),
        (f"cancel {W7001}, no longer needed", f"sorry, {W7002} not {W7001}", f"Cancel order {W7002}"),
        (f"cancel {W7001}, no longer needed", "no, it was ordered by mistake", "reason: ordered by mistake"),
        (f"refund 30.00 of {W1001}", "sorry, 20 not 30", f"Refund {SHOP.money(20_00)} of order {W1001}"),
        (f"refund 30.00 of {W1001}", "no, 25.00 please", f"Refund {SHOP.money(25_00)} of order {W1001}"),
    ],
)
async def test_what_is_put_right_takes_the_place_of_what_was_said(
    shop: Services, said: str, put_right: str, plan: str
) -> None:
    await two_orders(shop)
    (change,) = listed(await talk(said, put_right))
    assert plan in change


async def test_the_other_one_is_the_other_of_two_that_were_spoken_of(shop: Services) -> None:
    await two_orders(shop)
    told = await talk(f"where are {W7001} and {W7002}?", f"cancel {W7001}, no longer needed", "no, the other one")
    (change,) = listed(told)
    assert f"Cancel order {W7002}" in change


async def test_which_other_one_is_asked_when_there_are_several(shop: Services) -> None:
    await two_orders(shop)
    assert "Which order shall I cancel?" in await talk(f"cancel {W7001}, no longer needed", "no, the other one")


@pytest.mark.parametrize(
    ("before", "said", "order"),
    [
        (f"where is {W1002}?", "cancel it, no longer needed", W1002),
        (f"where is {W1002}?", "please cancel that order, ordered by mistake", W1002),
        ("where is my order?", "cancel the first one, no longer needed", W1002),
        ("hello", "cancel my last order, no longer needed", W1002),
        ("hello", "cancel the order with the cushion, no longer needed", W1002),
    ],
)
async def test_an_order_is_pointed_at(before: str, said: str, order: str) -> None:
    (change,) = listed(await talk(before, said))
    assert f"Cancel order {order}" in change


async def test_an_order_that_is_asked_for_may_be_pointed_at() -> None:
    for answer in ("my latest order", "the one with the cushions"):
        assert f"Why would you like to cancel {W1002}" in await talk("I want to cancel an order", answer)


async def test_what_points_at_several_orders_is_asked_about() -> None:
    assert "Which order" in await talk("where is my order?", "cancel it, no longer needed")
    assert "Which order" in await talk("cancel the order with the lamp, no longer needed")  # in two of them


async def test_a_digression_is_answered_and_the_open_question_asked_again() -> None:
    thread = conversation()
    question = await say(thread, f"cancel {W1002}")
    told = await say(thread, "how long does shipping take?")
    assert told.startswith("Delivery times")
    assert told.endswith(question)
    assert "reason: no longer needed" in listed(await say(thread, "no longer needed"))[0]


@pytest.mark.parametrize(
    "yes", ["yes, cancel it", f"Yes, cancel {W1002}", "yes please cancel the order", f"ok, cancel {W1002.lower()}"]
)
async def test_a_yes_that_repeats_the_plan_is_a_yes(shop: Services, yes: str) -> None:
    assert f"Order {W1002} is cancelled." in await talk(f"cancel {W1002}, no longer needed", yes)


@pytest.mark.parametrize(
    "other",
    [f"yes, cancel {W1001}", "yes, refund 50.00", "yes, but not the lamp", "yes, cancel it tomorrow", "yes or no?"],
)
async def test_a_yes_that_says_something_else_is_none(shop: Services, other: str) -> None:
    await talk(f"cancel {W1002}, no longer needed", other)
    assert (await shop.queries.get(W1002))["status"] == "pending"


async def test_a_yes_that_names_one_of_two_changes_is_none(shop: Services) -> None:
    await two_orders(shop)
    for other in (f"yes, cancel {W7001}", "yes, cancel it"):
        await talk(f"cancel {W7001}, no longer needed, and refund 5.00 of {W1001}", other)
        assert (await shop.queries.get(W7001))["status"] == "pending"


async def test_after_a_pause_the_plan_is_listed_again_before_a_yes_counts(shop: Services, clock: Clock) -> None:
    thread = conversation()
    plan = await say(thread, f"cancel {W1002}, no longer needed")
    clock.advance(hours=2)
    assert await say(thread, "yes") == plan
    assert "is cancelled" in await say(thread, "yes")


async def test_what_was_only_listed_is_forgotten_and_what_waits_is_withdrawn(shop: Services) -> None:
    assert await talk(f"refund 60.00 of {W1001}", "forget the refund") == SAYINGS["no"]
    thread = await waiting_refund(MUCH, conversation("chat-2"))
    assert "Withdraw your request" in listed(await say(thread, "forget the refund"))[0]


async def test_what_may_be_two_things_is_asked_and_the_next_answer_picks_one() -> None:
    unsure = f"I want my {CAST.product.split()[-1]} replaced or my money"
    asked = await talk(unsure)
    assert asked.startswith("Do you want ")
    first, second = sorted(("replaced", "refund"), key=asked.index)
    outcome = {"replaced": "Which order shall I replace an item of?", "refund": "Which order is the refund for?"}
    assert outcome[first] in await talk(unsure, "the first")
    assert outcome[second] in await talk(unsure, "the second one")
    assert outcome["refund"] in await talk(unsure, "a refund please")
    assert outcome["replaced"] in await talk(unsure, "replace it")


async def test_what_is_not_understood_is_offered_a_person() -> None:
    assert await talk("asdf qwer") == SAYINGS["unclear"]
    assert "person" in SAYINGS["unclear"]


@pytest.mark.parametrize(
    ("said", "language"),
    [
        (f"Wo ist meine Bestellung {W1001}?", "de"),
        (f"Quiero cancelar mi pedido {W1002}", "es"),
        ("Où est ma commande ?", "fr"),
        ("Vorrei annullare il mio ordine", "it"),
        ("Waar is mijn bestelling?", "nl"),
        ("Onde está a minha encomenda?", "pt"),
    ],
)
async def test_who_writes_in_another_language_is_told_so_in_it(said: str, language: str) -> None:
    assert await talk(said) == LANGUAGES[language].answer


async def asked_by_staff(shop: Services) -> tuple[Thread, str]:
    thread = await waiting_refund(LITTLE)
    view = await thread.waits_for()
    assert view is not None
    await shop.questions.ask(view["request_id"], "Which leg?", staff(GENERAL[0]), "k1")
    await thread.run({"messages": []}, SERVICE)
    return thread, view["request_id"]


async def test_an_answer_to_staffs_question_needs_no_code(shop: Services) -> None:
    thread, request_id = await asked_by_staff(shop)
    assert await say(thread, "the left front leg of the chair") == SAYINGS["passed_on"]
    assert [each["answer"] for each in await shop.questions.of(request_id)] == ["the left front leg of the chair"]


@pytest.mark.parametrize(
    "other", [f"where is {W1001}?", f"cancel {W1002}", "hello", "which one do you mean?", "ok thanks"]
)
async def test_another_request_is_no_answer_to_staffs_question(shop: Services, other: str) -> None:
    thread, request_id = await asked_by_staff(shop)
    assert await say(thread, other) != SAYINGS["passed_on"]
    assert [each["answer"] for each in await shop.questions.of(request_id)] == [None]


async def the_ticket(shop: Services) -> TicketRow:
    rows = await shop.database.read(lambda session: session.scalars(select(TicketRow)).all())
    (row,) = rows
    return row


@pytest.mark.parametrize(
    "said", ["I want to talk to a human", "HUMAN!", f"let me speak to a real person about {W1002}", "agent please"]
)
async def test_who_wants_a_person_gets_one_and_the_desk_is_silent(shop: Services, said: str) -> None:
    thread = conversation()
    await say(thread, f"cancel {W1002}")
    told = await say(thread, said)
    ticket = await the_ticket(shop)
    assert told == SAYINGS["person"].format(case=ticket.id)
    assert (ticket.topic, ticket.thread_id, ticket.customer_id) == ("person", "chat-1", "ada_park")
    assert ticket.text.startswith(f"The customer wants a person.\n\nThey wrote:\n- cancel {W1002}\n- ")
    assert f"Orders named: {W1002}" in ticket.text
    assert f"an answer to: Why would you like to cancel {W1002}" in ticket.text
    before = len((await thread.values())["messages"])
    assert (
        await say(thread, f"cancel {W1002}, no longer needed") == f"cancel {W1002}, no longer needed"
    )  # nothing is said
    assert len((await thread.values())["messages"]) == before + 1
    assert (await thread.values())["plan"] is None


@pytest.mark.parametrize(
    ("said", "why"),
    [
        (f"I will call my lawyer, cancel {W1002}, no longer needed", "lawyers"),
        (f"refund 5.00 of {W1001} or I go to court", "lawyers"),
        (f"I'm doing a chargeback for {W1001}", "lawyers"),
        (f"I know where you live, refund 5.00 of {W1001}", "threatens"),
        (f"I'm a journalist with the Herald, where is {W1001}?", "press"),
        (f"my order {W1001} is lost and I don't want to live any more", "harming themselves"),
    ],
)
async def test_what_only_a_person_should_answer_goes_to_one_and_nothing_else_is_done(
    shop: Services, said: str, why: str
) -> None:
    thread = conversation()
    told = await say(thread, said)
    ticket = await the_ticket(shop)
    assert why in ticket.text.splitlines()[0]
    assert told.endswith(SAYINGS["person"].format(case=ticket.id))
    assert ("emergency number" in told) == (why == "harming themselves")
    assert (await thread.values())["plan"] is None
    assert await refunds(shop) == []


async def test_somebody_unknown_in_distress_is_told_where_help_is(shop: Services) -> None:
    told = await say(conversation(), "I want to kill myself", STOREFRONT)
    assert "emergency number" in told
    assert SAYINGS["person_unknown"] in told


async def test_nobody_is_told_of_anothers_order_by_pointing(shop: Services) -> None:
    thread = conversation()
    assert (await say(thread, f"where is {W1002}?", BEN)).startswith(RULES["ORDER-EXISTS"])
    told = await say(thread, "cancel it, no longer needed", BEN)
    assert not listed(told)
    assert ADA.identity not in told
