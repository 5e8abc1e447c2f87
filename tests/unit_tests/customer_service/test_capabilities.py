"""What a customer gets done by talking, without a model: in plain words, and by being asked for what is missing."""

import re
from typing import Any

import pytest
from langchain_core.messages import HumanMessage
from sqlalchemy import select, update

from agent.approvals.models import decision_payload
from agent.assistant.models import MESSAGE_LIMIT
from agent.capabilities import CAPABILITIES
from agent.commerce.commands import Denial
from agent.commerce.policy import RULES
from agent.commerce.queries import customer_by_email
from agent.commerce.ticket_commands import CloseTicket, TakeTicket
from agent.identity import Caller
from agent.ledger.tables import CustomerRow, ProductRow, ReturnRow, TicketMessageRow, TicketRow, VariantRow
from agent.services import Services
from agent.shop import SHOP
from tests.support import steps
from tests.support.cast import CAST
from tests.support.chains import GENERAL, SECURITY
from tests.support.clock import Clock
from tests.support.conversations import (
    ADA,
    BEN,
    LITTLE,
    MUCH,
    STOREFRONT,
    answer,
    conversation,
    refunds,
    say,
    waiting_refund,
)
from tests.support.goods import NOBODYS, W1001, W1002, W1003, W1013, order_number
from tests.support.scenes import new_order, paid, placed
from tests.support.threads import staff

pytestmark = pytest.mark.usefixtures("shop")

APPROVE = decision_payload("approve", name="")
HUGO = Caller("hugo_lindqvist", "customer")


async def talk(*said: str, who: Caller = ADA) -> str:
    """Say all of it in one conversation; what the desk says at last."""
    thread, told = conversation(), ""
    for words in said:
        told = await say(thread, words, who)
    return told


async def test_an_order_goes_to_another_address(shop: Services) -> None:
    asked = await talk(f"please change the shipping address of {W1002}")
    assert asked.startswith(f"Where shall {W1002} go?")
    listed = await talk(f"please change the shipping address of {W1002}", "5 Hill Road, Salem, OR 97301")
    assert f"- Send order {W1002} to 5 Hill Road, Salem, OR 97301, US." in listed

    thread = conversation("chat-2")
    await say(thread, f"change the delivery address of {W1002} to 5 Hill Road, Salem, OR 97301")
    assert await say(thread, "yes") == f"Order {W1002} goes to 5 Hill Road, Salem, OR 97301, US."
    assert (await shop.queries.get(W1002))["ship_to"]["city"] == "Salem"


async def test_an_order_that_has_left_is_sent_nowhere_else() -> None:
    assert "ADDRESS-STATUS" not in (told := await talk(f"change the address of order {W1001}"))
    assert "only while it is pending" in told


async def test_the_carrier_is_asked_where_a_parcel_is_and_need_not_answer(shop: Services) -> None:
    order_id = order_number(2001)
    await paid(shop, new_order(order_id))
    for parcel_id in await steps.plan(shop, order_id):
        await shop.fulfilment.book(parcel_id)
    network = shop.providers.clients[0]
    arrived = (
        await network.post("/shipments/deliver", json={}, headers={"Idempotency-Key": f"{order_id}/west"})
    ).json()
    known = {parcel["tracking_id"] for parcel in (await shop.queries.get(order_id))["parcels"]}

    shop.breakers["carrier"].force_open()
    told = await talk(f"where is {order_id}?")
    assert "The carrier" not in told
    assert all(tracking_id in told for tracking_id in known)
    shop.breakers["carrier"].reset()
    assert (await talk(f"where is {order_id}?")).endswith(
        f"The carrier says that it has delivered {arrived['tracking_id']}."
    )


async def test_an_order_is_paid_by_another_method(shop: Services) -> None:
    thread = conversation()
    asked = await say(thread, f"I want to pay {W1002} with another card")
    assert "Card ending 0003 (test card: slow)" in asked
    assert "Card ending 0001" not in asked  # which pays it now

    listed = await say(thread, "the one ending 0003")
    assert "by Card ending 0003" in listed
    await say(thread, "yes")
    assert (await shop.queries.get(W1002))["payment_method_id"] == "ada_slow"


