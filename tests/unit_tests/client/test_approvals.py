"""Requests on the command line: seen, and answered."""

import json
from typing import Any

import pytest
from fastapi import Response
from hypothesis import given
from hypothesis import strategies as st

from agent.approvals.models import NOTE_LIMIT
from agent.client.approvals import changed
from agent.client.connection import DeskError, ExitCode
from tests.support.desk import Desk, Result
from tests.unit_tests.client.stub import (
    Call,
    Stub,
    approval,
    broken_stream,
    interrupted,
    question,
    said_to,
    stream,
    waiting,
)

RUN = "/threads/t-1/runs/stream"
QUESTIONS = "/ops/approvals/ap-1/questions"
ASK = "/ops/approvals/ap-1/ask"


@pytest.fixture(autouse=True)
def one_open_request(stub: Stub) -> None:
    """The request ap-1 waits on thread t-1; any answer to it completes the order."""
    stub.on_search(interrupted("t-1", approval()))
    stub.on_run("t-1", ("values", {"processing_stage": "completed"}))
    stub.on(QUESTIONS, [])
    stub.on_approval(approval())


def approvals(desk: Desk, *arguments: str) -> Result:
    return desk("approvals", *arguments, "--as", "order_manager")


def answer(stub: Stub) -> Any:
    """The one decision that was sent."""
    [decision] = stub.body_of(RUN)["command"]["resume"]["interrupt-of-t-1"]["decisions"]
    return decision


def test_the_list_tells_what_waits_for_whom(desk: Desk) -> None:
    row = approvals(desk, "list").out.splitlines()[-2]
    cells = ["ap-1", "ChargeOrder", "1,234.50 USD", "W-1", "1/2", "order_manager"]
    assert [cell for cell in cells if cell not in row] == []


def test_the_most_urgent_comes_first(desk: Desk, stub: Stub) -> None:
    stub.on_search(
        interrupted("t-1", approval("ap-late", due="2030-06-01T00:00:00+00:00")),
        interrupted("t-2", approval("ap-soon", due="2030-01-01T00:00:00.5+00:00")),
    )
    listed = approvals(desk, "list", "--json").document
    assert [view["request_id"] for view in listed] == ["ap-soon", "ap-late"]


def searches(stub: Stub) -> list[Any]:
    return [call.body for call in stub.calls if call.path == "/threads/search"]


def test_a_page_is_one_question_and_the_server_orders_it(desk: Desk, stub: Stub) -> None:
    stub.on_search(*(interrupted(f"t-{number}", approval(f"ap-{number}")) for number in range(60)))
    listed = approvals(desk, "list", "--json").document
    assert [view["request_id"] for view in listed] == [f"ap-{number}" for number in range(50)]
    [search] = searches(stub)
    assert (search["limit"], search["sort_by"], search["sort_order"]) == (51, "created_at", "asc")
    assert "values" not in search["select"]


def test_more_than_the_limit_is_said_to_be(desk: Desk, stub: Stub) -> None:
    stub.on_search(*(interrupted(f"t-{number}", approval(f"ap-{number}")) for number in range(3)))
    assert "--offset 2" in approvals(desk, "list", "--limit", "2").err
    assert approvals(desk, "list", "--limit", "3").err == ""


def test_the_rest_of_a_list_is_had_page_by_page_also_by_programs(desk: Desk, stub: Stub) -> None:
    stub.on_search(*(interrupted(f"t-{number}", approval(f"ap-{number}")) for number in range(5)))
    got: list[str] = []
    more = ["--offset", "0"]
    while more:
        page = approvals(desk, "list", "--limit", "2", "--json", *more)
        got += [view["request_id"] for view in page.document]
        more = json.loads(page.err)["next"].split() if page.err else []
    assert got == [f"ap-{number}" for number in range(5)]


