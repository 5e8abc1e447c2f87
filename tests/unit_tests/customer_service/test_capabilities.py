"""What a customer gets done by talking, without a model: in plain words, and by being asked for what is missing."""

import pytest
from sqlalchemy import select

from agent.capabilities import CAPABILITIES
from agent.identity import Caller
from agent.ledger.tables import CustomerRow, ReturnRow, TicketRow
from agent.services import Services

from .talking import ADA, STOREFRONT, conversation, refunds, say

pytestmark = pytest.mark.usefixtures("shop")

HUGO = Caller("hugo_lindqvist", "customer")


async def talk(*said: str, who: Caller = ADA) -> str:
    """Say all of it in one conversation; what the desk says at last."""
    thread, told = conversation(), ""
    for words in said:
        told = await say(thread, words, who)
    return told


async def test_an_order_goes_to_another_address(shop: Services) -> None:
    asked = await talk("please change the shipping address of W-1002")
    assert asked.startswith("Where shall W-1002 go?")
    listed = await talk("please change the shipping address of W-1002", "5 Hill Road, Salem, OR 97301")
    assert "- Send order W-1002 to 5 Hill Road, Salem, OR 97301, US." in listed

    thread = conversation("chat-2")
    await say(thread, "change the delivery address of W-1002 to 5 Hill Road, Salem, OR 97301")
    assert await say(thread, "yes") == "Order W-1002 goes to 5 Hill Road, Salem, OR 97301, US."
    assert (await shop.reads.get("W-1002"))["ship_to"]["city"] == "Salem"


async def test_an_order_that_has_left_is_sent_nowhere_else() -> None:
    assert "ADDRESS-STATUS" not in (told := await talk("change the address of order W-1001"))
    assert "only while it is pending" in told


async def test_an_order_is_paid_by_another_method(shop: Services) -> None:
    thread = conversation()
    asked = await say(thread, "I want to pay W-1002 with another card")
    assert "Card ending 0003 (test card: slow)" in asked
    assert "Card ending 0001" not in asked  # which pays it now

    listed = await say(thread, "the one ending 0003")
    assert "by Card ending 0003" in listed
    await say(thread, "yes")
    assert (await shop.reads.get("W-1002"))["payment_method_id"] == "ada_slow"


async def test_an_item_is_changed_for_another_option(shop: Services) -> None:
    thread = conversation()
    asked = await say(thread, "I'd like a different colour in order W-1002")
    assert "Which item of W-1002" in asked
    asked = await say(thread, "the cushions")
    assert "shall take the place of" in asked
    listed = await say(thread, asked.splitlines()[1].partition(", ")[2].partition(", ")[0])
    assert "How many of the 2" in listed
    listed = await say(thread, "both of them")
    assert "Change 2 ×" in listed
    assert "items of order W-1002 are changed" in await say(thread, "yes")
    assert (await shop.reads.get("W-1002"))["status"] == "pending (item modified)"


async def test_what_was_delivered_is_taken_back(shop: Services) -> None:
    thread = conversation()
    listed = await say(thread, "I want to return the lamp of W-1001")
    assert "- Take back 1 × Table lamp" in listed
    assert "Please send it back" in await say(thread, "yes")
    found = await shop.database.read(lambda session: session.scalars(select(ReturnRow.kind)).all())
    assert list(found) == ["return"]
    assert await refunds(shop) == []


async def test_of_several_pieces_so_many_are_taken_back_as_are_named() -> None:
    asked = await talk("I want to return the curtains of W-1013", who=HUGO)
    assert "How many of the 2" in asked
    for no_number in ("three", "0", "many", "12"):
        assert "How many of the 2" in await talk("return the curtains of W-1013", no_number, who=HUGO)
    assert "Take back 1 ×" in await talk("return the curtains of W-1013", "one", who=HUGO)


async def test_what_was_delivered_is_exchanged(shop: Services) -> None:
    thread = conversation()
    asked = await say(thread, "I'd like to exchange the lamp of W-1001")
    option = asked.splitlines()[1].removeprefix("- ").split(", ")[1]
    listed = await say(thread, option)
    assert "- Exchange 1 × Table lamp" in listed
    assert "the new ones leave when they are here" in await say(thread, "yes")
    assert (await shop.reads.get("W-1001"))["status"] == "exchange requested"


async def test_an_order_is_explained_by_what_was_charged_for_it() -> None:
    told = await talk("why was I charged so much for W-1001?")
    assert told.startswith("Order W-1001 costs 718.00 USD:\n- 1 × Writing desk at ")
    assert "payment of 718.00 USD, ada_card" in told


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
        (("I want to talk to a person",), "question"),
        (("someone else placed an order with my account",), "security"),
        (("my account is locked",), "security"),
        (("please delete my account",), "account"),
        (("my lamp does not turn on", "yes, it stays dark"), "technical"),
        (("the website crashes", "on the last page, it says error 7"), "technical"),
    ],
)
async def test_what_a_person_must_look_into_is_passed_on_at_once(
    shop: Services, said: tuple[str, ...], topic: str
) -> None:
    told = await talk(*said)
    assert "as case tic-" in told
    assert await tickets(shop) == [(topic, "ada_park")]


async def test_a_fault_is_asked_about_before_a_technician_is() -> None:
    told = await talk("my lamp does not turn on")
    assert told.startswith("Care, assembly and a lamp that does not turn on: ")
    assert told.endswith("Does it stay dark with another bulb and in another socket as well?")


async def test_whom_nobody_knows_is_given_the_article_and_no_case(shop: Services) -> None:
    assert (await say(conversation(), "my account is locked", STOREFRONT)).startswith("Account security")
    assert await tickets(shop) == []


@pytest.mark.parametrize(
    "asked", ["change the address of W-1002", "return an item of W-1001", "pay W-1002 by another card", "I have moved"]
)
async def test_who_is_asked_for_something_may_say_no_or_want_something_else(asked: str) -> None:
    thread = conversation()
    await say(thread, asked)
    assert "left everything as it is" in await say(thread, "no, never mind")
    await say(thread, asked)
    assert "W-1001 (1 × Writing desk" in await say(thread, "where is W-1001?")
    assert (await thread.values())["unfinished"] is None


@pytest.mark.parametrize("order_id", ["W-1003", "W-9999"])
@pytest.mark.parametrize(
    "wish", ["change the address of", "return the rug of", "why was I charged for", "pay by card for"]
)
async def test_anothers_order_is_not_there_for_any_of_it(order_id: str, wish: str) -> None:
    assert "can't find that order" in await talk(f"{wish} {order_id}")


@pytest.mark.parametrize(
    "address", ["somewhere", "5 Hill Road", "Hill Road, Salem, OR 97301", "5, ,", "5 Hill Road, Salem"]
)
async def test_half_an_address_is_asked_for_again(address: str) -> None:
    told = await talk("change the address of W-1002", address)
    assert told.startswith("Where shall W-1002 go? Please write street and number")


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
    assert f"Send order W-1002 to {address}." in await talk("change the address of W-1002", written)


def test_each_capability_is_named_once_and_says_what_it_does() -> None:
    assert len({each.name for each in CAPABILITIES}) == len(CAPABILITIES)
    assert len({each.does for each in CAPABILITIES}) == len(CAPABILITIES)
    for each in CAPABILITIES:
        assert (each.command is None) == (each.done is None), each.name


async def test_the_desk_says_what_it_can_do() -> None:
    told = await say(conversation(), "what can you do for me?", STOREFRONT)
    assert told == "I can\n" + "\n".join(f"- {each.does}" for each in CAPABILITIES)
