"""Who somebody says they are, when nobody vouches for them: it shows how far an order is, and nothing else."""

import pytest

from agent.commerce.policy import RULES
from agent.services import Services
from tests.support.conversations import STOREFRONT, claims_reach, conversation, say
from tests.support.goods import NOBODYS, W1001, W1002
from tests.support.threads import Thread

from .test_notifications import SHIPPED, messages, shipped, wake

pytestmark = pytest.mark.usefixtures("shop")

NO_SUCH = "I find no order with that number for these details. Please check both."


async def stranger(text: str, thread: Thread | None = None) -> str:
    return await say(thread or conversation(), text, STOREFRONT)


@pytest.mark.parametrize(
    "text",
    [
        f"where is {W1001}? my mail is Ada.Park@Example.com",
        f"{W1001}, ada.park@example.com",
        f"Ada Park, 97205: where is my order {W1001}?",
        f"I am PARK, ada, postcode 97205. has {W1001} been sent?",
    ],
)
async def test_a_number_with_its_customers_details_shows_how_far_the_order_is_and_nothing_else(text: str) -> None:
    thread = conversation()
    assert await stranger(text, thread) == f"{W1001}: delivered."
    assert (await thread.values())["customer_id"] is None


async def test_the_parts_of_a_claim_may_come_one_after_the_other() -> None:
    thread = conversation()
    asked = await stranger("where is my order?", thread)
    assert "its number together with the e-mail address" in asked
    assert "number together" in await stranger(W1002, thread)
    assert await stranger("ada.park@example.com", thread) == f"{W1002}: pending."
    assert await stranger(f"and where is {W1001}?", thread) == f"{W1001}: delivered."
    assert await stranger("thanks", thread) != f"{W1001}: delivered."


@pytest.mark.parametrize(
    "text",
    [
        f"where is {W1001}? ben.ortiz@example.com",  # another customer's
        f"where is {W1001}? nobody@example.com",
        f"where is {NOBODYS}? ada.park@example.com",  # no order
        f"where is {NOBODYS}? nobody@example.com",
    ],
)
async def test_whether_an_order_or_an_address_is_known_cannot_be_told_from_the_answer(text: str) -> None:
    assert await stranger(text) == NO_SUCH


@pytest.mark.parametrize(
    "text", [f"Ada Park: where is {W1001}?", f"97205: where is {W1001}?", f"Ben Ortiz 97205 {W1001}"]
)
async def test_a_name_or_a_postcode_alone_is_no_claim(text: str) -> None:
    assert (await stranger(text)).startswith(RULES["CUSTOMER-IDENTIFIED"])


@pytest.mark.parametrize(
    "text",
    [
        f"cancel {W1002}, no longer needed. ada.park@example.com",
        f"My order {W1001} arrived broken, I want 80.00 back, ada.park@example.com",
        f"cancel {W1002} and where is {W1001}? ada.park@example.com",
    ],
)
async def test_a_claim_changes_nothing(text: str) -> None:
    thread = conversation()
    assert (await stranger(text, thread)).startswith(RULES["CUSTOMER-IDENTIFIED"])
    assert (await thread.values())["plan"] is None
    assert "not sure" in await stranger("yes", thread)


async def test_a_claim_gets_no_notifications(shop: Services) -> None:
    thread = conversation()
    await stranger(f"where is {W1001}? ada.park@example.com", thread)
    await shipped(shop)
    await stranger("hello", thread)
    await wake(thread)
    assert SHIPPED not in await messages(thread)


async def test_a_claim_answers_no_question_of_staff(shop: Services) -> None:
    told = await stranger(f"re 1234abcd the blue one, {W1001} ada.park@example.com")
    assert "passed your answer on" not in told


async def test_where_claims_are_off_they_are_nothing(shop: Services) -> None:
    claims_reach(shop, "off")
    assert await stranger(f"where is {W1001}? ada.park@example.com") == RULES["CUSTOMER-IDENTIFIED"]


async def test_what_was_claimed_in_full_is_a_claim_again_when_the_setting_says_so(shop: Services) -> None:
    claims_reach(shop, "full")
    thread = conversation()
    await stranger(f"cancel {W1002}, no longer needed. ada.park@example.com", thread)
    assert (await thread.values())["plan"]

    claims_reach(shop, "read")
    assert "not sure" in await stranger("yes", thread)
    await shipped(shop)
    await wake(thread)
    assert SHIPPED not in await messages(thread)


async def test_whom_a_channel_named_once_stays_known_in_that_conversation() -> None:
    thread = conversation()
    await say(thread, "hello", STOREFRONT, customer_id="ada_park")
    assert "Writing desk" in await stranger(f"where is {W1001}?", thread)


@pytest.mark.parametrize(
    "guesses",
    ["Ada Park " + " ".join(str(number) for number in range(97200, 97300)), "a@example.com ada.park@example.com"],
)
async def test_an_address_is_not_found_by_trying_many(guesses: str) -> None:
    assert "delivered" not in await stranger(f"where is {W1001}? {guesses}")
