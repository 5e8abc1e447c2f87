"""The doors that are open on aegra, and a run's body as the platform's handlers know it."""

from typing import Any

import pytest

from agent.identity import Caller
from agent.server.aegra_doors import (
    DEEPEST,
    Door,
    as_checked,
    as_on_the_platform,
    check_body,
    check_query,
    door,
    history_as_checked,
    thread_as_checked,
)
from agent.server.permissions import PERMISSIONS
from agent.server.rules import RunRefusedError, check_run

THREAD = "5f2c7a9e-0b1d-4c3a-9e8f-7d6c5b4a3920"
HELLO = {"assistant_id": "customer_service", "input": {"messages": [{"role": "user", "content": "Hello"}]}}


@pytest.mark.parametrize(
    ("method", "path", "opened"),
    [
        ("POST", "/threads", Door("threads", "create", None)),
        ("GET", f"/threads/{THREAD}", Door("threads", "read", THREAD)),
        ("POST", f"/threads/{THREAD}/runs/stream", Door("threads", "create_run", THREAD)),
        ("POST", "/runs/wait", Door("threads", "create_run", None)),
        ("GET", f"/threads/{THREAD}/runs/{THREAD}/join", Door("threads", "read", THREAD)),
        ("POST", "/runs/crons", Door("crons", "create", None)),
    ],
)
def test_what_clients_use_is_open(method: str, path: str, opened: Door) -> None:
    assert door(method, path) == opened
    assert (opened.resource, opened.action) in PERMISSIONS


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", f"/threads/{THREAD}/state"),
        ("POST", f"/threads/{THREAD}/commands"),
        ("POST", f"/threads/{THREAD}/runs/crons"),
        ("POST", f"/threads/{THREAD}/runs/{THREAD}/cancel"),
        ("POST", f"/threads/{THREAD.upper()}/runs"),
        ("POST", f"/threads/{THREAD}/runs/"),
        ("GET", "/threads"),
        ("GET", f"/threads/{THREAD}/history"),
        ("GET", "/threads/another"),
        ("POST", "/threads/prune"),
        ("PUT", "/store/items"),
        ("GET", "/metrics"),
    ],
)
def test_everything_else_is_closed(method: str, path: str) -> None:
    assert door(method, path) is None


def test_a_message_is_what_the_platforms_rules_let_in() -> None:
    value = as_on_the_platform(HELLO, THREAD)
    check_run(Caller("ada_park", "customer"), value)
    assert as_checked(HELLO, value)["input"] == HELLO["input"]


@pytest.mark.parametrize(
    "more",
    [
        {"webhook": "https://elsewhere.example"},
        {"interrupt_before": "*"},
        {"interrupt_after": ["reply"]},
        {"checkpoint": {"checkpoint_ns": "inner"}},
        {"context": {"customer_id": "ben_ortiz"}},
        {"config": {"configurable": {"langgraph_auth_user_role": "admin"}}},
        {"config": {"recursion_limit": 1}},
        {"multitask_strategy": "interrupt"},
        {"metadata": {"anything": "else"}},
        {"after_seconds": 60},
        {"what_nobody_knows": True},
    ],
)
def test_what_the_platforms_rules_refuse_is_refused_here(more: dict[str, object]) -> None:
    with pytest.raises(RunRefusedError):
        check_run(Caller("ada_park", "customer"), as_on_the_platform(HELLO | more, THREAD))


@pytest.mark.parametrize("name", ["config", "context", "metadata", "checkpoint"])
def test_what_has_no_fields_is_refused_by_name(name: str) -> None:
    with pytest.raises(ValueError, match=name):
        as_on_the_platform(HELLO | {name: ["customer_id"]}, THREAD)


