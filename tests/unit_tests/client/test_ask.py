"""A customer's message and the desk's answer, on the command line."""

import json
from typing import Any
from uuid import UUID

import pytest
from fastapi import Response

from agent.client.connection import ExitCode
from tests.support.desk import Desk
from tests.unit_tests.client.stub import Call, Stub, approval, broken_stream, waiting

THREAD = "t-1"
RUN = f"/threads/{THREAD}/runs/stream"


def human(text: str) -> dict[str, Any]:
    return {"type": "human", "content": text}


def ai(text: str) -> dict[str, Any]:
    return {"type": "ai", "content": text}


@pytest.fixture(autouse=True)
def conversation(stub: Stub) -> None:
    """A desk that reads, and answers in two messages."""
    stub.on("/threads", {"thread_id": THREAD})
    stub.on_run(
        THREAD,
        ("metadata", {"run_id": "r-1"}),
        ("custom", {"progress": "triage", "text": "reading your message"}),
        ("values", {"messages": [human("before"), ai("old answer"), human("hello")]}),
        ("values", {"messages": [human("before"), ai("old answer"), human("hello"), ai("Hello!"), ai("More?")]}),
    )


def test_a_first_message_begins_a_conversation_of_that_customer(desk: Desk, stub: Stub) -> None:
    desk("ask", "hello", "--customer", "C-1")
    assert stub.body_of("/threads")["metadata"] == {"customer_id": "C-1", "graph_id": "customer_service"}
    assert stub.body_of(RUN)["context"] == {"customer_id": "C-1"}


def test_a_customer_who_speaks_for_themselves_is_not_named(desk: Desk, stub: Stub) -> None:
    desk("ask", "hello")
    assert stub.body_of("/threads")["metadata"] == {"graph_id": "customer_service"}
    assert "context" not in stub.body_of(RUN)


def test_the_message_is_all_the_input_of_the_run(desk: Desk, stub: Stub) -> None:
    desk("ask", "hello", "--customer", "C-1")
    run = stub.body_of(RUN)
    assert run["assistant_id"] == "customer_service"
    [message] = run["input"]["messages"]
    assert list(run["input"]) == ["messages"]
    assert message == {"role": "user", "content": "hello", "id": str(UUID(message["id"]))}
    assert run["multitask_strategy"] == "reject"


def test_only_what_is_new_is_printed_then_the_thread_to_go_on_with(desk: Desk) -> None:
    result = desk("ask", "hello", "--customer", "C-1")
    assert (result.code, result.out.split("\n")) == (
        0,
        ["Hello!", "More?", "to go on in this conversation: --thread t-1", ""],
    )


def test_progress_goes_to_stderr(desk: Desk) -> None:
    assert desk("ask", "hello", "--customer", "C-1").err == "reading your message\n"


@pytest.mark.parametrize("kind", ["answer", "reviewed"])
def test_what_the_answer_says_is_not_shown_before_it_as_well(desk: Desk, stub: Stub, kind: str) -> None:
    stub.on_run(
        THREAD,
        ("custom", {"progress": kind, "text": "It is on its way."}),
        ("custom", {"progress": "executing", "text": "cancel order"}),
        ("values", {"messages": [human("hello"), ai("It is on its way.")]}),
    )
    result = desk("ask", "hello", "--thread", THREAD)
    assert (result.err, result.out.splitlines()[0]) == ("cancel order\n", "It is on its way.")


def test_a_given_thread_is_gone_on_with_in_the_same_name(desk: Desk, stub: Stub) -> None:
    desk("ask", "hello", "--thread", THREAD, "--customer", "C-1")
    assert [call.path for call in stub.calls] == [RUN]
    assert stub.body_of(RUN)["context"] == {"customer_id": "C-1"}


def test_a_dash_reads_the_message_from_stdin(desk: Desk, stub: Stub) -> None:
    desk("ask", "-", "--thread", THREAD, stdin="grüße\n".encode())
    assert stub.body_of(RUN)["input"]["messages"][0]["content"] == "grüße\n"


@pytest.mark.parametrize("stdin", [b"", b" \n", b"\xff\xfe"])
def test_a_message_without_text_is_not_sent(desk: Desk, stub: Stub, stdin: bytes) -> None:
    assert desk("ask", "-", "--thread", THREAD, stdin=stdin).code == ExitCode.USAGE
    assert not stub.calls