async def test_an_item_is_changed_for_another_option(shop: Services) -> None:
    thread = conversation()
    asked = await say(thread, f"I'd like a different colour in order {W1002}")
    assert f"Which item of {W1002}" in asked
    asked = await say(thread, "the cushions")
    assert "shall take the place of" in asked
    listed = await say(thread, asked.splitlines()[1].partition(", ")[2].partition(", ")[0])
    assert "How many of the 2" in listed
    listed = await say(thread, "both of them")
    assert "Change 2 ×" in listed
    assert f"items of order {W1002} are changed" in await say(thread, "yes")
    assert (await shop.queries.get(W1002))["status"] == "pending (item modified)"


async def test_what_was_delivered_is_taken_back(shop: Services) -> None:
    thread = conversation()
    listed = await say(thread, f"I want to return the lamp of {W1001}")
    assert "- Take back 1 × Table lamp" in listed
    assert "Please send it back" in await say(thread, "yes")
    found = await shop.database.read(lambda session: session.scalars(select(ReturnRow.kind)).all())
    assert list(found) == ["return"]
    assert await refunds(shop) == []


async def test_of_several_pieces_so_many_are_taken_back_as_are_named() -> None:
    asked = await talk(f"I want to return the curtains of {W1013}", who=HUGO)
    assert "How many of the 2" in asked
    for no_number in ("three", "0", "many", "12"):
        assert "How many of the 2" in await talk(f"return the curtains of {W1013}", no_number, who=HUGO)
    assert "Take back 1 ×" in await talk(f"return the curtains of {W1013}", "one", who=HUGO)


async def test_what_was_delivered_is_exchanged(shop: Services) -> None:
    thread = conversation()
    asked = await say(thread, f"I'd like to exchange the lamp of {W1001}")
    option = asked.splitlines()[1].removeprefix("- ").split(", ")[1]
    listed = await say(thread, option)
    assert "- Exchange 1 × Table lamp" in listed
    assert "the new ones leave when they are here" in await say(thread, "yes")
    assert (await shop.queries.get(W1001))["status"] == "exchange requested"


@pytest.mark.parametrize("asked", [f"why was I charged so much for {W1001}?", f"where is my refund for {W1001}?"])
async def test_an_order_is_explained_by_what_was_charged_and_refunded_for_it(asked: str) -> None:
    told = await talk(asked)
    assert told.startswith(f"Order {W1001} costs {SHOP.money(718_00)}:\n- 1 × Writing desk at ")
    assert f"payment of {SHOP.money(718_00)}, ada_card" in told


async def test_a_default_address_is_changed(shop: Services) -> None:
    thread = conversation()
    asked = await say(thread, "I have moved")
    assert asked.startswith("What is your new address?")
    assert "- Make 5 Hill Road, Salem" in await say(thread, "5 Hill Road, Salem, OR 97301")
    await say(thread, "yes")
    found = await shop.database.read(lambda session: session.get_one(CustomerRow, "ada_park").address)
    assert found["line1"] == "5 Hill Road"


async def tickets(shop: Services) -> list[tuple[str, str | None]]:
    """Topics and customers of all tickets."""
    query = select(TicketRow.topic, TicketRow.customer_id).order_by(TicketRow.at)
    return [
        (topic, customer) for topic, customer in await shop.database.read(lambda session: session.execute(query).all())
    ]


@pytest.mark.parametrize(
    ("said", "topic"),
    [
        (("I want to talk to a person",), "person"),
        (("someone else placed an order with my account",), "security"),
        (("how can I verify my identity",), "security"),
        (("please delete my account",), "account"),
        ((CAST.fault, CAST.symptom), "technical"),
        (("the website crashes", "on the last page, it says error 7"), "technical"),
    ],
)
async def test_what_a_person_must_look_into_is_passed_on_at_once(
    shop: Services, said: tuple[str, ...], topic: str
) -> None:
    told = await talk(*said)
    assert "as case tic-" in told
    assert await tickets(shop) == [(topic, "ada_park")]