def test_pages_of_a_role_join_what_escalated_to_it_with_its_own(desk: Desk, stub: Stub) -> None:
    late = approval("ap-late", roles=["clerk", "order_manager"])
    own = [interrupted(f"t-{n}", approval(f"ap-{n}"), awaiting="order_manager") for n in range(2)]
    stub.on_search(*own, interrupted("t-late", late, awaiting="clerk", escalated_to="order_manager"))
    assert roles(desk, "order_manager", "--limit", "2") == ["ap-late", "ap-0"]
    assert roles(desk, "order_manager", "--limit", "2", "--offset", "2") == ["ap-1"]


def test_other_interrupts_take_no_place_in_the_list(desk: Desk, stub: Stub) -> None:
    debugged = [interrupted(f"t-debug-{number}", "breakpoint") for number in range(5)]
    stub.on_search(*debugged, *(interrupted(f"t-{number}", approval(f"ap-{number}")) for number in range(5)))
    assert len(approvals(desk, "list", "--limit", "3", "--json").document) == 3


def roles(desk: Desk, role: str, *more: str) -> list[str]:
    listed = approvals(desk, "list", "--role", role, "--json", *more).document
    return [view["request_id"] for view in listed]


def test_the_list_can_be_for_one_role(desk: Desk, stub: Stub) -> None:
    both = approval("ap-1", roles=["order_manager", "duty_manager"])
    stub.on_search(
        interrupted("t-1", both, awaiting="order_manager", escalated_to="duty_manager"),
        interrupted("t-2", approval("ap-2", roles=["finance_director"]), awaiting="finance_director"),
        interrupted("t-3", approval("ap-3", roles=["finance_director"]), awaiting="duty_manager"),  # an old note
    )
    assert roles(desk, "duty_manager") == roles(desk, "order_manager") == ["ap-1"]


def test_what_was_escalated_to_a_role_comes_before_its_own(desk: Desk, stub: Stub) -> None:
    own = [interrupted(f"t-{n}", approval(f"ap-{n}"), awaiting="order_manager") for n in range(5)]
    late = approval("ap-late", roles=["clerk", "order_manager"])
    stub.on_search(*own, interrupted("t-late", late, awaiting="clerk", escalated_to="order_manager"))
    assert "ap-late" in roles(desk, "order_manager", "--limit", "2")


def test_what_was_never_noted_is_found_by_its_id_among_all_that_wait(desk: Desk, stub: Stub) -> None:
    stub.on_search(interrupted("t-0", approval("ap-0")), interrupted("t-1", approval()))
    assert approvals(desk, "approve", "ap-1").code == 0
    assert len(searches(stub)) == 2


def test_a_request_is_found_by_its_note_with_one_search(desk: Desk, stub: Stub) -> None:
    stub.on_search(interrupted("t-0", approval("ap-0")), interrupted("t-1", approval(), request_id="ap-1"))
    assert approvals(desk, "show", "ap-1").code == 0
    assert len(searches(stub)) == 1


def test_an_empty_list_says_so(desk: Desk, stub: Stub) -> None:
    stub.on_search()
    assert approvals(desk, "list").out == "Nothing waits for approval.\n"
    assert approvals(desk, "list", "--role", "ordr_manager").out == "Nothing waits for approval by ordr_manager.\n"
    assert approvals(desk, "list", "--json").document == []


def test_a_request_is_shown_whole_and_as_it_is(desk: Desk, stub: Stub) -> None:
    view = approval(note="checked stock", refused="FOUR-EYES: you asked for it")
    view["action_requests"][0]["description"] = "Charge [bold]1,234.50[/bold]\n\x1b[2Kfor W-1"
    stub.on_search(interrupted("t-1", view))
    stub.on_approval(approval())
    shown = approvals(desk, "show", "ap-1").out
    assert "Charge [bold]1,234.50[/bold]\n[2Kfor W-1" in shown
    for part in (
        "C-1",
        "order_manager, step 1 of 2",
        "checked stock",
        "FOUR-EYES",
        "approve, edit, reject",
        "large order",
    ):
        assert part in shown


def test_what_the_customer_was_asked_is_shown_with_the_request(desk: Desk, stub: Stub) -> None:
    stub.on(QUESTIONS, [question("Which leg?", "the left\x1b[2K one"), question("When?", None)])
    shown = approvals(desk, "show", "ap-1").out
    for part in ("order-manager-1 asked the customer", "Which leg?", "the left[2K one", "has not answered yet"):
        assert part in shown
    assert [each["text"] for each in approvals(desk, "show", "ap-1", "--json").document["questions"]] == [
        "Which leg?",
        "When?",
    ]