def test_what_runs_is_what_was_checked_and_goes_on_without_its_client() -> None:
    answer = {"assistant_id": "order_processing", "command": {"resume": "yes"}, "input": {}, "checkpoint_id": THREAD,
              "on_disconnect": "cancel", "stream_subgraphs": True, "on_completion": "delete"}  # fmt: skip
    value = as_on_the_platform(answer, THREAD)
    assert value["kwargs"]["config"]["configurable"].pop("checkpoint_id") == THREAD
    value["kwargs"]["command"]["resume"] = {"0" * 32: "yes"}
    assert as_checked(answer, value) == {
        "assistant_id": value["assistant_id"],
        "multitask_strategy": "enqueue",
        "stream_subgraphs": True,
        "on_disconnect": "continue",
        "on_completion": None,
        "config": {"configurable": {}},
        "command": {"resume": {"0" * 32: "yes"}},
    }


def test_nobody_makes_up_what_was_done_on_a_thread() -> None:
    with pytest.raises(ValueError, match=r"^supersteps: "):
        thread_as_checked({"thread_id": THREAD, "supersteps": [{"updates": [{"values": {}, "as_node": "charge"}]}]})


def test_nobody_says_when_a_thread_is_to_be_deleted() -> None:
    asked = {"thread_id": THREAD, "metadata": {"graph_id": "customer_service"}, "ttl": {"default_ttl": 1}}
    assert thread_as_checked(asked) == {"thread_id": THREAD, "metadata": {"graph_id": "customer_service"}}


def nested(levels: int) -> Any:
    value: Any = "x"
    for _ in range(levels):
        value = [value]
    return value


@pytest.mark.parametrize(
    "bad",
    [float("nan"), float("inf"), -float("inf"), 2**63, -(2**63) - 1, 10**400, nested(DEEPEST), nested(10**5)],
    ids=["NaN", "infinite", "minus infinite", "large", "small", "enormous", "deep", "very deep"],
)
def test_what_no_store_holds_is_refused_wherever_it_is(bad: Any) -> None:
    for body in ({"x": bad}, {"command": {"resume": [{"x": bad}]}}):
        with pytest.raises(ValueError, match=r"."):
            check_body(body)


def test_what_can_be_kept_is_let_in() -> None:
    check_body({"x": [2**63 - 1, -(2**63), 1.5, True, None, "Grüße", nested(DEEPEST - 10)]})


def test_a_query_names_no_number_that_no_column_holds() -> None:
    check_query(f"limit=1000&offset=123456789012345678&id={THREAD}".encode())
    with pytest.raises(ValueError, match="too large"):
        check_query(b"offset=99999999999999999999")


@pytest.mark.parametrize(
    ("asked", "passed_on"),
    [
        ({"limit": 3}, {"limit": 3}),
        ({"before": THREAD}, {"before": THREAD}),
        ({"before": {"checkpoint_id": THREAD}}, {"before": THREAD}),
        ({"before": {"configurable": {"checkpoint_id": THREAD, "thread_id": "another"}}}, {"before": THREAD}),
        ({"checkpoint": {"checkpoint_id": THREAD, "thread_id": "x"}}, {"checkpoint": {"checkpoint_id": THREAD}}),
        ({"before": None, "checkpoint": {}, "metadata": {}}, {}),
    ],
)
def test_a_history_is_asked_for_by_checkpoints(asked: dict[str, Any], passed_on: dict[str, Any]) -> None:
    assert history_as_checked(asked) == passed_on


@pytest.mark.parametrize(
    "asked",
    [{"before": 5}, {"before": {"configurable": 5}}, {"checkpoint": {"checkpoint_id": 7}}, {"metadata": {"step": 1}}],
)
def test_a_history_that_the_engine_fails_at_is_refused_by_name(asked: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=next(iter(asked))):
        history_as_checked(asked)


@pytest.mark.parametrize("spelled", [THREAD.upper(), f"{{{THREAD}}}", f"urn:uuid:{THREAD}", THREAD.replace("-", "")])
def test_a_thread_is_called_as_its_doors_call_it(spelled: str) -> None:
    assert thread_as_checked({"thread_id": spelled}) == {"thread_id": THREAD}


@pytest.mark.parametrize("spelled", ["zz", 5, ["x"]])
def test_a_thread_has_a_uuid(spelled: Any) -> None:
    with pytest.raises(ValueError, match="thread_id is a UUID"):
        thread_as_checked({"thread_id": spelled})