async def test_further_words_of_a_conversation_are_added_to_its_case_until_that_is_closed(shop: Services) -> None:
    thread = conversation()
    told = [await say(thread, f"please delete my account, {number}") for number in ("one", "two", "three")]

    assert await tickets(shop) == [("account", "ada_park")]
    [case] = {re.search(r"tic-\w+", each)[0] for each in told}  # type: ignore[index]
    ticket = await shop.tickets.get(case)
    assert ticket
    assert (ticket["text"], [each["text"] for each in ticket["messages"]]) == (
        "please delete my account, one",
        ["please delete my account, two", "please delete my account, three"],
    )
    assert {(each["kind"], each["author"]) for each in ticket["messages"]} == {("reply", "ada_park")}

    await say(conversation("chat-2"), "please delete my account")
    about: dict[str, Any] = {"actor": "gen-1", "subject": "ada_park", "ticket_id": case, "role": GENERAL[0]}
    await shop.commerce.run(TakeTicket(key="t1", **about))
    await shop.commerce.run(CloseTicket(key="t2", **about))
    await say(thread, "please delete my account")
    assert len(await tickets(shop)) == 3


async def test_a_fault_is_asked_about_before_a_technician_is() -> None:
    told = await talk(CAST.fault)
    assert told.startswith(f"{CAST.care}: ")
    assert told.endswith(CAST.fault_question)


async def test_who_forgot_their_password_is_told_what_to_do_and_no_person_is(shop: Services) -> None:
    assert (await talk("I forgot my password")).startswith("Password: ")
    assert await tickets(shop) == []


async def test_whom_nobody_knows_is_given_the_article_and_no_case(shop: Services) -> None:
    assert (await say(conversation(), "my account is locked", STOREFRONT)).startswith(CAST.account)
    assert await tickets(shop) == []


@pytest.mark.parametrize(
    "asked",
    [f"change the address of {W1002}", f"return an item of {W1001}", f"pay {W1002} by another card", "I have moved"],
)
async def test_who_is_asked_for_something_may_say_no_or_want_something_else(asked: str) -> None:
    thread = conversation()
    await say(thread, asked)
    assert "left everything as it is" in await say(thread, "no, never mind")
    await say(thread, asked)
    assert f"{W1001} (1 × Writing desk" in await say(thread, f"where is {W1001}?")
    assert len((await thread.values())["unfinished"]) == 1
    assert "left everything as it is" in await say(thread, "never mind")
    assert (await thread.values())["unfinished"] is None


@pytest.mark.parametrize("order_id", [W1003, NOBODYS])
@pytest.mark.parametrize(
    "wish", ["change the address of", "return the rug of", "why was I charged for", "pay by card for"]
)
async def test_anothers_order_is_not_there_for_any_of_it(order_id: str, wish: str) -> None:
    assert "can't find that order" in await talk(f"{wish} {order_id}")


@pytest.mark.parametrize(
    "address", ["somewhere", "5 Hill Road", "Hill Road, Salem, OR 97301", "5, ,", "5 Hill Road, Salem"]
)
async def test_half_an_address_is_asked_for_again(address: str) -> None:
    told = await talk(f"change the address of {W1002}", address)
    assert told.startswith(f"Where shall {W1002} go? Please write street and number")


@pytest.mark.parametrize(
    ("written", "address"),
    [
        ("5 Hill Road, Salem, OR 97301", "5 Hill Road, Salem, OR 97301, US"),
        ("5 Hill Road, Salem OR 97301", "5 Hill Road, Salem, OR 97301, US"),
        ("5 Hill Road, Flat 2, Salem, OR 97301, US", "5 Hill Road, Flat 2, Salem, OR 97301, US"),
        ("to 5 Hill Road\nSalem\nOR 97301", "5 Hill Road, Salem, OR 97301, US"),
        ("Lange Reihe 5, 20099 Hamburg, Germany", "Lange Reihe 5, Hamburg, 20099, Germany"),
        ("10 Mill Lane, London, N1 1AA, United Kingdom", "10 Mill Lane, London, N1 1AA, United Kingdom"),
    ],
)
async def test_an_address_is_read_as_people_write_it(written: str, address: str) -> None:
    assert f"Send order {W1002} to {address}." in await talk(f"change the address of {W1002}", written)