def test_a_question_is_sent_with_a_key_of_its_words(desk: Desk, stub: Stub) -> None:
    stub.on(ASK, question("Which leg?", None))
    assert "Asked" in approvals(desk, "ask", "ap-1", "Which leg?").out
    assert approvals(desk, "ask", "ap-1", "Which leg?", "--json").document["answer"] is None
    approvals(desk, "ask", "ap-1", "When?")
    sent = [(call.body["text"], call.idempotency_key) for call in stub.calls if call.path == ASK]
    assert [text for text, _ in sent] == ["Which leg?", "Which leg?", "When?"]
    assert sent[0][1] == sent[1][1] != sent[2][1]


def test_who_asks_the_same_again_reads_the_answer(desk: Desk, stub: Stub) -> None:
    stub.on(ASK, question("Which leg?", "the left one"))
    assert "the left one" in approvals(desk, "ask", "ap-1", "Which leg?").out


def test_an_empty_question_is_not_sent(desk: Desk, stub: Stub) -> None:
    assert approvals(desk, "ask", "ap-1", " ").code == ExitCode.USAGE
    assert not stub.calls


def test_a_question_that_is_refused_says_why(desk: Desk, stub: Stub) -> None:
    stub.on(ASK, {"detail": "QUESTION-OPEN: the customer has not answered yet"}, status=409)
    result = approvals(desk, "ask", "ap-1", "Which leg?")
    assert (result.code, "QUESTION-OPEN" in result.err) == (ExitCode.REFUSED, True)


def test_an_unknown_request_is_not_found(desk: Desk) -> None:
    result = approvals(desk, "approve", "ap-9")
    assert result.code == ExitCode.NOT_FOUND
    assert "desk approvals list" in result.err


def test_an_approval_answers_that_interrupt_on_its_own_graph(desk: Desk, stub: Stub) -> None:
    stub.on_search(interrupted("t-0", approval("ap-0")), interrupted("t-1", approval(), graph="customer_service"))
    approvals(desk, "approve", "ap-1", "--note", "fine")
    assert answer(stub) == {"type": "approve", "message": "fine"}
    run = stub.body_of(RUN)
    assert run["assistant_id"] == "customer_service"
    assert run["multitask_strategy"] == "reject"
    assert "input" not in run


def test_a_rejection_carries_its_reason(desk: Desk, stub: Stub) -> None:
    approvals(desk, "reject", "ap-1", "--note", "too risky")
    assert answer(stub) == {"type": "reject", "message": "too risky"}


@pytest.mark.parametrize(("note", "why"), [((), "--note"), (("--note", " "), "needs its reason")])
def test_a_rejection_without_a_reason_is_not_sent(desk: Desk, stub: Stub, note: tuple[str, ...], why: str) -> None:
    result = approvals(desk, "reject", "ap-1", *note)
    assert result.code == ExitCode.USAGE
    assert why in result.err
    assert not stub.calls


def test_a_note_past_the_limit_is_not_sent(desk: Desk, stub: Stub) -> None:
    assert approvals(desk, "approve", "ap-1", "--note", "x" * (NOTE_LIMIT + 1)).code == ExitCode.USAGE
    assert RUN not in [call.path for call in stub.calls]


def test_an_edit_sends_all_arguments_with_the_changed_ones(desk: Desk, stub: Stub) -> None:
    approvals(desk, "edit", "ap-1", "--set", "amount=5", "--set", "reason=half = enough")
    assert answer(stub) == {
        "type": "edit",
        "edited_action": {
            "name": "ChargeOrder",
            "args": {"amount": "5", "currency": "USD", "reason": "half = enough"},
        },
    }


@pytest.mark.parametrize("change", ["to=somebody", "amount"])
def test_an_edit_of_what_is_no_argument_is_not_sent(desk: Desk, stub: Stub, change: str) -> None:
    result = approvals(desk, "edit", "ap-1", "--set", change)
    assert result.code == ExitCode.USAGE
    assert "amount, currency, reason" in result.err
    assert RUN not in [call.path for call in stub.calls]


