"""`desk debug`: one timeline of ledger and thread, who and what comes next; and each failure in one line."""

from typing import Any

import pytest

from agent.client.connection import ExitCode
from tests.support.desk import Desk
from tests.unit_tests.client.stub import Stub
from tests.unit_tests.client.test_history import state, task

THREAD = "0a21e2b6-6e53-5590-92a6-b9e1a245af8e"
OLD = "1b21e2b6-6e53-5590-92a6-b9e1a245af8e"
AT = "2030-01-01T00:00:{:02}+00:00"


def entry(second: int, says: str, **more: str) -> dict[str, str]:
    return {"at": AT.format(second), "what": "order W-1", "says": says} | more


def story(*entries: dict[str, str], order: bool = True, **more: Any) -> dict[str, Any]:
    """What the server tells of an order, or of a conversation."""
    of_order = {
        "id": "W-1", "customer_id": "C-1", "stage": "parked", "status": "pending", "reason": None, "generation": 1,
        "touched_at": AT.format(3), "placed_here": True, "threads": [OLD, THREAD], "parcels": {"W-1/east": "planned"},
    }  # fmt: skip
    ahead: dict[str, Any] = {
        "waits_for": [{"who": "order_manager", "what": "request apr-1", "until": AT.format(30)}],
        "next": [{"what": "asked again", "when": None}],
        "commands": [{"command": "desk orders show W-1", "why": "lines"}],
    }
    return {"order": of_order if order else None, "entries": list(entries), "left_out": 0} | ahead | more


def on_thread(stub: Stub, thread_id: str, *history: dict[str, Any], values: Any = None) -> None:
    """A thread of the platform's, with these states, oldest first."""
    metadata = {"graph_id": "order_processing", "owner": "channel:channel-1"}
    thread = {"thread_id": thread_id, "status": "idle", "metadata": metadata, "updated_at": AT.format(9)}
    stub.on(f"/threads/{thread_id}", thread | {"values": values or {}})
    stub.on(f"/threads/{thread_id}/history", list(history[::-1]))


@pytest.fixture
def known(stub: Stub) -> Stub:
    """An order of which the ledger tells two things, around one of its thread's."""
    stub.on("/ops/stories/orders/W-1", story(entry(0, "placed"), entry(5, "rejected", note="too many")))
    on_thread(stub, THREAD, state(2, {"processing_stage": "placed"}, task("charge"), parent=0))
    return stub


def test_ledger_and_thread_are_one_timeline(desk: Desk, known: Stub) -> None:
    told = desk("debug", "W-1", "--json").document
    assert [(each["source"], each["says"]) for each in told["timeline"]] == [
        ("ledger", "placed"),
        (THREAD[:8], "processing stage placed"),
        (THREAD[:8], "is next, and has not ended yet"),
        ("ledger", "rejected"),
    ]
    assert [each["thread_id"] for each in told["threads"]] == [THREAD]  # the one of before is gone, as it may be
    assert told["problems"] == []
    assert {call.method for call in known.calls} <= {"GET", "POST"}
    assert [call.path for call in known.calls if call.method == "POST"] == [f"/threads/{THREAD}/history"]


def test_people_read_it_in_a_hundred_columns(desk: Desk, known: Stub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("agent.client.show._FILE_WIDTH", 100)
    out = desk("debug", "W-1").out
    for words in ("parked (pending)", "too many", "order_manager, for request apr-1", "when the reconciler is run"):
        assert words in out
    assert max(map(len, out.splitlines())) <= 100


def test_only_the_last_are_shown_and_the_rest_is_counted(desk: Desk, known: Stub) -> None:
    told = desk("debug", "W-1", "--last", "2", "--json").document
    assert (len(told["timeline"]), told["left_out"]) == (2, 2)
    assert "--last 4" in desk("debug", "W-1", "--last", "2").err


def test_a_conversation_is_told_by_its_thread(desk: Desk, stub: Stub) -> None:
    stub.on(f"/ops/stories/threads/{THREAD}", story(entry(0, "asked"), order=False))
    on_thread(stub, THREAD)
    assert [each["says"] for each in desk("debug", THREAD, "--json").document["timeline"]] == ["asked"]


def test_a_thread_of_before_is_told_with_its_order(desk: Desk, known: Stub) -> None:
    known.on(f"/ops/stories/threads/{OLD}", story(order=False))
    on_thread(known, OLD, state(1, {"processing_stage": "placed"}, parent=0), values={"order_id": "W-1"})
    told = desk("debug", OLD, "--json").document
    assert told["order"]["id"] == "W-1"
    assert {each["thread_id"] for each in told["threads"]} == {OLD, THREAD}


@pytest.mark.parametrize("which", ["W-2", "a/b", OLD])
def test_what_nobody_knows_is_one_line(desk: Desk, stub: Stub, which: str) -> None:
    stub.on(f"/ops/stories/threads/{OLD}", story(order=False))
    refused = desk("debug", which)
    assert (refused.code, refused.out) == (ExitCode.NOT_FOUND, "")
    assert which in refused.err
    assert len(refused.err.strip().splitlines()) == 1


def test_a_thread_that_is_gone_is_said_after_what_the_ledger_knows(desk: Desk, stub: Stub) -> None:
    stub.on("/ops/stories/orders/W-1", story(entry(0, "placed")))
    told = desk("debug", "W-1", "--json")
    assert (told.code, told.document["timeline"][0]["says"]) == (ExitCode.NOT_FOUND, "placed")
    assert told.error["error"].startswith(f"thread {THREAD} is gone from the platform")


def test_an_imported_order_that_never_had_a_thread_lacks_none(desk: Desk, stub: Stub) -> None:
    imported = story(entry(0, "placed"))
    imported["order"]["placed_here"] = False
    stub.on("/ops/stories/orders/W-1", imported)
    assert desk("debug", "W-1").code == 0


def test_a_damaged_state_is_said(desk: Desk, known: Stub) -> None:
    on_thread(known, THREAD, state(2, {"lines": "all"}, parent=0))
    told = desk("debug", "W-1")
    assert told.code == ExitCode.OTHER
    assert f"the state of thread {THREAD} is damaged: lines is text" in told.err


def test_states_that_the_platform_cannot_read_are_said(desk: Desk, known: Stub) -> None:
    known.on(f"/threads/{THREAD}/history", {"detail": "unpickling failed"}, status=500)
    told = desk("debug", "W-1")
    assert (told.code, "can't read the states of thread" in told.err) == (ExitCode.OTHER, True)


def test_who_may_not_is_told_so(desk: Desk, stub: Stub) -> None:
    stub.on("/ops/stories/orders/W-1", {"detail": "this is for staff"}, status=403)
    assert desk("debug", "W-1", "--as", "channel").code == ExitCode.UNAUTHORISED
