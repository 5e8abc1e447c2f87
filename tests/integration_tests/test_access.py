"""Who may do what, tried from outside: every way round the gate is refused, and the right person can still answer."""

import json
from typing import Any

import httpx
import pytest

from agent.approvals.models import decision_payload
from demo.live import LiveServer
from tests.integration_tests.driver import Driver, an_order

STAFF = "order_manager"
ORDER = an_order("ACCESS-1", {"DESK-WALNUT": 2})
YES = {"resume": decision_payload("approve", name="approve_order")}
HELLO = {"messages": [{"role": "user", "content": "hello"}]}

Attempt = tuple[str, str, dict[str, Any] | None]
"""Method, path with {thread}, body."""


def _run(graph: str = "order_processing", **what: Any) -> Attempt:
    return "POST", "/threads/{thread}/runs", {"assistant_id": graph, "multitask_strategy": "reject"} | what


REFUSED: list[tuple[str, str, Attempt, int]] = [
    ("reads another's thread", "customer", ("GET", "/threads/{thread}", None), 404),
    ("reads another's state", "customer", ("GET", "/threads/{thread}/state", None), 404),
    ("reads another's history", "customer", ("POST", "/threads/{thread}/history", {}), 404),
    ("takes it over", "customer", ("POST", "/threads", {"thread_id": "{thread}", "if_exists": "do_nothing"}), 403),
    ("runs on another's thread", "customer", _run(input={"order": ORDER}), 404),
    ("reads another's order", "customer", ("GET", "/ops/orders/W-1003", None), 404),
    ("answers", "customer", _run(command=YES), 403),
    ("answers", "channel", _run(command=YES), 403),
    ("answers", "operator", _run(command=YES), 403),
    ("starts an order", STAFF, _run(input={"order": ORDER}), 403),
    ("makes a thread", STAFF, ("POST", "/threads", {}), 403),
    ("jumps to the charge", STAFF, _run(command={"goto": "charge"}), 403),
    ("jumps with an answer", STAFF, _run(command={**YES, "goto": "charge"}), 403),
    ("writes state with an answer", STAFF, _run(command={**YES, "update": {"approval": None}}), 403),
    ("answers nothing", STAFF, _run(command={"resume": None}), 403),
    ("answers with input", STAFF, _run(command=YES, input={"order": ORDER}), 403),
    ("answers an old state", STAFF, _run(command=YES, checkpoint={"checkpoint_id": "1ef", "checkpoint_ns": ""}), 403),
    ("reaches into the engine", STAFF, _run(command=YES, config={"configurable": {"__pregel_resuming": True}}), 403),
    ("answers another graph", STAFF, _run("customer_service", command=YES), 422),
    ("answers the reconciler", STAFF, _run("reconciler", command=YES), 422),
    ("stops before a node", STAFF, _run(command=YES, interrupt_before="*"), 403),
    ("takes another run's place", STAFF, _run(command=YES, multitask_strategy="rollback"), 403),
    ("answers in a while", STAFF, _run(command=YES, after_seconds=3600), 403),
    ("occupies the thread for later", "channel", _run(input={"order": ORDER}, after_seconds=3600), 403),
    ("converses on an order's thread", "channel", _run("customer_service", input=HELLO), 422),
    ("reconciles on an order's thread", "operator", _run("reconciler", input={}), 422),
    ("orders without a thread", "channel", ("POST", "/runs", _run(input={"order": ORDER})[2]), 422),
    ("writes state", "channel", ("POST", "/threads/{thread}/state", {"values": {"approval": None}}), 403),
    ("writes state", STAFF, ("POST", "/threads/{thread}/state", {"values": None, "as_node": "approval"}), 403),
    ("copies", "channel", ("POST", "/threads/{thread}/copy", None), 403),
    ("gives it away", "channel", ("PATCH", "/threads/{thread}", {"metadata": {"owner": "customer-1"}}), 403),
    ("deletes", "channel", ("DELETE", "/threads/{thread}", None), 403),
    ("deletes", "admin", ("DELETE", "/threads/{thread}", None), 403),
    ("deletes", "operator", ("DELETE", "/threads/{thread}", None), 404),
    ("deletes its past", "operator", ("POST", "/threads/prune", {"thread_ids": ["{thread}"]}), 404),
    ("deletes its past", STAFF, ("POST", "/threads/prune", {"thread_ids": ["{thread}"]}), 403),
    ("makes a cron", "operator", ("POST", "/threads/{thread}/runs/crons", {
        "assistant_id": "order_processing", "schedule": "* * * * *", "command": {"goto": "charge"},
    }), 403),
    ("makes an assistant", "channel", ("POST", "/assistants", {"graph_id": "order_processing"}), 403),
    ("stores", "operator", ("PUT", "/store/items", {"namespace": ["policy"], "key": "large", "value": {}}), 403),
    ("reads metrics", STAFF, ("GET", "/ops/metrics", None), 403),
]  # fmt: skip


