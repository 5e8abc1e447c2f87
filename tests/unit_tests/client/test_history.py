"""What a thread's checkpoints are told as: nodes, attempts, differences, errors, interrupts; and what never is."""

from typing import Any

import pytest

from agent.client.history import changes, damage, steps
from tests.unit_tests.client.stub import approval

State = dict[str, Any]


def state(number: int, values: Any, *tasks: State, parent: int | None = -1, **metadata: Any) -> State:
    """A checkpoint as the platform tells it; without a word, the child of the one before."""
    parent = number - 1 if parent == -1 else parent
    return {
        "checkpoint": {"checkpoint_id": f"c{number}"},
        "parent_checkpoint": {"checkpoint_id": f"c{parent}"} if parent else None,
        "created_at": f"2030-01-01T00:00:0{number}+00:00",
        "values": values,
        "tasks": list(tasks),
        "metadata": {"source": "loop", "run_attempt": 1} | metadata,
    }


def task(name: str, *, error: str | None = None, waits: Any = None) -> State:
    return {"name": name, "error": error, "interrupts": [{"value": waits}] if waits else []}


def told(*history: State) -> list[tuple[str, str]]:
    """(node, words) of each step; the states are given oldest first."""
    return [(step.node, step.says) for step in steps(history[::-1])]


def test_each_step_names_who_ran_and_what_is_different() -> None:
    first = state(1, {}, task("__start__"), parent=0, source="input")
    second = state(2, {"processing_stage": "placed", "lines": [1, 2]}, task("reserve_line"), task("reserve_line"))
    third = state(3, {"processing_stage": "paid", "lines": [1, 2], "results": {"1": "reserved"}})
    assert told(first, second, third) == [
        ("input", "nothing changed"),
        ("start", "processing stage placed; lines 1, 2"),
        ("reserve_line × 2", "processing stage placed → paid; 1 reserved"),
    ]


def test_an_attempt_an_error_and_a_hand_from_outside_are_said_without_the_errors_words() -> None:
    failed = state(1, {}, task("charge", error="KeyError('Ada Park, 14 Alder Street')"), parent=0, run_attempt=2)
    changed = state(2, {"retry_count": 1}, source="update")
    assert told(failed, changed) == [
        ("?", "attempt 2 of the run"),
        ("charge", "written from outside; charge failed with KeyError; retry count 1"),
    ]
    assert told(failed)[-1] == ("charge", "failed with KeyError, and the run ended there")
    nameless = state(1, {}, task("charge", error="Ada Park is away"), parent=0)
    assert told(nameless)[-1][1] == "failed with an error, and the run ended there"


def test_who_is_waited_for_is_the_last_step() -> None:
    waits = state(1, {}, task("approval", waits=approval("apr-1")), parent=0)
    assert told(waits)[-1] == ("approval", "waits for an answer: request apr-1, for order_manager")
    other = state(1, {}, task("approval", waits="a debugger's"), parent=0)
    assert told(other)[-1][1] == "waits for an answer: an interrupt that is no request of ours"
    pending = state(1, {}, task("charge"), parent=0)
    assert told(pending)[-1] == ("charge", "is next, and has not ended yet")


def test_a_fork_is_said_and_is_compared_with_where_it_began() -> None:
    first = state(1, {"processing_stage": "placed"}, task("assess"), parent=0)
    second = state(2, {"processing_stage": "approved"})
    fork = state(3, {"processing_stage": "cancelling"}, parent=1)
    assert told(first, second, fork)[-1] == (
        "assess",
        "a fork: the thread went another way from this checkpoint before; processing stage placed → cancelling",
    )


def test_of_the_oldest_that_is_shown_only_what_is_known_is_said() -> None:
    assert told(state(5, {"processing_stage": "paid"})) == [("?", "what was before is not shown")]


def test_no_word_of_a_customers_is_shown() -> None:
    said = [
        {"id": "1", "type": "human", "content": "I am Ada Park"},
        {"id": "2", "type": "ai", "content": "Hello Ada"},
    ]
    secret = {"slots": {"text": "Ada Park"}}
    state_after = {
        "messages": said,
        "order": {"ship_to": {"line1": "Alder Street, Ada"}},
        "topics": [{"capability": "refund_payment"} | secret],
        "findings": {"x": {"text": "Ada"}},
        "notes": ["Ada"],
        "unfinished": secret,
        "plan": {"id": "p", "actions": [{"name": "refund_payment", "arguments": secret, "sentence": "Ada"}]},
        "ready": [{"action": {"name": "refund_payment", "arguments": secret}}],
        "answer": {"said": "Ada", "identity": "om-1", "role": "order_manager"},
        "approval": {**approval("apr-1"), "refused": "APPROVAL-NOTE: Ada"},
        "denial": {"rule": "STOCK-SHORT", "sentence": "Ada"},
        "something_new": "Ada",
    }
    words = changes({}, state_after)
    assert "Ada" not in str(words)
    assert words == [
        "1 message of the customer, 1 message of the desk",
        "asked about refund_payment",
        "planned refund_payment",
        "ready refund_payment",
        "an answer of order_manager om-1",
        "request apr-1 is open, step 1, the last answer was refused by APPROVAL-NOTE",
        "refused by STOCK-SHORT",
        "something new changed",
    ]


@pytest.mark.parametrize(
    ("values", "wrong"),
    [
        ({"lines": [1], "messages": [], "denial": None}, None),
        (None, "it is NoneType, and should be an object"),
        ([], "it is a list, and should be an object"),
        ({"lines": "all"}, "lines is text"),
        ({"results": []}, "results is a list"),
        ({"order_amount": {"usd": 1}}, "order_amount is an object"),
        ({"approval": True}, "approval is true or false"),
    ],
)
def test_a_state_of_another_form_is_damaged_and_is_told_all_the_same(values: Any, wrong: str | None) -> None:
    assert damage(values) == wrong
    assert told(state(1, {}, parent=0), state(2, values))
