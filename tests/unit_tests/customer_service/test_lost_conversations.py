"""Conversations whose thread or checkpoint is gone: what waits for people is asked again, from the ledger."""

from typing import Any

from agent.commerce.policy import RULES
from agent.services import Services
from agent.shop import SHOP
from tests.support.chains import BILLING
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
from tests.support.goods import W1001
from tests.support.threads import APPROVE, SERVICE, Thread, reject, staff


async def lost_and_asked_again() -> tuple[Thread, Any]:
    """Ada's conversation with a refund that waits, of which nothing but the ledger's rows is left; the thread that the
    reconciler had ask again, and the request that it shows."""
    before = await (await waiting_refund(MUCH)).waits_for()
    thread = conversation()
    await thread.run({"messages": []}, SERVICE)
    view = await thread.waits_for()
    assert view is not None
    assert view == before
    return thread, view


async def test_the_same_request_is_asked_and_the_yes_to_it_counts(shop: Services) -> None:
    thread, _ = await lost_and_asked_again()

    await thread.answer(APPROVE, staff(BILLING[0]))
    told = await answer(thread, APPROVE, staff(BILLING[1]))

    assert told.startswith(f"{SHOP.money(MUCH)} of order {W1001} will be refunded.")
    assert await refunds(shop) == [MUCH]


async def test_what_was_decided_before_is_not_asked_again(shop: Services) -> None:
    thread = await waiting_refund(MUCH)
    await thread.answer(APPROVE, staff(BILLING[0]))
    thread = conversation()
    await thread.run({"messages": []}, SERVICE)

    view = await thread.waits_for()

    assert view is not None
    assert (view["step"], view["roles"]) == (2, [BILLING[1]])


async def test_it_is_still_the_conversation_of_the_same_customer(shop: Services) -> None:
    thread, _ = await lost_and_asked_again()

    assert (await thread.values())["customer_id"] == "ada_park"
    assert await say(thread, "hello", BEN) == RULES["CUSTOMER-ONE"]


async def test_a_message_that_comes_before_the_reconciler_finds_its_customer_as_well(shop: Services) -> None:
    view = await (await waiting_refund(MUCH)).waits_for()
    thread = conversation()

    assert await say(thread, "hello", STOREFRONT, customer_id="ben_ortiz") == RULES["CUSTOMER-ONE"]
    await say(thread, f"where is {W1001}?", ADA)

    assert await thread.waits_for() == view
    assert (await thread.values())["customer_id"] == "ada_park"


async def test_what_is_asked_for_afterwards_takes_nothing_elses_place(shop: Services, clock: Clock) -> None:
    thread, view = await lost_and_asked_again()
    clock.advance(minutes=1)

    await waiting_refund(20_00, thread)

    assert await thread.waits_for() == view, "the older one is still open, and first"
    open_requests = await shop.approvals.of_order(W1001, status="open")
    assert [each["arguments"]["amount"] for each in open_requests] == [MUCH, 20_00]


async def test_what_is_offered_instead_is_offered_there(shop: Services) -> None:
    thread, _ = await lost_and_asked_again()

    told = await answer(thread, reject(f"only {SHOP.money(LITTLE)} of it"), staff(BILLING[0]))

    assert told.endswith("Shall I? Please answer yes or no.")


async def test_who_asked_is_whose_thread_it_is(shop: Services) -> None:
    thread = conversation()
    await say(thread, f"refund 60.00 of {W1001}", STOREFRONT, customer_id="ada_park")
    await say(thread, "yes", STOREFRONT, customer_id="ada_park")

    view = await thread.waits_for()

    assert view is not None
    assert (view["asked_by"], view["subject"]) == ("storefront", "ada_park")


async def test_a_conversation_without_a_request_stays_nobodys(shop: Services) -> None:
    thread = conversation()

    await thread.run({"messages": []}, SERVICE)

    assert await thread.waits_for() is None
    assert (await thread.values()).get("customer_id") is None
