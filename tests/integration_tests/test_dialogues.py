"""Whole conversations over HTTP: answers over turns, corrections, what is pointed at, digressions, and a person."""

from typing import Any

import pytest

from agent.assistant.languages import LANGUAGES
from agent.customer_service.reply_templates import SAYINGS, SHALL_I
from agent.shop import SHOP
from tests.support.books import CardNetwork, Ledger
from tests.support.cast import CAST
from tests.support.driver import Driver, Run, an_order
from tests.support.goods import W1009, order_number
from tests.support.live_server import wait_for

W7001, W7002, W7003, W7004, W7005, W7006 = (order_number(digits) for digits in range(7001, 7007))


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


def held_of(ledger: Ledger, order_id: str) -> dict[str, list[dict[str, Any]]]:
    """All that the ledger has about an order, by table."""
    return {table: [row for row in rows if order_id in row.values()] for table, rows in ledger.dump().items()}


def priced(ledger: Ledger, product: str, sku: str = "%") -> str:
    """A product, or one of it, as the desk should tell it: what the ledger says of options, prices and stock."""
    rows = ledger.rows(
        "SELECT name, value AS option, price, on_hand > reserved AS available"
        " FROM products JOIN variants ON products.id = product_id, json_each(options)"
        " WHERE product_id = ? AND sku LIKE ? ORDER BY price, sku",
        product,
        sku,
    )
    options = [f"{row['option']} {SHOP.money(row['price'])}{'' if row['available'] else ' (sold out)'}" for row in rows]
    return f"{rows[0]['name']}: {'; '.join(options)}."


def unpaid(driver: Driver, order_id: str) -> None:
    """An order whose card was declined: it stands still, and can be cancelled."""
    order = an_order(order_id, {"MUG-BLUE": 1}, customer="jonas_weber", method="jonas_declines")
    assert driver.order(order).stage == "declined"


def hears(driver: Driver, thread: str, news: str) -> None:
    """Have the reconciler wake conversations, and wait until this one was told the news and rests."""
    driver.reconcile()

    def told() -> bool:
        seen = driver.client("channel").threads.get(thread)
        said = [str(message["content"]) for message in (seen["values"] or {})["messages"]]
        return seen["status"] != "busy" and any(news in words for words in said)

    wait_for(told, 20, lambda: f"no news in {thread}: {news}")


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


def test_how_long_it_took_is_no_amount(driver: Driver, ledger: Ledger, orders: list[str]) -> None:
    before = held_of(ledger, W7001)
    asked = talk(driver, f"refund {W7001}")
    for words in ("I have been waiting 10 days already", "ordered 3 weeks ago", "yes"):
        asked = driver.ask(words, customer="jonas_weber", thread=asked.thread)
        assert listed(asked) == []
        assert asked.said.endswith(f"How much of order {W7001} should be refunded?")
    assert held_of(ledger, W7001) == before


def test_one_reason_completes_both_cancellations(driver: Driver, ledger: Ledger) -> None:
    both = (W7003, W7004)
    for order_id in both:
        unpaid(driver, order_id)
    plan = talk(driver, f"cancel {W7003} and {W7004}", "no longer needed")
    changes = [f"Cancel order {order_id} (1 × Stoneware mug), reason: no longer needed." for order_id in both]
    assert listed(plan) == changes
    assert [ledger.order(order_id)["status"] for order_id in both] == ["pending", "pending"]
    driver.ask("yes", customer="jonas_weber", thread=plan.thread)
    assert [ledger.order(order_id)["status"] for order_id in both] == ["cancelled", "cancelled"]


def test_each_question_of_a_message_is_answered(driver: Driver, ledger: Ledger) -> None:
    seen = talk(driver, "How long does shipping take? How do returns work? How much is the kettle?")
    for answer in (CAST.delivery_time, f"{CAST.returns}: ", priced(ledger, "kettle")):
        assert answer in seen.said