@pytest.mark.timeout(20)  # cubic would take minutes
@pytest.mark.parametrize("unit", ["1", " ", "a ", "to ", "1, ", "to 1", "A1 ", "OR 9", "\n", "a\t", "lamp ", "é"])
async def test_hostile_repetition_does_not_slow_a_question_down(unit: str) -> None:
    words = (unit * MESSAGE_LIMIT)[: MESSAGE_LIMIT - 20]
    for asked in (f"change the address of {W1002}", f"return an item of {W1001}", f"pay {W1002} by another card"):
        await talk(asked, f"x {words} 5 Hill Rd")


def test_each_capability_is_named_once_and_says_what_it_does() -> None:
    assert len({each.name for each in CAPABILITIES}) == len(CAPABILITIES)
    assert len({each.does for each in CAPABILITIES}) == len(CAPABILITIES)
    for each in CAPABILITIES:
        assert (each.command is None) == (each.done is None), each.name


async def test_the_desk_says_what_it_can_do() -> None:
    told = await say(conversation(), "what can you do for me?", STOREFRONT)
    assert told == "I can\n" + "\n".join(f"- {each.does}" for each in CAPABILITIES)


async def test_an_account_that_somebody_else_uses_is_frozen_at_once(shop: Services) -> None:
    told = await talk("somebody hacked my account")
    assert told.startswith("Your account is frozen: ")
    assert await tickets(shop) == [("security", "ada_park")]
    thread = conversation("chat-2")
    for wish in (f"change the address of {W1002} to 5 Hill Road, Salem, OR 97301", f"pay {W1002} by the gift card"):
        await say(thread, wish)
        assert await say(thread, "yes") == RULES["ACCOUNT-FROZEN"]
    assert "Shall I?" in await say(thread, f"cancel {W1002}, no longer needed")
    assert "is cancelled" in await say(thread, "yes")


async def test_what_was_approved_before_is_not_paid_from_a_frozen_account(shop: Services) -> None:
    thread = await waiting_refund(20_00)
    await talk("somebody hacked my account")
    assert RULES["ACCOUNT-FROZEN"] in await answer(thread, APPROVE, staff(GENERAL[0]))
    assert await refunds(shop) == []


async def test_three_people_free_a_frozen_account(shop: Services) -> None:
    await talk("somebody hacked my account")
    thread = conversation("chat-2")
    listed = await say(thread, "please unlock my account")
    assert "- Free your account again, which is frozen since 2026-06-01 12:00 UTC." in listed
    assert f"waits for approval by {SECURITY[0]}, step 1 of {len(SECURITY)}" in await say(thread, "yes")
    for role in SECURITY[:-1]:
        await answer(thread, APPROVE, staff(role))
        assert await shop.queries.frozen_since("ada_park")
    assert await answer(thread, APPROVE, staff(SECURITY[-1])) == "Your account is free again."
    assert await shop.queries.frozen_since("ada_park") is None


async def test_an_account_that_is_not_frozen_is_not_freed() -> None:
    assert "not frozen" in await talk("please unlock my account")


async def test_three_people_let_an_email_address_be_changed(shop: Services) -> None:
    thread = conversation()
    assert (await say(thread, "I want to change my email")).endswith("What is your new e-mail address?")
    assert "to ada@example.org." in await say(thread, "ada@example.org")
    await say(thread, "yes")
    for role in SECURITY[:-1]:
        await answer(thread, APPROVE, staff(role))
    assert await answer(thread, APPROVE, staff(SECURITY[-1])) == (
        "The e-mail address of your account is ada@example.org now."
    )
    assert await shop.database.read(lambda session: customer_by_email(session, "ada@example.org")) == "ada_park"


async def test_an_email_address_that_is_anothers_is_refused_without_saying_whose() -> None:
    thread = conversation()
    await say(thread, "change my email to ben.ortiz@example.com")
    await say(thread, "yes")
    for role in SECURITY[:-1]:
        await answer(thread, APPROVE, staff(role))
    assert await answer(thread, APPROVE, staff(SECURITY[-1])) == RULES["EMAIL-USABLE"]