def test_a_request_sent_for_approval_is_told_with_its_role(desk: Desk, stub: Stub) -> None:
    messages = [human("refund me"), ai("Sent for approval.")]
    stub.on_run(THREAD, waiting(approval(roles=["billing_agent"]), messages=messages))
    result = desk("ask", "refund me", "--thread", THREAD)
    assert result.code == 0
    assert "waits for approval by billing_agent (request ap-1, step 1 of 2)" in result.out


def test_json_is_one_document_and_no_progress(desk: Desk) -> None:
    result = desk("ask", "hello", "--thread", THREAD, "--json")
    assert result.document == {"thread_id": THREAD, "messages": ["Hello!", "More?"], "waiting": None}
    assert result.err == ""


@pytest.mark.parametrize("terminal", ["", "1"])
def test_an_answer_cannot_steer_the_terminal(
    desk: Desk, stub: Stub, monkeypatch: pytest.MonkeyPatch, terminal: str
) -> None:
    monkeypatch.setenv("TTY_COMPATIBLE", terminal)
    stub.on_run(THREAD, ("values", {"messages": [human("x"), ai("\x1b]0;owned\x07[blink]hi[/blink]\x9b2J")]}))
    first_line = desk("ask", "x", "--thread", THREAD).out.splitlines()[0]
    assert first_line == "]0;owned[blink]hi[/blink]2J"


def test_a_failed_run_is_told_and_is_no_success(desk: Desk, stub: Stub) -> None:
    stub.on_run(THREAD, ("error", {"error": "OperationalError", "message": "the ledger is away"}))
    result = desk("ask", "hello", "--thread", THREAD)
    assert result.code == ExitCode.OTHER
    assert "OperationalError: the ledger is away" in result.err


def test_a_run_that_ends_without_state_is_no_success(desk: Desk, stub: Stub) -> None:
    stub.on_run(THREAD, ("metadata", {"run_id": "r-1"}))
    assert desk("ask", "hello", "--thread", THREAD).code == ExitCode.OTHER


def test_a_run_that_ends_without_an_answer_is_no_success(desk: Desk, stub: Stub) -> None:
    stub.on_run(THREAD, ("values", {"messages": [human("hello")]}))
    result = desk("ask", "hello", "--thread", THREAD)
    assert (result.code, result.out) == (ExitCode.OTHER, "")
    assert f"--thread {THREAD}" in result.err


def test_a_customers_own_token_that_names_a_customer_is_told_to_leave_that_out(desk: Desk, stub: Stub) -> None:
    stub.on(RUN, {"detail": "role customer may not set context: customer_id"}, status=403)
    result = desk("ask", "hello", "--customer", "C-1")
    assert (result.code, result.out) == (ExitCode.UNAUTHORISED, "")
    assert "leave out --customer" in result.err
    assert "leave out" not in desk("ask", "hello", "--thread", THREAD).err


def cut_off(stub: Stub, *after: dict[str, Any], status: str = "idle", waits: object = None) -> None:
    """The connection breaks while the desk reads; its thread then holds the message, and what came after it."""

    async def script(_: Call) -> Response:
        return broken_stream(("custom", {"progress": "triage", "text": "reading your message"}))

    async def thread(_: Call) -> Response:
        sent = stub.body_of(RUN)["input"]["messages"][0]
        messages = [ai("before"), human(sent["content"]) | {"id": sent["id"]}, *after]
        interrupts = {"task-1": [{"id": "i-1", "value": waits}]} if waits else {}
        found = {"status": status, "values": {"messages": messages}, "interrupts": interrupts}
        return Response(json.dumps(found), media_type="application/json")

    stub.scripts[RUN] = script
    stub.scripts[f"/threads/{THREAD}"] = thread


def test_an_answer_whose_connection_broke_is_read_from_the_thread(desk: Desk, stub: Stub) -> None:
    cut_off(stub, ai("Sent for approval."), status="interrupted", waits=approval())
    answered = desk("ask", "refund me", "--thread", THREAD, "--json")
    assert (answered.code, answered.document["messages"]) == (0, ["Sent for approval."])
    assert answered.document["waiting"]["request_id"] == "ap-1"


@pytest.mark.parametrize(("after", "status"), [([], "idle"), ([ai("half a")], "busy")])
def test_without_an_answer_on_the_thread_it_is_unknown_and_the_thread_is_named(
    desk: Desk, stub: Stub, after: list[dict[str, Any]], status: str
) -> None:
    cut_off(stub, *after, status=status)
    result = desk("ask", "hello")
    assert (result.code, result.out) == (ExitCode.UNKNOWN, "")
    assert f"--thread {THREAD}" in result.err
