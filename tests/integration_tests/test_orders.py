"""Orders over HTTP: the way through, people on it, and every way back."""

import pytest
from langgraph_sdk.errors import PermissionDeniedError

from tests.support.books import CardNetwork, Ledger, check_stock
from tests.support.chains import OF_LARGE, outsider
from tests.support.driver import Driver, an_order, together
from tests.support.live_server import wait_for


def test_progress_is_streamed_in_the_order_in_which_it_happens(driver: Driver) -> None:
    run = driver.order(an_order("ORD-STREAM", {"MUG-WHITE": 1, "STOOL-OAK": 1}))
    told = [each["progress"] for each in run.progress]
    assert told == ["validated", "charging", "paid", "shipped", "shipped", "completed"]
    assert {each["order_id"] for each in run.progress} == {"ORD-STREAM"}
    assert all(each["text"] for each in run.progress)


def test_a_large_order_is_charged_once_and_only_after_the_right_role_said_yes(
    driver: Driver, network: CardNetwork
) -> None:
    waits = driver.order(an_order("ORD-LARGE", {"DESK-WALNUT": 2}))
    assert waits.waiting
    assert waits.waiting["roles"] == [OF_LARGE[0]]

    with pytest.raises(PermissionDeniedError, match=f"APPROVAL-ROLE: this step is for {OF_LARGE[0]}"):
        driver.answer(outsider("large_order"), waits, "approve")
    assert network.captured("ORD-LARGE") == {}

    done = driver.answer(OF_LARGE[0], waits, "approve")
    assert (done.stage, done.values["payment_status"]) == ("completed", "captured")
    assert network.captured("ORD-LARGE") == {"ORD-LARGE:pay:1": 2 * 649_00}


def test_a_declined_order_is_paid_by_another_card_and_goes_on_by_itself(
    driver: Driver, ledger: Ledger, network: CardNetwork
) -> None:
    assert driver.order(an_order("ORD-OTHER-CARD", {"LAMP-OAK": 1}, method="ada_declines")).stage == "declined"

    paid = driver.http("customer", "POST", "/ops/orders/ORD-OTHER-CARD/pay", {"payment_method_id": "ada_card"})

    assert paid.json()["stage"] == "reserved"
    wait_for(lambda: ledger.order("ORD-OTHER-CARD")["stage"] == "completed", 30, lambda: "it does not go on")
    assert network.captured("ORD-OTHER-CARD") == {"ORD-OTHER-CARD:pay:2": 69_00}


def test_what_goes_wrong_is_undone_by_its_rule_and_the_stock_is_back(
    driver: Driver, ledger: Ledger, network: CardNetwork
) -> None:
    pieces = ledger.pieces()

    def rejected() -> str | None:
        waits = driver.order(an_order("ORD-NO", {"SOFA-WOOL": 1, "DESK-OAK": 1}))
        unreasoned = driver.answer(OF_LARGE[0], waits, "reject")
        assert unreasoned.waiting
        assert unreasoned.waiting["refused"] == "APPROVAL-NOTE: a rejection needs a reason in its note"
        return driver.answer(OF_LARGE[0], unreasoned, "reject", "resellers wait").rule

    rules = together(
        rejected,
        lambda: driver.order(an_order("ORD-SHORT", {"LAMP-OAK": 1, "RUG-INDIGO": 1})).rule,
        lambda: driver.order(an_order("ORD-DECLINED", {"LAMP-OAK": 1}, method="ada_declines")).rule,
        lambda: driver.order(an_order("ORD-LOST-ANSWER", {"LAMP-OAK": 1}, method="ada_lost")).rule,
    )
    assert rules == ["ORDER-REJECTED", "STOCK-SHORT", "PAYMENT-DECLINED", None]
    stages = {name: ledger.order(f"ORD-{name}")["stage"] for name in ("NO", "SHORT", "DECLINED", "LOST-ANSWER")}
    assert stages == {"NO": "cancelled", "SHORT": "cancelled", "DECLINED": "declined", "LOST-ANSWER": "completed"}
    cancelled = driver.http("channel", "POST", "/ops/orders/ORD-DECLINED/cancel", {"reason": "no longer needed"})
    assert cancelled.json()["stage"] == "cancelled"
    assert network.captured("ORD-LOST-ANSWER") == {"ORD-LOST-ANSWER:pay:1": 69_00}
    assert network.captured("ORD-NO") == {}
    check_stock(ledger, pieces)