async def test_a_refund_that_waits_is_withdrawn_and_nobody_can_approve_it(shop: Services) -> None:
    thread = await waiting_refund(MUCH)
    assert f"- Withdraw your request for a refund of {SHOP.money(MUCH)} of {W1001}." in await say(
        thread, "forget the refund"
    )
    assert "It is withdrawn." in await say(thread, "yes")
    assert (await thread.values())["approval"] is None
    assert await shop.approvals.head("chat-1") is None
    assert "find nothing of yours" in await say(thread, "forget the refund")


async def test_a_return_is_withdrawn(shop: Services) -> None:
    thread = conversation()
    await say(thread, f"I want to return the lamp of {W1001}")
    await say(thread, "yes")
    assert f"Withdraw the return of order {W1001}" in await say(thread, "forget the return")
    await say(thread, "yes")
    assert (await shop.queries.get(W1001))["status"] == "delivered"


async def test_nobody_withdraws_what_another_asked_for() -> None:
    await waiting_refund(MUCH)
    assert "find nothing of yours" in await say(conversation("chat-2"), "forget the refund", BEN)


async def test_the_desk_is_silent_while_a_person_has_the_conversation(shop: Services) -> None:
    thread = conversation()
    await say(thread, "I want to talk to a person")
    query = select(TicketRow.id)
    ticket = (await shop.database.read(lambda session: session.scalars(query).all()))[0]
    take = TakeTicket(key="t1", actor="gen-1", subject="ada_park", ticket_id=ticket, role=GENERAL[0])
    assert not isinstance(await shop.commerce.run(take), Denial)

    before = len((await thread.values())["messages"])
    await thread.run({"messages": [HumanMessage("are you there?")]}, ADA)
    assert len((await thread.values())["messages"]) == before + 1
    noted = await shop.database.read(lambda session: session.scalars(select(TicketMessageRow.text)).all())
    assert "are you there?" in noted

    close = CloseTicket(key="t2", actor="gen-1", subject="ada_park", ticket_id=ticket, role=GENERAL[0])
    assert not isinstance(await shop.commerce.run(close), Denial)
    assert W1001 in await say(thread, f"where is {W1001}?")


@pytest.mark.parametrize(
    "harmless",
    [
        f"can someone cancel my order {W1002}?",
        f"Can somebody else sign for my order {W1002}?",
        "someone gave me a gift card, how do I use it?",
        "Can someone tell me how to reset my password?",
        "Do I have to block my card if I pay by card twice?",
        f"someone stole my parcel of order {W1002}",
        f"my account is not hacked, just tell me where {W1001} is",
        "was my account hacked?",
    ],
)
async def test_a_harmless_sentence_freezes_nothing(shop: Services, harmless: str) -> None:
    assert "frozen:" not in await talk(harmless)
    assert await shop.queries.frozen_since("ada_park") is None


@pytest.mark.parametrize(
    "said",
    [
        "my account was hacked",
        "someone else is using my account",
        "somebody logged in to my account",
        "freeze my account",
        "I never placed this order",
    ],
)
async def test_what_can_only_mean_that_freezes_the_account(shop: Services, said: str) -> None:
    assert (await talk(said)).startswith("Your account is frozen: ")


async def test_what_was_agreed_to_at_another_price_is_not_made(shop: Services) -> None:
    thread = conversation()
    listed = await say(thread, f"change the lamp of {W1002} to oak")
    assert "Table lamp, oak, and" in listed
    with shop.database.writing() as session:
        session.execute(update(VariantRow).where(VariantRow.sku == "LAMP-OAK").values(price=999_00))
    assert await say(thread, "yes") == RULES["PRICE-CHANGED"]
    assert (await shop.queries.get(W1002))["status"] == "pending"


async def test_an_old_yes_does_not_free_an_account_that_was_frozen_anew(shop: Services, clock: Clock) -> None:
    await talk("my account was hacked")
    thread = conversation("chat-2")
    await say(thread, "please unlock my account")
    await say(thread, "yes")
    for role in SECURITY[:-1]:
        await answer(thread, APPROVE, staff(role))
    clock.advance(minutes=5)
    await say(conversation("chat-3"), "my account was hacked")
    assert "frozen anew" in await answer(thread, APPROVE, staff(SECURITY[-1]))
    assert await shop.queries.frozen_since("ada_park")