def test_every_way_round_the_gate_is_refused_and_the_right_role_can_still_answer(driver: Driver) -> None:
    waits = driver.order(ORDER)
    assert waits.waiting

    for what, role, (method, path, body), status in REFUSED:
        asked = json.loads(json.dumps([path, body]).replace("{thread}", waits.thread))
        answer = driver.http(role, method, *asked)
        assert answer.status_code == status, f"{role} {what}: {answer.status_code} {answer.text}"
        assert answer.json()["detail"], f"{role} {what}: no reason"
    assert driver.client("customer").threads.search(metadata={"owner": "channel-1"}) == []

    thread = driver.client(STAFF).threads.get(waits.thread)
    [[interrupt]] = thread["interrupts"].values()
    assert (thread["status"], interrupt["value"]) == ("interrupted", waits.waiting)
    assert driver.order_row("ACCESS-1")["stage"] == "awaiting_approval"
    assert driver.answer(STAFF, waits, "approve").stage == "completed"


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        pytest.param({}, 401, id="no token"),
        pytest.param({"x-api-key": "guess"}, 401, id="wrong token"),
        pytest.param({"authorization": "Bearer guess"}, 401, id="wrong bearer"),
        pytest.param({"x-auth-scheme": "langsmith"}, 403, id="Studio, which is off"),
    ],
)
def test_a_stranger_is_told_nothing(server: LiveServer, headers: dict[str, str], status: int) -> None:
    with httpx.Client(base_url=server.url, headers=headers, trust_env=False) as client:
        answers = [
            client.post("/threads/search", json={}),
            client.post("/threads", json={}),
            client.post("/assistants/search", json={}),
            client.post("/runs/wait", json={"assistant_id": "reconciler", "input": {}}),
            client.get("/ops/orders/W-1001"),
            client.get("/ops/metrics"),
        ]
        assert [answer.status_code for answer in answers] == [status] * len(answers)
        assert client.get("/ops/health").json() == {"status": "ok"}


def test_a_token_counts_as_bearer_too(server: LiveServer) -> None:
    headers = {"authorization": f"Bearer {server.tokens['operator']}"}
    answer = httpx.get(f"{server.url}/ops/metrics", headers=headers, trust_env=False)
    assert answer.status_code == 200
    assert "desk_events_total" in answer.text


def test_a_customer_acts_for_themselves_and_nobody_else(driver: Driver) -> None:
    own = str(driver.client("customer").threads.create()["thread_id"])
    hello = {"messages": [{"role": "user", "content": "where is W-1003?"}]}
    told = driver.run("customer", own, "customer_service", input=hello)
    assert "I can't find that order among your orders." in told.said
    assert "Wool rug" not in told.said

    placed = driver.order(
        an_order("ACCESS-2", {"MUG-WHITE": 1}, customer="ben_ortiz", method="ben_card"), role="customer"
    )
    assert (placed.rule, placed.stage) == ("ORDER-CALLER", "refused")
