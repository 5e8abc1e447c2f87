"""Whole conversations over HTTP: answers over turns, corrections, what is pointed at, digressions, and a person."""

import pytest

from agent.assistant.languages import LANGUAGES
from agent.customer_service.reply_templates import SAYINGS, SHALL_I
from agent.shop import SHOP
from tests.support.books import CardNetwork, Ledger
from tests.support.cast import CAST
from tests.support.driver import Driver, Run, an_order
from tests.support.goods import W1009, order_number

W7001, W7002 = order_number(7001), order_number(7002)


def talk(driver: Driver, *said: str, customer: str = "jonas_weber") -> Run:
    """Say all of it in one conversation."""
    seen = driver.ask(said[0], customer=customer)
    for words in said[1:]:
        seen = driver.ask(words, customer=customer, thread=seen.thread)
    return seen


def listed(seen: Run) -> list[str]:
    """The changes of the plan that is listed."""
    told = seen.said
    return [line.removeprefix("- ") for line in told.splitlines() if line.startswith("- ")] if SHALL_I in told else []


@pytest.fixture(scope="module")
def orders(driver: Driver) -> list[str]:
    """Two more orders of one customer, paid."""
    ids = [W7001, W7002]
    for order_id in ids:
        order = an_order(order_id, {"CLOCK-OAK": 1}, customer="jonas_weber", method="jonas_card")
        assert driver.completed(order).stage == "completed"
    return ids


def test_one_wish_is_completed_over_turns(driver: Driver, orders: list[str]) -> None:
    asked = talk(driver, "I want a refund")
    assert "Which order" in asked.said
    asked = driver.ask(orders[0], customer="jonas_weber", thread=asked.thread)
    assert f"How much of order {W7001}" in asked.said
    waited = driver.ask("I have been waiting 10 days already", customer="jonas_weber", thread=asked.thread)
    assert listed(waited) == []
    (change,) = listed(driver.ask("all of it", customer="jonas_weber", thread=asked.thread))
    assert change.startswith("Refund ")
    assert f"of order {W7001} to jonas_card" in change


def test_a_cancellation_is_put_right_and_a_yes_that_repeats_it_is_one(driver: Driver, ledger: Ledger) -> None:
    asked = talk(driver, f"cancel {W1009}", customer="ella_novak")
    assert f"Why would you like to cancel {W1009}" in asked.said
    plan = driver.ask("no longer needed", customer="ella_novak", thread=asked.thread)
    assert listed(plan)[0].startswith(f"Cancel order {W1009}")
    put_right = driver.ask("no, it was ordered by mistake", customer="ella_novak", thread=asked.thread)
    assert "reason: ordered by mistake" in listed(put_right)[0]
    done = driver.ask(f"yes, cancel {W1009}", customer="ella_novak", thread=asked.thread)
    assert f"Order {W1009} is cancelled." in done.said
    assert ledger.order(W1009)["status"] == "cancelled"


def test_what_is_put_right_takes_the_place_of_what_was_said(driver: Driver, orders: list[str]) -> None:
    (change,) = listed(talk(driver, f"refund 3.00 of {W7001}", f"no, I meant {W7002}"))
    assert f"Refund {SHOP.money(3_00)} of order {W7002}" in change
    (change,) = listed(talk(driver, f"where are {W7001} and {W7002}?", f"refund 3.00 of {W7001}", "no, the other one"))
    assert W7002 in change
    (change,) = listed(talk(driver, f"refund 3.00 of {W7001}", "sorry, 2 not 3"))
    assert f"Refund {SHOP.amount(2_00)}" in change


def test_what_is_pointed_at_is_found(driver: Driver, orders: list[str]) -> None:
    (change,) = listed(talk(driver, f"where is {W7002}?", "refund 3.00 of it"))
    assert W7002 in change


def test_a_digression_is_answered_and_the_question_asked_again(driver: Driver, orders: list[str]) -> None:
    asked = talk(driver, f"refund {W7001}")
    told = driver.ask("how long does shipping take?", customer="jonas_weber", thread=asked.thread)
    assert CAST.delivery_time in told.said
    assert told.said.endswith(f"How much of order {W7001} should be refunded?")
    (change,) = listed(driver.ask("4.00", customer="jonas_weber", thread=asked.thread))
    assert f"Refund {SHOP.amount(4_00)}" in change


def test_what_may_be_two_things_is_asked(driver: Driver) -> None:
    asked = talk(driver, f"I want my {CAST.product.split()[-1]} replaced or my money")
    assert asked.said.startswith("Do you want ")
    picked = driver.ask("a refund please", customer="jonas_weber", thread=asked.thread)
    assert "Which order is the refund for?" in picked.said


def test_another_language_is_answered_in_it(driver: Driver) -> None:
    assert talk(driver, "Wo ist meine Bestellung?").said == LANGUAGES["de"].answer


def test_a_person_has_the_conversation_until_the_case_is_closed(
    driver: Driver, network: CardNetwork, orders: list[str]
) -> None:
    seen = talk(driver, f"refund 3.00 of {W7001}", f"I will call my lawyer, refund 3.00 of {W7001}")
    case = seen.said.partition("case ")[2].partition(".")[0]
    assert seen.said == SAYINGS["person"].format(case=case)
    ticket = driver.http("general_agent", "GET", f"/ops/tickets/{case}").json()
    assert "lawyers" in ticket["text"]
    assert f"Orders named: {W7001}" in ticket["text"]

    silent = driver.ask("yes", customer="jonas_weber", thread=seen.thread)
    assert silent.said == "yes"
    assert network.refunded(W7001) == {}

    for act, body in (("take", {}), ("answer", {"text": "We will look into it."}), ("close", {})):
        done = driver.http("general_agent", "POST", f"/ops/tickets/{case}/{act}", body)
        assert done.status_code == 200, done.text
    again = driver.ask(f"where is {W7001}?", customer="jonas_weber", thread=seen.thread)
    assert f"{W7001} (" in again.said
    said = [str(message["content"]) for message in again.values["messages"]]
    assert any("We will look into it." in words for words in said)
