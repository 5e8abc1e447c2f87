"""What a customer gets done by talking, over HTTP and without a model: each ends in the ledger as it should."""

from typing import Any

import pytest

from tests.support.books import Ledger
from tests.support.driver import Driver

TALKS: dict[str, tuple[str, tuple[str, ...], str, Any]] = {
    "change_address": (
        "ella_novak",
        ("please change the shipping address of W-1009", "5 Hill Road, Salem, OR 97301", "yes"),
        "SELECT json_extract(ship_to, '$.city') FROM orders WHERE id = 'W-1009'",
        "Salem",
    ),
    "change_items": (
        "ella_novak",
        ("I'd like a different size of the vase in order W-1009", "the large one", "yes"),
        "SELECT group_concat(sku) FROM order_lines WHERE order_id = 'W-1009' AND sku LIKE 'VASE%'",
        "VASE-LARGE",
    ),
    "exchange_items": (
        "hugo_lindqvist",
        ("I want to exchange the clock of W-1013", "walnut", "yes"),
        "SELECT status FROM orders WHERE id = 'W-1013'",
        "exchange requested",
    ),
    "withdraw_request": (
        "hugo_lindqvist",
        ("forget the exchange", "yes"),
        "SELECT status FROM orders WHERE id = 'W-1013'",
        "delivered",
    ),
    "return_items": (
        "hugo_lindqvist",
        ("I want to return the curtains of W-1013", "one", "yes"),
        "SELECT sum(quantity) FROM return_lines JOIN returns ON returns.id = return_id"
        " WHERE order_id = 'W-1013' AND state = 'open'",
        1,
    ),
    "profile_address": (
        "iris_tanaka",
        ("I have moved", "5 Hill Road, Salem, OR 97301", "yes"),
        "SELECT json_extract(address, '$.city') FROM customers WHERE id = 'iris_tanaka'",
        "Salem",
    ),
    "technical_fault": (
        "iris_tanaka",
        ("my lamp does not turn on", "yes, it stays dark"),
        "SELECT topic FROM tickets WHERE customer_id = 'iris_tanaka'",
        "technical",
    ),
    "talk_to_person": (
        "kira_petrov",
        ("I want to talk to a person",),
        "SELECT role FROM tickets WHERE customer_id = 'kira_petrov'",
        "general_agent",
    ),
    "freeze_account": (
        "liam_byrne",
        ("somebody hacked my account",),
        "SELECT frozen_at IS NOT NULL FROM customers WHERE id = 'liam_byrne'",
        1,
    ),
}


@pytest.mark.parametrize("name", TALKS)
def test_a_customer_gets_it_done_by_talking(driver: Driver, ledger: Ledger, name: str) -> None:
    customer, said, query, expected = TALKS[name]
    told = driver.ask(said[0], customer=customer)
    for words in said[1:]:
        told = driver.ask(words, customer=customer, thread=told.thread)
    [row] = ledger.rows(query)
    assert (list(row.values()), told.waiting) == ([expected], None), told.said


def test_three_people_free_the_account_that_was_frozen(driver: Driver, ledger: Ledger) -> None:
    driver.ask("somebody hacked my account", customer="dev_shah")
    plan = driver.ask("please unlock my account", customer="dev_shah")
    waits = driver.ask("yes", customer="dev_shah", thread=plan.thread)
    for role in ("security_analyst", "security_manager", "compliance_officer"):
        waits = driver.answer(role, waits, "approve")
    assert waits.said == "Your account is free again."
    assert ledger.rows("SELECT frozen_at FROM customers WHERE id = 'dev_shah'") == [{"frozen_at": None}]