@given(st.dictionaries(st.text(), st.integers()), st.text(), st.text())
def test_an_edit_never_adds_or_drops_an_argument(args: dict[str, Any], key: str, value: str) -> None:
    before = dict(args)
    try:
        after = changed(args, [f"{key}={value}"])
    except DeskError:
        assert key.partition("=")[0] not in args
    else:
        assert after.keys() == args.keys()
    assert args == before


def test_an_answer_that_was_not_taken_says_why(desk: Desk, stub: Stub) -> None:
    stub.on_run("t-1", waiting(approval(refused="FOUR-EYES: you asked for it"), processing_stage="awaiting_approval"))
    result = approvals(desk, "approve", "ap-1")
    assert (result.code, result.out) == (ExitCode.REFUSED, "")
    assert result.err == "desk: Not taken: FOUR-EYES: you asked for it\n"


def test_a_recorded_step_names_who_is_next(desk: Desk, stub: Stub) -> None:
    stub.on_run("t-1", waiting(approval(step=2, roles=["finance_director"]), processing_stage="awaiting_approval"))
    result = approvals(desk, "approve", "ap-1")
    assert result.code == 0
    assert "Recorded; the request now waits for approval by finance_director" in result.out


def test_the_last_step_tells_what_came_of_the_order(desk: Desk) -> None:
    assert approvals(desk, "approve", "ap-1").out == "Recorded; order W-1: completed.\n"


def test_in_a_conversation_it_tells_what_the_desk_wrote_there_and_what_waits_next(desk: Desk, stub: Stub) -> None:
    messages = [{"type": "human", "content": "refund"}, {"type": "ai", "content": "Your refund is made."}]
    stub.on_run(
        "t-1", waiting(approval("ap-2", refused="an old reason"), messages=messages, processing_stage="rejected")
    )
    result = approvals(desk, "approve", "ap-1")
    assert result.code == 0
    assert result.out.splitlines() == [
        "Recorded; the desk wrote in the customer's conversation: Your refund is made.",
        "Another request waits for approval by order_manager (request ap-2, step 1 of 2).",
    ]


def test_json_tells_what_came_of_an_answer(desk: Desk) -> None:
    assert approvals(desk, "approve", "ap-1", "--json").document == {
        "request_id": "ap-1",
        "decision": "approve",
        "processing_stage": "completed",
        "message": None,
        "waiting": None,
    }


@pytest.mark.parametrize(("status", "code"), [(409, ExitCode.REFUSED), (403, ExitCode.UNAUTHORISED)])
def test_an_answer_that_the_server_refuses_was_not_taken(desk: Desk, stub: Stub, status: int, code: ExitCode) -> None:
    stub.on(RUN, {"detail": "APPROVAL-ROLE: this step is over."}, status=status)
    result = approvals(desk, "approve", "ap-1")
    assert result.code == code
    assert result.err.startswith("desk: Not taken: ")
    assert "APPROVAL-ROLE: this step is over" in result.err


YES = said_to(actor="om-1", at="2030-01-01T09:00:00+00:00")
LAST_YES = said_to(step=2, actor="fd-1", role="finance_director", at="2030-01-01T10:00:00+00:00", note="fine")
DECIDED = (
    "desk: Not taken: ap-1 is approved: approve by om-1 (order_manager) at 2030-01-01T09:00:00+00:00; "
    "approve by fd-1 (finance_director) at 2030-01-01T10:00:00+00:00, “fine”\n"
)


def test_an_answer_to_what_was_decided_before_is_not_sent_and_says_who_decided_what_when(
    desk: Desk, stub: Stub
) -> None:
    stub.on_approval(approval(status="approved"), YES, LAST_YES)
    result = approvals(desk, "reject", "ap-1", "--note", "no")
    assert (result.code, result.out, result.err) == (ExitCode.REFUSED, "", DECIDED)
    assert RUN not in [call.path for call in stub.calls]


