"""Who may do what, tried from outside: every way round the gate is refused, and the right person can still answer."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from agent.approvals.models import decision_payload
from agent.identity import STUDIO_IDENTITY, Caller
from agent.platform import order_thread
from agent.server.edge import LARGEST_BODY
from agent.tokens import add_token, revoke_tokens
from tests.support.chains import BILLING, OF_LARGE, OF_VERY_LARGE
from tests.support.driver import Driver, Run, an_order
from tests.support.goods import W1001, W1003, goods_dir
from tests.support.live_server import LiveServer
from tests.support.threads import staff

STAFF = OF_VERY_LARGE[0]
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
    ("runs on another's thread", "customer", _run(input={"order": ORDER}), 422),
    ("reads another's order", "customer", ("GET", f"/ops/orders/{W1003}", None), 404),
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
    ("answers an old state", STAFF, _run(command=YES, checkpoint={"checkpoint_id": "1ef", "checkpoint_ns": ""}), 409),
    ("answers a stale interrupt", STAFF, _run(command={"resume": {"0" * 32: YES["resume"]}}), 409),
    ("answers in another's place", BILLING[0], _run(command=YES), 403),
    ("answers as Studio does", STAFF, _run(command={"resume": {"as": STAFF}}, input={"order": ORDER}), 403),
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
    ("moves it in the index", STAFF, ("PATCH", "/threads/{thread}", {"metadata": {"awaiting": "customer"}}), 403),
    ("gives it away", "service", ("PATCH", "/threads/{thread}", {"metadata": {"owner": "customer-1"}}), 403),
    ("writes state", "service", ("POST", "/threads/{thread}/state", {"values": {"approval": None}}), 403),
    ("cancels", "service", ("POST", "/runs/cancel", {"status": "all"}), 403),
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
        is_closed = answer.status_code == 404 and not driver.server.is_platform  # what another engine does not serve
        assert answer.status_code == status or is_closed, f"{role} {what}: {answer.status_code} {answer.text}"
        assert answer.json()["detail"], f"{role} {what}: no reason"
    assert driver.client("customer").threads.search(metadata={"owner": "channel:channel-1"}) == []

    thread = driver.client(STAFF).threads.get(waits.thread)
    [[interrupt]] = thread["interrupts"].values()
    assert (thread["status"], interrupt["value"]) == ("interrupted", waits.waiting)
    assert driver.order_row("ACCESS-1")["stage"] == "awaiting_approval"
    assert driver.answer(STAFF, waits, "approve").stage == "completed"
    late = driver.http(STAFF, "POST", f"/threads/{waits.thread}/runs", _run(command=YES)[2])
    assert (late.status_code, late.json()["detail"]) == (409, "nothing waits for an answer on this thread")


def test_an_answer_may_name_the_latest_checkpoint_and_no_older_one(driver: Driver) -> None:
    waits = driver.order(an_order("ACCESS-3", {"DESK-WALNUT": 2}))
    latest, *older = driver.client(STAFF).threads.get_history(waits.thread, limit=5)

    def says(state: Any) -> httpx.Response:  # as Agent Chat UI does
        shown = {"checkpoint_id": state["checkpoint"]["checkpoint_id"], "checkpoint_ns": ""}
        body = _run(command=YES, input={}, checkpoint=shown)[2]
        return driver.http(STAFF, "POST", f"/threads/{waits.thread}/runs/wait", body)

    assert [says(state).status_code for state in older] == [409] * 4
    assert says(latest).json()["processing_stage"] == "completed"


def test_the_service_account_keeps_the_index_and_the_owner_stays(driver: Driver) -> None:
    thread = driver.conversation()

    driver.client("service").threads.update(thread, metadata={"awaiting": STAFF, "request_id": "apr-1"})

    [found] = driver.client(STAFF).threads.search(metadata={"awaiting": STAFF, "request_id": "apr-1"})
    assert (found["thread_id"], (found["metadata"] or {})["owner"]) == (thread, "channel:channel-1")


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
            client.get(f"/ops/orders/{W1001}"),
            client.get("/ops/metrics"),
        ]
        assert [answer.status_code for answer in answers] == [status] * len(answers)
        assert client.get("/ops/health").json()["status"] == "ok"


def test_a_token_counts_as_bearer_too(server: LiveServer) -> None:
    headers = {"authorization": f"Bearer {server.tokens['operator']}"}
    answer = httpx.get(f"{server.url}/ops/metrics", headers=headers, trust_env=False)
    assert answer.status_code == 200
    assert "desk_events_total" in answer.text


def test_a_customer_acts_for_themselves_and_nobody_else(driver: Driver) -> None:
    own = str(driver.client("customer").threads.create()["thread_id"])
    hello = {"messages": [{"role": "user", "content": f"where is {W1003}?"}]}
    told = driver.run("customer", own, "customer_service", input=hello)
    assert "I can't find that order among your orders." in told.said
    assert "Wool rug" not in told.said

    placed = driver.order(
        an_order("ACCESS-2", {"MUG-WHITE": 1}, customer="ben_ortiz", method="ben_card"), role="customer"
    )
    assert (placed.rule, placed.stage) == ("ORDER-CALLER", "refused")


def test_a_customer_who_is_called_as_the_channel_is_sees_none_of_its_conversations(
    server: LiveServer, driver: Driver
) -> None:
    thread = driver.conversation()
    token = add_token(server.tokens_file.with_suffix(".sha256.json"), Caller("channel-1", "customer"))
    with httpx.Client(base_url=server.url, headers={"x-api-key": token}, trust_env=False) as namesake:
        assert namesake.post("/threads/search", json={}).json() == []
        for path in (f"/threads/{thread}", f"/threads/{thread}/state"):
            assert namesake.get(path).status_code == 404
        body = {"assistant_id": "customer_service", "input": HELLO}
        assert namesake.post(f"/threads/{thread}/runs", json=body).status_code == 404


OF_STAFF = ("between us", *(staff(role).identity for role in OF_VERY_LARGE), '"head"', '"seal"', '"risk"',
            "action_hash", "langgraph_auth_user")  # fmt: skip
"""What no customer is told: a note of a yes, names, seals, risk."""


def everything_told(driver: Driver, role: str, thread: str, order_id: str) -> dict[str, str]:
    """All that a role is told of an order and its thread, by every route there is."""
    path, runs = f"/threads/{thread}", driver.client(role).runs.list(thread)
    routes: list[Attempt] = [
        ("GET", path, None), ("GET", f"{path}/state", None), ("GET", f"{path}/history", None),
        ("POST", f"{path}/history", {"limit": 50}), ("GET", f"{path}/runs", None),
        ("GET", f"/ops/orders/{order_id}", None),
        ("POST", "/threads/search", {"ids": [thread]}), ("GET", f"{path}/runs/{runs[0]['run_id']}/join", None),
        ("GET", f"{path}/runs/{runs[0]['run_id']}", None),
    ]  # fmt: skip
    return {f"{method} {path}": driver.http(role, method, path, body).text for method, path, body in routes}


def test_a_customer_sees_for_whom_an_order_waits_and_why_it_was_rejected_and_nothing_else_of_staffs(
    driver: Driver,
) -> None:
    order = an_order("ACCESS-6", {"DESK-WALNUT": 8})
    asked = driver.order(order, role="customer")
    waiting: Any = asked.waiting
    assert waiting == {
        "request_id": waiting["request_id"], "order_id": "ACCESS-6", "status": "open", "roles": [STAFF],
    }  # fmt: skip

    def staff_sees() -> Run:
        [[interrupt]] = driver.client(STAFF).threads.get(asked.thread)["interrupts"].values()
        return Run(asked.thread, "order_processing", waiting=interrupt["value"])

    driver.answer(STAFF, staff_sees(), "approve", note="between us: too good a customer to refuse")
    driver.answer(OF_VERY_LARGE[1], staff_sees(), "reject", note="no stock of that wood until May")

    staffs = " ".join(everything_told(driver, STAFF, asked.thread, "ACCESS-6").values())
    unseen = [secret for secret in OF_STAFF if secret not in staffs]
    assert unseen == ([] if driver.server.is_platform else ["langgraph_auth_user"])
    told = everything_told(driver, "customer", asked.thread, "ACCESS-6")
    for route, text in told.items():
        assert [secret for secret in OF_STAFF if secret in text] == [], route
    order_told = driver.client("customer").http.get("/ops/orders/ACCESS-6")
    assert [(each["status"], each["note"]) for each in order_told["approvals"]] == [
        ("rejected", "no stock of that wood until May")
    ]
    assert "no stock of that wood until May" in told[f"GET /threads/{asked.thread}"]


def test_a_stream_ends_when_its_token_is_revoked(server: LiveServer) -> None:
    digests = server.tokens_file.with_suffix(".sha256.json")
    token = add_token(digests, Caller("jonas_weber", "customer"))
    with httpx.Client(base_url=server.url, headers={"x-api-key": token}, trust_env=False, timeout=30) as jonas:
        thread = jonas.post("/threads", json={}).json()["thread_id"]
        with jonas.stream("GET", f"/threads/{thread}/stream") as stream:
            assert stream.status_code == 200
            lines = stream.iter_lines()
            assert next(line for line in lines if line).startswith(": heartbeat")
            revoke_tokens(digests, "jonas_weber")
            assert len([line for line in lines if line]) <= 2  # ends, within two signs of life
        assert jonas.get(f"/threads/{thread}").status_code == 401


def test_another_web_page_may_not_read_what_this_server_says(server: LiveServer) -> None:
    def asked_from(origin: str) -> list[str | None]:
        asks = {"access-control-request-method": "POST", "access-control-request-headers": "x-api-key"}
        with httpx.Client(base_url=server.url, headers={"origin": origin}, trust_env=False) as client:
            answers = [client.options("/threads/search", headers=asks), client.get("/ops/health")]
        return [answer.headers.get("access-control-allow-origin") for answer in answers]

    assert asked_from("https://page.example") == [None, None]
    for ui in ("https://smith.langchain.com", "http://localhost:3000", "https://dev.agentinbox.ai"):
        assert asked_from(ui) == [ui, ui]


@pytest.mark.parametrize("path", ["/info", "/docs", "/openapi.json"])
def test_what_the_server_is_made_of_is_told_to_no_stranger(server: LiveServer, path: str) -> None:
    assert httpx.get(server.url + path, trust_env=False).status_code == 401


@pytest.mark.parametrize(
    "path", ["/", "/metrics", "/redoc", "/deploy", "/%64eploy", "/ok/../deploy", "//deploy", "/ui/x"]
)
def test_a_path_that_is_not_listed_is_there_for_nobody(server: LiveServer, driver: Driver, path: str) -> None:
    stranger = httpx.get(server.url + path, trust_env=False)
    answers = [stranger, *(driver.http(role, "GET", path) for role in ("customer", "operator", "admin"))]

    assert [answer.status_code for answer in answers] == [404] * 4


def test_a_request_that_is_too_large_is_refused_and_the_next_one_answered(driver: Driver) -> None:
    thread = driver.conversation()
    says = {"assistant_id": "customer_service", "input": HELLO, "config": {"tags": ["x" * LARGEST_BODY]}}

    assert driver.http("channel", "POST", f"/threads/{thread}/runs", says).status_code == 413
    assert driver.ask("hello", thread=thread).said


def test_a_chat_ui_with_a_token_sees_that_the_server_is_there(driver: Driver) -> None:
    answer = driver.http(OF_LARGE[0], "GET", "/info")
    assert (answer.status_code, set(answer.json())) == (200, {"version", "langgraph_py_version", "flags"})


STUDIO = f"channel:{STUDIO_IDENTITY}"


@pytest.fixture(scope="module")
def studio_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    """A server of its own on which Studio may act, and customers not often."""
    with LiveServer(
        tmp_path_factory.mktemp("studio"),
        SHOP_DIR=goods_dir(),
        STUDIO_MODE="act",
        CUSTOMER_RATE="3/minute",
        RECONCILE_CRON="",
    ) as running:
        yield running


def test_studio_on_this_machine_orders_as_a_channel_and_answers_as_whom_it_names(studio_server: LiveServer) -> None:
    order, plain = an_order("ACCESS-4", {"DESK-WALNUT": 2}), {"assistant_id": "order_processing"}
    path = f"/threads/{order_thread('ACCESS-4', STUDIO)}/runs/wait"
    with httpx.Client(
        base_url=studio_server.url, headers={"x-auth-scheme": "langsmith"}, trust_env=False, timeout=60
    ) as studio:
        studio.post(path, json=plain | {"input": {"order": order}, "if_not_exists": "create"}).raise_for_status()

        def says(said: Any) -> httpx.Response:
            return studio.post(path, json=plain | {"command": {"resume": said}})

        refused = [says(YES["resume"]), says({"as": BILLING[0], "decision": "approve"})]
        assert [answer.status_code for answer in refused] == [403, 403]
        done = says({"as": STAFF, "decision": "approve", "note": "tried in Studio"})
        assert done.json()["processing_stage"] == "completed"

        assert studio.get("/info").status_code == 200
        other_page = studio.post("/threads", json={}, headers={"origin": "http://localhost:3000"})
        assert other_page.status_code == 403
        elsewhere = studio.post("/threads/search", json={}, headers={"host": "page.example"})
        assert elsewhere.status_code == 403
        assert studio.patch(f"/threads/{order_thread('ACCESS-4', STUDIO)}", json={"metadata": {}}).status_code == 403


def test_a_customer_who_asks_too_often_is_told_when_to_come_back(studio_server: LiveServer) -> None:
    with Driver(studio_server) as driver:
        thread = driver.client("customer").threads.create()["thread_id"]
        says = {"assistant_id": "customer_service", "input": HELLO, "multitask_strategy": "enqueue"}
        answers = [driver.http("customer", "POST", f"/threads/{thread}/runs", says) for _ in range(3)]
        answers.append(driver.http("customer", "POST", "/threads", {}))
        answers.append(driver.http("customer", "POST", f"/ops/orders/{W1001}/cancel", {"reason": "no longer needed"}))

        assert [answer.status_code for answer in answers] == [200, 200, 429, 429, 429]
        assert all(1 <= int(answer.headers["retry-after"]) <= 60 for answer in answers[2:])
        assert driver.http("customer", "GET", f"/ops/orders/{W1001}").status_code == 200


def test_production_that_nobody_could_call_does_not_start_and_says_so_in_one_line(tmp_path: Path) -> None:
    server = LiveServer(
        tmp_path,
        ENVIRONMENT="production",
        TOKEN_DIGESTS_FILE=str(tmp_path / "none.json"),
        SERVICE_TOKEN="x",
        TRAIL_KEY="x",
    )
    try:
        with pytest.raises(RuntimeError, match="the server ended"):
            server.start()
    finally:
        server.stop()
    said = server.log_end(1)
    assert said.startswith("not started: ENVIRONMENT=production needs somebody who could call: ")
    for named in ("PAYMENT_PROVIDER", "SEED_SHOP=false", "SERVICE_TOKEN of", "TRAIL_KEY of"):
        assert named in said
    assert "Traceback" not in server.log_end(100)


def test_nobody_sits_on_anothers_order(driver: Driver) -> None:
    order = {"order_id": W1003, "customer_id": "ada_park", "payment_method_id": "ada_card"}
    lines = [{"sku": "MUG-BLUE", "quantity": 1}]
    run = {"assistant_id": "order_processing", "if_not_exists": "create", "input": {"order": order | {"lines": lines}}}
    theirs, own = (order_thread(W1003, f"customer:{owner}") for owner in ("ben_ortiz", "ada_park"))

    assert driver.http("customer", "POST", f"/threads/{theirs}/runs/wait", run).status_code == 422
    ended = driver.http("customer", "POST", f"/threads/{own}/runs/wait", run).json()

    assert ended["denial"]["rule"] == "ORDER-ID-TAKEN"
    assert driver.http("channel", "GET", f"/ops/orders/{W1003}").json()["customer_id"] == "ben_ortiz"
    assert driver.http("operator", "GET", f"/threads/{theirs}").status_code == 404  # it is free
