"""Conversations over HTTP: turns, topics, plans, and people's say in them."""

from agent.commerce.policy import money
from agent.shop import SHOP
from tests.support.books import CardNetwork, Ledger
from tests.support.cast import CAST
from tests.support.chains import BILLING
from tests.support.driver import Driver
from tests.support.goods import W1001, W1004, W1005, W1006, W1010, W1011, W1013
from tests.support.live_server import wait_for


def test_a_conversation_knows_what_was_said_and_cancels_only_after_a_yes(
    driver: Driver, ledger: Ledger, network: CardNetwork
) -> None:
    asked = driver.ask(f"cancel {W1004}", customer="ben_ortiz")
    assert f"Why would you like to cancel {W1004}" in asked.said

    planned = driver.ask("I don't need it any more", customer="ben_ortiz", thread=asked.thread)
    assert f"Cancel order {W1004}" in planned.said
    assert f"refund {SHOP.money(185_00)} to ben_card" in planned.said
    assert ledger.order(W1004)["status"] == "pending"

    done = driver.ask("yes please", customer="ben_ortiz", thread=asked.thread)
    assert f"Order {W1004} is cancelled." in done.said
    assert ledger.order(W1004)["status"] == "cancelled"
    assert list(network.refunded(W1004).values()) == [185_00]

    later = driver.ask(f"where is it? I mean {W1004}", customer="ben_ortiz", thread=asked.thread)
    assert "cancelled" in later.said


def test_two_topics_in_one_message_are_both_answered(driver: Driver) -> None:
    run = driver.ask(f"where is {W1006}, and can I get 5.00 back for {W1005}?", customer="chloe_meyer")
    assert f"{W1006} (1 × Bookshelf, 1 × Glass vase, {SHOP.money(408_00)}): processed." in run.said
    assert f"- Refund {SHOP.money(5_00)} of order {W1005} to chloe_card." in run.said


def test_a_message_while_an_approval_waits_is_answered_and_the_approved_refund_is_paid_once(
    driver: Driver, network: CardNetwork
) -> None:
    plan = driver.ask(f"My order {W1001} arrived broken, I want 80.00 back")
    waits = driver.ask("yes", thread=plan.thread)
    assert waits.waiting
    assert waits.waiting["roles"] == [BILLING[0]]
    assert [told["progress"] for told in waits.progress] == ["reviewed"]

    still = driver.ask("how long does shipping take?", thread=plan.thread)
    assert CAST.delivery_time in still.said
    assert still.waiting
    assert still.waiting["request_id"] == waits.waiting["request_id"]

    second = driver.answer(BILLING[0], still, "approve")
    assert second.waiting
    assert (second.waiting["request_id"], second.waiting["roles"]) == (waits.waiting["request_id"], [BILLING[1]])
    assert network.refunded(W1001) == {}

    done = driver.answer(BILLING[1], second, "approve")
    assert done.waiting is None
    assert [told["progress"] for told in done.progress] == ["executing"]
    assert f"{SHOP.money(80_00)} of order {W1001} will be refunded." in done.said
    assert list(network.refunded(W1001).values()) == [80_00]


def test_the_customer_hears_why_the_second_role_refused_a_refund(driver: Driver, network: CardNetwork) -> None:
    plan = driver.ask(f"I want 60.00 back for {W1013}, it arrived broken", customer="hugo_lindqvist")
    waits = driver.ask("yes", customer="hugo_lindqvist", thread=plan.thread)
    second = driver.answer(BILLING[0], waits, "approve")
    refused = driver.answer(BILLING[1], second, "reject", "the photo shows no damage")
    assert refused.waiting is None
    assert refused.said.endswith("The reason given: the photo shows no damage")
    assert network.refunded(W1013) == {}


def test_a_notification_comes_to_a_conversation_by_itself_and_the_approval_that_waits_there_waits_on(
    driver: Driver, network: CardNetwork
) -> None:
    plan = driver.ask(f"I want 60.00 back for {W1010}, it arrived broken", customer="finn_walsh")
    waits = driver.ask("yes", customer="finn_walsh", thread=plan.thread)
    driver.ask(f"cancel {W1011}, no longer needed", customer="finn_walsh", thread=plan.thread)
    driver.ask("yes", customer="finn_walsh", thread=plan.thread)
    (paid_back,) = network.refunded(W1011).values()

    driver.reconcile()

    def told() -> bool:
        thread = driver.client("channel").threads.get(plan.thread)
        messages = [message["content"] for message in (thread["values"] or {})["messages"]]
        return thread["status"] == "interrupted" and messages.count(news) == 1

    news = f"{money(paid_back)} of order {W1011} has been refunded."
    wait_for(told, 20, lambda: f"no notification in {plan.thread}")
    refused = driver.answer(BILLING[0], waits, "reject", "the photo shows no damage")
    assert refused.said.endswith("The reason given: the photo shows no damage")
    assert network.refunded(W1010) == {}