async def test_of_two_refunds_that_wait_the_one_of_the_amount_is_withdrawn(shop: Services) -> None:
    thread = await waiting_refund(10_00)
    await say(thread, f"refund 20.00 of {W1001}")
    await say(thread, "yes")
    assert "Which one do you take back?" in await say(thread, "withdraw my refund request")
    assert f"Withdraw your request for a refund of {SHOP.money(20_00)}" in await say(thread, "20.00")
    assert "It is withdrawn." in await say(thread, "yes")


@pytest.mark.parametrize(
    ("said", "email"),
    [
        ("please change my email from ada.park@example.com to ada.new@example.com", "ada.new@example.com"),
        ("change my email to andré.müller@example.com", "andré.müller@example.com"),
    ],
)
async def test_the_new_address_is_read_and_whole(said: str, email: str) -> None:
    assert f"Change the e-mail address of your account to {email}." in await talk(said)


async def test_an_address_that_is_too_long_is_asked_for_again() -> None:
    long = f"change my email to {'a' * 64}@{'b' * 63}.{'c' * 63}.{'d' * 20}"
    assert (await talk(long)).endswith("What is your new e-mail address?")


async def test_a_change_that_this_release_does_not_know_is_asked_for_again() -> None:
    thread = conversation()
    await say(thread, f"cancel {W1002}, no longer needed")
    plan = (await thread.values())["plan"]
    other = {**plan, "actions": [{**plan["actions"][0], "name": "issue_credit"}]}
    await thread.graph.aupdate_state(thread.config(None), {"plan": other}, "reply")
    assert await say(thread, "yes") == RULES["CHANGE-UNKNOWN"]
    assert "Shall I?" in await say(thread, f"cancel {W1002}, no longer needed")


async def test_an_answer_of_staff_does_not_take_a_plans_place() -> None:
    thread = await waiting_refund(LITTLE)
    await say(thread, f"cancel {W1002}, no longer needed")
    reject = decision_payload("reject", name="", note="only 10.00 is fair")
    await answer(thread, reject, staff(GENERAL[0]))
    assert f"Order {W1002} is cancelled." in await say(thread, "yes")


async def test_a_mistyped_number_keeps_nobody_from_a_person() -> None:
    assert "as case tic-" in await talk(f"I want to talk to a person about order {NOBODYS}")


async def test_a_number_that_may_be_several_orders_is_asked_about_and_the_wish_is_kept(shop: Services) -> None:
    await placed(shop, new_order(order_id="A-1002"))
    thread = conversation("chat-9")
    assert "1002 may be" in await say(thread, "cancel order 1002, I no longer need it")
    assert f"Cancel order {W1002}" in await say(thread, W1002)


@pytest.mark.parametrize("number", ["order 1002", NOBODYS])
async def test_no_number_keeps_anybody_from_a_person_or_an_account_from_being_frozen(
    shop: Services, number: str
) -> None:
    await placed(shop, new_order(order_id="A-1002"))
    assert "as case" in await talk(f"there is a phishing mail about {number}")
    assert "is frozen" in await talk(f"somebody hacked my account and placed {number}")
    assert "as case" in await talk(f"I want to talk to a person about {number}")


async def test_a_product_is_told_of_by_its_options_and_what_is_sold_out(shop: Services) -> None:
    with shop.database.writing() as session:
        session.get_one(ProductRow, "rug").name = CAST.product
    assert await talk(f"do you have the {CAST.product}?") == (
        f"{CAST.product}: moss {SHOP.money(329_00)}; sand {SHOP.money(329_00)}; indigo {SHOP.money(349_00)} (sold out)."
    )
    assert await talk(f"how much is the {CAST.product} in moss?") == f"{CAST.product}: moss {SHOP.money(329_00)}."
    assert "I can't find" not in await talk("how much are zebra mugs?")