def test_the_catalogue_tells_options_prices_and_what_is_sold_out(driver: Driver, ledger: Ledger) -> None:
    seen = talk(driver, "do you have the wool rug?")
    assert seen.said == priced(ledger, "rug")
    seen = driver.ask("how much is it in moss?", customer="jonas_weber", thread=seen.thread)
    assert seen.said == priced(ledger, "rug", "RUG-MOSS")
    seen = driver.ask("do you have it in indigo?", customer="jonas_weber", thread=seen.thread)
    assert seen.said == priced(ledger, "rug", "RUG-INDIGO")
    assert "(sold out)" in seen.said


def test_an_answer_to_staff_reaches_them_without_its_code_and_decides_nothing(
    driver: Driver, network: CardNetwork, orders: list[str]
) -> None:
    waits = talk(driver, f"I want 3.00 back of {W7001}, it came broken", "yes")
    assert waits.waiting
    request, role = f"/ops/approvals/{waits.waiting['request_id']}", waits.waiting["roles"][0]
    assert driver.http(role, "POST", f"{request}/ask", {"text": "Which leg?"}).status_code == 200
    hears(driver, waits.thread, "“Which leg?”")

    answered = driver.ask("the left front leg of the chair", customer="jonas_weber", thread=waits.thread)
    assert answered.said == SAYINGS["passed_on"]
    assert answered.waiting == waits.waiting
    (question,) = driver.http(role, "GET", f"{request}/questions").json()
    assert question["answer"] == "the left front leg of the chair"

    driver.answer(role, answered, "reject", "it is a clock")
    assert driver.http(role, "GET", request).json()["status"] == "rejected"
    assert network.refunded(W7001) == {}


def test_thanks_for_news_are_no_yes_to_the_plan_before(driver: Driver, ledger: Ledger) -> None:
    unpaid(driver, W7005)
    plan = talk(driver, f"cancel {W7005}, no longer needed")
    driver.completed(an_order(W7006, {"MUG-BLUE": 1}, customer="jonas_weber", method="jonas_card"))
    hears(driver, plan.thread, f"A parcel of order {W7006} is on its way.")
    before = held_of(ledger, W7005)

    again = driver.ask("ok thanks", customer="jonas_weber", thread=plan.thread)
    assert listed(again) == [f"Cancel order {W7005} (1 × Stoneware mug), reason: no longer needed."]
    assert held_of(ledger, W7005) == before

    driver.ask("yes", customer="jonas_weber", thread=plan.thread)
    assert ledger.order(W7005)["status"] == "cancelled"


def test_a_refund_that_waits_for_people_is_forgotten_when_the_customer_says_so(
    driver: Driver, ledger: Ledger, network: CardNetwork, orders: list[str]
) -> None:
    waits = talk(driver, f"I want 3.00 back of {W7002}, it came broken", "yes")
    assert waits.waiting
    plan = driver.ask("forget the refund", customer="jonas_weber", thread=waits.thread)
    assert listed(plan) == [f"Withdraw your request for a refund of {SHOP.money(3_00)} of {W7002}."]
    done = driver.ask("yes", customer="jonas_weber", thread=waits.thread)
    assert done.waiting is None
    [request] = ledger.rows("SELECT status FROM approvals WHERE order_id = ?", W7002)
    assert (request["status"], network.refunded(W7002)) == ("withdrawn", {})


def test_who_was_charged_twice_is_shown_each_charge_that_there_was(driver: Driver, network: CardNetwork) -> None:
    order_id = order_number(7011)
    assert driver.order(an_order(order_id, {"MUG-BLUE": 1})).stage == "completed"

    told = driver.ask(f"I was charged twice for {order_id}", customer="ada_park").said

    [charged] = network.captured(order_id).values()
    _, charges = told.split("Paid and refunded:")
    assert charges.count(f"payment of {SHOP.money(charged)}") == charges.count("\n- ") == 1, told
