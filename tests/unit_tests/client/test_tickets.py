"""Tickets on the command line: listed, read, and worked on."""

from typing import Any

import pytest

from agent.client.connection import ExitCode
from tests.support.desk import Desk, Result
from tests.unit_tests.client.stub import DUE, Stub

TICKET: dict[str, Any] = {
    "id": "tic-1",
    "topic": "billing",
    "status": "open",
    "roles": ["billing_agent", "billing_manager"],
    "escalated": True,
    "due": DUE,
    "customer_id": "ada_park",
    "order_id": None,
    "thread_id": "t-1",
    "begins": "I paid twice",
    "at": DUE,
    "taken_by": None,
    "closed_by": None,
}
SAID = {"number": 1, "kind": "reply", "author": "ada_park", "text": "still \x1b[2Jtwice", "at": DUE}
VIEW = {**TICKET, "text": "I paid twice, it seems.", "messages": [SAID]}
LIST = "/ops/tickets"
ONE = f"{LIST}/tic-1"


def tickets(desk: Desk, *arguments: str) -> Result:
    return desk("tickets", *arguments, "--as", "order_manager")


def test_the_list_tells_whose_turn_it_is(desk: Desk, stub: Stub) -> None:
    stub.on(LIST, {"tickets": [TICKET], "more": False})
    row = tickets(desk, "list").out
    cells = ["tic-1", "billing", "ada_park", "I paid twice", "open", "billing_agent, billing_manager", "in "]
    assert [cell for cell in cells if cell not in row] == []


def test_the_list_for_programs_says_that_it_goes_on(desk: Desk, stub: Stub) -> None:
    stub.on(LIST, {"tickets": [TICKET], "more": True})
    listed = tickets(desk, "list", "--limit", "1", "--offset", "2", "--json")
    assert listed.document == [TICKET]
    assert listed.error == {"more": True, "shown": 1, "next": "--offset 3"}


def test_an_empty_queue_is_said_to_be(desk: Desk, stub: Stub) -> None:
    stub.on(LIST, {"tickets": [], "more": False})
    assert "No ticket waits." in tickets(desk, "list", "--status", "open").out


def test_one_is_shown_with_what_was_said_and_nothing_steers_the_terminal(desk: Desk, stub: Stub) -> None:
    stub.on(ONE, VIEW)
    shown = tickets(desk, "show", "tic-1").out
    assert [each for each in ("I paid twice, it seems.", "from the customer", "t-1") if each not in shown] == []
    assert "\x1b" not in shown
    assert tickets(desk, "show", "tic-1", "--json").document == VIEW


def test_take_answer_and_close_send_what_was_given(desk: Desk, stub: Stub) -> None:
    for verb in ("take", "answer", "close"):
        stub.on(f"{ONE}/{verb}", VIEW)
    assert tickets(desk, "take", "tic-1").code == 0
    assert tickets(desk, "answer", "tic-1", "Only once.").code == 0
    assert tickets(desk, "close", "tic-1", "--note", "seen").code == 0
    assert stub.body_of(f"{ONE}/answer") == {"text": "Only once."}
    assert stub.body_of(f"{ONE}/close") == {"note": "seen"}


def test_the_same_words_are_one_answer(desk: Desk, stub: Stub) -> None:
    stub.on(f"{ONE}/answer", VIEW)
    for text in ("Once.", "Once.", "Twice."):
        tickets(desk, "answer", "tic-1", text)
    first, again, other = (call.idempotency_key for call in stub.calls)
    assert first == again != other


def test_a_refusal_is_said_with_its_rule(desk: Desk, stub: Stub) -> None:
    stub.on(f"{ONE}/take", {"detail": "TICKET-TAKER: Only who has taken it (ben has it)"}, status=409)
    refused = tickets(desk, "take", "tic-1")
    assert (refused.code, "ben has it" in refused.err) == (ExitCode.REFUSED, True)


def test_a_ticket_that_is_not_there_has_its_exit_code(desk: Desk, stub: Stub) -> None:
    stub.on(ONE, {"detail": "TICKET-EXISTS"}, status=404)
    assert tickets(desk, "show", "tic-1").code == ExitCode.NOT_FOUND


@pytest.mark.parametrize(
    "arguments",
    [("answer", "tic-1", " "), ("answer", "tic-1", "x" * 8001), ("close", "tic-1", "--note", "x" * 2001)],
)
def test_what_can_not_be_sent_is_not_sent(desk: Desk, stub: Stub, arguments: tuple[str, ...]) -> None:
    assert tickets(desk, *arguments).code == ExitCode.USAGE
    assert stub.calls == []