def test_it_says_so_too_when_no_thread_shows_the_request_any_more(desk: Desk, stub: Stub) -> None:
    stub.on_search()
    stub.on_approval(approval(status="approved"), YES, LAST_YES)
    assert approvals(desk, "reject", "ap-1", "--note", "no").err == DECIDED
    told = approvals(desk, "show", "ap-1").out
    assert "approve by fd-1" in told
    assert [part for part in ("waits for", "due", "may be answered") if part in told] == []
    shown = approvals(desk, "show", "ap-1", "--json").document
    assert [each["actor"] for each in shown["decisions"]] == ["om-1", "fd-1"]


def test_an_answer_that_another_decision_overtook_counts_for_nothing_and_says_so(desk: Desk, stub: Stub) -> None:
    async def overtaken(_: Call) -> Response:
        stub.on_approval(approval(status="rejected"), said_to(decision="reject", note="too late"), taken=False)
        return stream(("values", {"processing_stage": "cancelled"}))

    stub.scripts[RUN] = overtaken
    result = approvals(desk, "approve", "ap-1", "--json")
    assert (result.code, result.out) == (ExitCode.REFUSED, "")
    assert "Not taken: ap-1 is rejected: reject by om-1" in result.error["error"]


def test_what_expired_says_so(desk: Desk, stub: Stub) -> None:
    stub.on_approval(approval(status="expired", note="nobody answered in time"))
    assert "ap-1 is expired: nobody answered in time" in approvals(desk, "approve", "ap-1").err


def breaks(stub: Stub) -> None:
    """The connection is cut while an answer to ap-1 is followed."""

    async def script(_: Call) -> Response:
        return broken_stream(("custom", {"progress": "decide", "text": "deciding"}))

    stub.scripts[RUN] = script


def test_an_answer_whose_connection_broke_is_recorded_when_the_ledger_has_it(desk: Desk, stub: Stub) -> None:
    breaks(stub)
    assert "Recorded; the request now waits for approval by order_manager" in approvals(desk, "approve", "ap-1").out
    stub.calls.clear()
    stub.on_approval(approval(status="approved"), taken=True)
    stub.on_approval(approval(status="open"), taken=True)
    assert approvals(desk, "approve", "ap-1", "--json").document["waiting"]["request_id"] == "ap-1"


def test_an_answer_whose_connection_broke_and_that_the_ledger_does_not_have_is_unknown(desk: Desk, stub: Stub) -> None:
    breaks(stub)
    stub.on_approval(approval(), taken=False)
    result = approvals(desk, "approve", "ap-1")
    assert result.code == ExitCode.UNKNOWN
    assert "`desk approvals show ap-1` tells whether your answer was taken" in result.err


def test_an_answer_that_was_recorded_before_its_run_failed_is_recorded(desk: Desk, stub: Stub) -> None:
    stub.on_run("t-1", ("error", {"error": "OperationalError", "message": "away"}))
    assert "Recorded" in approvals(desk, "approve", "ap-1").out


def test_of_a_recorded_answer_whose_run_failed_no_order_is_named_where_there_is_none(desk: Desk, stub: Stub) -> None:
    stub.on_run("t-1", ("error", {"error": "OperationalError", "message": "away"}))

    async def decided(_: Call) -> Response:
        sent = RUN in [call.path for call in stub.calls]
        view = approval(order_id=None, status="approved" if sent else "open")
        return Response(json.dumps({**view, "decisions": [said_to(mine=True)] if sent else []}))

    stub.scripts["/ops/approvals/ap-1"] = decided
    assert approvals(desk, "approve", "ap-1").out == "Recorded; `desk approvals show ap-1` tells how it stands.\n"


def test_an_answer_whose_run_failed_and_that_the_ledger_does_not_have_says_how_it_failed(
    desk: Desk, stub: Stub
) -> None:
    stub.on_run("t-1", ("error", {"error": "OperationalError", "message": "away"}))
    stub.on_approval(approval(), taken=False)
    result = approvals(desk, "approve", "ap-1")
    assert (result.code, "OperationalError: away" in result.err) == (ExitCode.OTHER, True)
