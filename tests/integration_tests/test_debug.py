"""`desk debug` against the live server: an order and a conversation from their beginning, and a thread that is gone."""

import pytest

from agent.client.connection import ExitCode
from tests.integration_tests.test_the_command_line import Shell
from tests.support.chains import OF_LARGE
from tests.support.driver import Driver, an_order
from tests.support.goods import W1007
from tests.support.live_server import LiveServer

PERSONAL = ("Shah", "Maple Avenue", "43215", "dev.shah@example.com", "tok_approve", "a present for my aunt")


@pytest.fixture(scope="module")
def desk(server: LiveServer) -> Shell:
    """`desk`, ready to run."""
    return Shell(server)


def test_an_order_is_told_from_both_sides_to_its_end(desk: Shell, driver: Driver) -> None:
    asked = driver.order(an_order("SEEN-1", {"SOFA-WOOL": 1}, customer="dev_shah", method="dev_card"))
    assert asked.waiting
    request_id = asked.waiting["request_id"]

    waits = desk("debug", "SEEN-1", "--json").documents[0]

    assert {each["source"] for each in waits["timeline"]} == {"ledger", asked.thread[:8]}
    assert [each["who"] for each in waits["waits_for"]] == OF_LARGE[:1]
    assert any(f"the clock rejects request {request_id}" == each["what"] for each in waits["next"])
    assert any(each["command"].startswith(f"desk approvals approve {request_id}") for each in waits["commands"])
    last = waits["timeline"][-1]
    assert (last["what"], request_id in last["says"]) == ("approval", True)

    assert driver.answer(OF_LARGE[0], asked, "approve", "fine by me").stage == "completed"
    done = desk("debug", "SEEN-1", "--last", "200")
    assert done.code == 0
    for words in (
        "reserve_line",
        "charge",
        "awaiting_approval → approved",
        "its trail holds",
        "fine by me",
        "captured",
    ):
        assert words in done.out, f"{words}: {done.out}"
    assert not [each for each in PERSONAL if each in done.out]


def test_a_conversation_is_told_without_a_word_of_the_customers(desk: Shell, driver: Driver) -> None:
    said = driver.ask(f"I want 20.00 back for {W1007}, it was a present for my aunt", customer="dev_shah")
    told = desk("debug", said.thread)
    assert told.code == 0, told.err
    assert "planned refund_payment" in told.out
    assert "1 message of the customer" in told.out
    assert not [each for each in PERSONAL if each in told.out]


def test_what_is_unknown_or_gone_is_one_line_and_an_exit_code(desk: Shell, driver: Driver) -> None:
    unknown = desk("debug", "SEEN-NEVER")
    assert (unknown.code, unknown.out) == (ExitCode.NOT_FOUND, "")
    ended = driver.order(an_order("SEEN-2", {"MUG-BLUE": 1}))
    driver.client("service").threads.delete(ended.thread)
    gone = desk("debug", "SEEN-2")
    assert (gone.code, f"thread {ended.thread} is gone" in gone.err) == (ExitCode.NOT_FOUND, True)
    assert "placed by channel-1" in gone.out
    assert desk("debug", "SEEN-2", "--as", "customer").code == ExitCode.UNAUTHORISED
