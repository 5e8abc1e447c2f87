"""Two workers of the desk on one PostgreSQL and one Redis: whichever is asked, and whatever becomes of one, each thing
is done once.

They run on aegra, in an environment of their own: `tests.cluster.engine`.
"""

import json
import subprocess
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest
from langgraph_sdk.errors import ConflictError

from agent.identity import Caller
from agent.platform import order_thread
from agent.tokens import add_token, revoke_tokens
from tests.cluster.drill import play
from tests.cluster.engine import environment
from tests.cluster.workers import Cluster, Worker, cluster, how_to_use
from tests.support.books import PostgresLedger
from tests.support.driver import Driver, Run, an_order, together
from tests.support.goods import goods_dir
from tests.support.live_server import LiveNetwork, wait_for

pytestmark = pytest.mark.timeout(400)

RATE = 30
"""Starts and changes of one customer in a minute."""

DEAR = ("TABLE-WALNUT", "SOFA-LINEN", "SOFA-WOOL", "SOFA-VELVET")
"""What one piece of needs an order manager's yes."""

CUSTOMERS = (("ada_park", "ada_card"), ("ben_ortiz", "ben_card"), ("chloe_meyer", "chloe_card"))


@pytest.fixture(scope="module")
def network(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveNetwork]:
    """The card network of both workers."""
    network = LiveNetwork(tmp_path_factory.mktemp("network"), slow_seconds=1.0)
    network.spawn()
    try:
        wait_for(network.answers, 30, lambda: "the card network does not answer")
        yield network
    finally:
        network.stop()


@pytest.fixture(scope="module")
def both(engine: None, network: LiveNetwork, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """The workers, for all tests here: who cuts one off brings it back."""
    shop = {"SHOP_DIR": goods_dir(), "PAYMENT_URL": network.url, "CUSTOMER_RATE": f"{RATE}/minute"}
    with cluster(tmp_path_factory.mktemp("cluster"), **shop) as workers:
        yield workers


@pytest.fixture
def drivers(both: Cluster) -> Iterator[tuple[Driver, Driver]]:
    """Clients of each worker."""
    first, second = both.workers
    with Driver(first) as one, Driver(second) as other:
        yield one, other


def test_an_order_is_sent_to_one_worker_and_approved_at_the_other(drivers: tuple[Driver, Driver]) -> None:
    one, other = drivers
    asked = one.order(an_order("C-1", {"DESK-OAK": 2}))
    assert asked.waiting
    assert asked.waiting["roles"] == ["order_manager"]
    assert other.answer("order_manager", asked, "approve").stage == "completed"
    assert one.order_row("C-1")["status"] == "processed"


def test_a_conversation_goes_on_at_the_other_worker(drivers: tuple[Driver, Driver]) -> None:
    one, other = drivers
    thread = one.conversation()
    one.ask("Where is my order?", thread=thread)
    messages = other.ask("How long do returns take?", thread=thread).values["messages"]
    assert [each["content"] for each in messages if each["type"] == "human"] == [
        "Where is my order?",
        "How long do returns take?",
    ]


def test_whoever_is_not_asked_cannot_answer(drivers: tuple[Driver, Driver]) -> None:
    one, other = drivers
    asked = one.order(an_order("C-2", {"DESK-OAK": 2}))
    for role, status in (("billing_agent", 403), ("channel", 403), ("customer", 404), ("operator", 403)):
        assert (role, _run(other, role, asked, command={"resume": {"decisions": [{"type": "approve"}]}})) == (
            role,
            status,
        )
    assert other.order_row("C-2")["stage"] == "awaiting_approval"
    assert one.answer("order_manager", asked, "reject", "not now").stage == "cancelled"


@pytest.mark.parametrize(
    ("what", "status"),
    [
        ({"command": {"goto": "charge"}}, 403),
        ({"command": {"resume": {"decisions": [{"type": "approve"}]}, "update": {"order": {}}}}, 403),
        ({"command": {"resume": None}}, 403),
        ({"input": {"order": {}}, "checkpoint_id": str(uuid4())}, 403),
        ({"command": {"resume": {"decisions": [{"type": "approve"}]}}, "checkpoint_id": str(uuid4())}, 409),
        ({"command": {"resume": {"decisions": [{"type": "approve"}]}}, "interrupt_before": "*"}, 403),
        ({"command": {"resume": {"decisions": [{"type": "approve"}]}}, "multitask_strategy": "rollback"}, 403),
        ({"input": {"messages": []}, "assistant_id": "customer_service"}, 422),
        ({"input": {}, "config": []}, 422),
    ],
)
def test_a_way_round_the_approval_is_closed(
    drivers: tuple[Driver, Driver], waiting: Run, what: dict[str, Any], status: int
) -> None:
    assert _run(drivers[1], "order_manager", waiting, **what) == status


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/threads/{}/state"),
        ("POST", "/threads/{}/commands"),
        ("GET", "/threads/{}/stream"),
        ("DELETE", "/threads/{}/runs/00000000-0000-0000-0000-000000000000"),
        ("POST", "/threads/{}/copy"),
        ("POST", "/threads/{}/runs/crons"),
        ("POST", "/threads/prune"),
        ("POST", "/runs/cancel"),
        ("POST", "/assistants"),
        ("PUT", "/store/items"),
        ("POST", "/a2a/order_processing"),
        ("POST", "/mcp"),
        ("GET", "/docs"),
        ("GET", "/openapi.json"),
        ("GET", "/health"),
    ],
)
def test_what_the_engine_serves_besides_is_not_served(
    drivers: tuple[Driver, Driver], waiting: Run, method: str, path: str
) -> None:
    assert drivers[0].http("admin", method, path.format(waiting.thread), {}).status_code == 404


@pytest.mark.parametrize(
    "sent",
    [
        ("order_manager", "/threads/{}/runs", '{"assistant_id": "order_processing", "command": {"resume": BAD}}'),
        ("channel", "/threads/search", '{"metadata": {"owner": BAD}}'),
        ("channel", "/assistants/search", '{"metadata": {"owner": BAD}}'),
        ("channel", "/threads/{}/history", '{"before": {"configurable": BAD}}'),
    ],
)
@pytest.mark.parametrize("bad", ["NaN", "1e999", str(10**30), '"\\ud800"', "[" * 300 + "]" * 300],
                         ids=["NaN", "infinite", "large", "half a pair", "deep"])  # fmt: skip
def test_what_no_store_holds_is_refused_and_what_waits_goes_on_waiting(
    drivers: tuple[Driver, Driver], waiting: Run, sent: tuple[str, str, str], bad: str
) -> None:
    role, path, body = sent
    assert drivers[1].raw(role, path.format(waiting.thread), body.replace("BAD", bad)).status_code == 422
    assert drivers[0].client("operator").threads.get(waiting.thread)["status"] == "interrupted"


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "/threads", {"thread_id": "zz"}),
        ("POST", "/threads/search", {"offset": 2**63}),
        ("POST", "/threads/{}/history", {"metadata": {"step": 1}}),
        ("GET", "/threads/{}/runs?limit=99999999999999999999", None),
    ],
)
def test_what_the_engine_fails_at_is_refused(
    drivers: tuple[Driver, Driver], waiting: Run, method: str, path: str, body: Any
) -> None:
    assert drivers[0].http("channel", method, path.format(waiting.thread), body).status_code == 422


def test_what_waits_was_neither_approved_nor_paid_by_any_of_these(
    both: Cluster, network: LiveNetwork, waiting: Run
) -> None:
    ledger = PostgresLedger(both.ledger)
    assert ledger.order("W-1")["stage"] == "awaiting_approval"
    assert [row["status"] for row in ledger.rows("SELECT status FROM approvals WHERE order_id = 'W-1'")] == ["open"]
    assert (
        ledger.rows("SELECT d.decision FROM decisions d JOIN approvals a ON a.id = d.request_id WHERE order_id = 'W-1'")
        == []
    )
    assert [charge for charge in network.ledger()["charges"] if charge["key"].startswith("W-1:")] == []


def test_a_thread_is_its_owners_and_the_staffs(drivers: tuple[Driver, Driver], waiting: Run) -> None:
    one, other = drivers
    for path in ("", "/state", "/runs"):
        assert one.http("customer", "GET", f"/threads/{waiting.thread}{path}").status_code == 404
        assert other.http("order_manager", "GET", f"/threads/{waiting.thread}{path}").status_code == 200
    for role, found in (("customer", False), ("channel", True), ("order_manager", True)):
        threads = other.client(role).threads.search(ids=[waiting.thread], select=["thread_id", "interrupts"])
        assert bool(threads) == found
        assert all(len(thread["interrupts"]) == 1 for thread in threads)
    assert one.http("customer", "POST", "/threads", {"thread_id": waiting.thread}).status_code == 403
    assert one._bare.get(f"/threads/{waiting.thread}").status_code == 401


def test_of_two_opposite_answers_over_two_workers_one_counts_and_the_other_is_told(
    both: Cluster, drivers: tuple[Driver, Driver], network: LiveNetwork
) -> None:
    def race(number: int) -> None:
        customer, method = CUSTOMERS[number % len(CUSTOMERS)]
        order = f"O-{number}"
        line = {DEAR[number % len(DEAR)]: 1}
        asked = drivers[number % 2].order(an_order(order, line, customer=customer, method=method))
        said = together(
            lambda: _answer(drivers[0], asked, "approve"),
            lambda: _answer(drivers[1], asked, "reject"),
        )
        assert sorted(said) in (["completed", "told"], ["cancelled", "told"])
        approved = "completed" in said
        decided = ledger.rows(
            "SELECT d.decision FROM decisions d JOIN approvals a ON a.id = d.request_id WHERE a.order_id = ?", order
        )
        assert [row["decision"] for row in decided] == ["approve" if approved else "reject"]
        assert ledger.order(order)["stage"] == ("completed" if approved else "cancelled")
        charged = [charge for charge in network.ledger()["charges"] if charge["key"].startswith(f"{order}:")]
        assert len(charged) == approved

    ledger = PostgresLedger(both.ledger)
    with ThreadPoolExecutor(10) as pool:
        assert len(list(pool.map(race, range(50)))) == 50


def test_what_one_worker_knows_the_other_knows_within_a_second(drivers: tuple[Driver, Driver]) -> None:
    one, other = drivers

    def breaker() -> str:
        found = other.http("operator", "GET", "/ops/breakers").json()["breakers"]
        return next(str(each["state"]) for each in found if each["name"] == "carrier")

    one.http("operator", "POST", "/ops/breakers/carrier/force-open")
    wait_for(lambda: breaker() != "closed", 1, lambda: "the breaker is not known to be open")
    one.http("operator", "POST", "/ops/breakers/carrier/reset")
    wait_for(lambda: breaker() == "closed", 1, lambda: "the breaker is not known to be closed")

    codes = Counter(one.http("customer", "POST", "/threads", {"metadata": {}}).status_code for _ in range(RATE))
    assert codes[200] >= RATE - 2  # other tests are this customer as well
    assert other.http("customer", "POST", "/threads", {"metadata": {}}).status_code == 429

    crons = other.client("service").crons.search(limit=100)
    assert [cron["schedule"] for cron in crons] == ["* * * * *"]
    assert one.client("service").crons.search(limit=100) == crons


def test_a_token_that_is_revoked_opens_nothing_at_either_worker(drivers: tuple[Driver, Driver]) -> None:
    digests = drivers[0].server.tokens_file.with_suffix(".sha256.json")
    token = add_token(digests, Caller("jonas_weber", "customer"))

    def statuses() -> list[int]:
        headers = {"x-api-key": token}
        return [driver._bare.post("/threads/search", json={}, headers=headers).status_code for driver in drivers]

    wait_for(lambda: statuses() == [200, 200], 5, lambda: f"it opens nothing: {statuses()}")
    revoke_tokens(digests, "jonas_weber")
    wait_for(lambda: statuses() == [401, 401], 5, lambda: f"it opens: {statuses()}")


def test_a_worker_that_cannot_load_its_guard_lets_nobody_in(both: Cluster, tmp_path: Path) -> None:
    first, unguarded = both.workers[0], Worker(tmp_path / "unguarded", environment())
    unguarded.env = first.env | {"LANGGRAPH_API_URL": unguarded.url}
    config = unguarded.folder / "aegra.json"
    config.write_text(json.dumps(json.loads(config.read_text()) | {"auth": {"path": "./misspelt.py:auth"}}))
    unguarded.spawn()
    try:
        for role in ("operator", "nobody"):
            refused = wait_for(partial(_search, unguarded, first.tokens.get(role, "")), 60, unguarded.log_end)
            assert refused == (503, {"detail": "aegra.json must name agent.server.aegra:auth"})
    finally:
        unguarded.kill()


def _search(worker: Worker, token: str) -> tuple[int, Any] | None:
    try:
        answer = httpx.post(f"{worker.url}/threads/search", json={}, headers={"x-api-key": token}, trust_env=False)
    except httpx.TransportError:
        return None
    return answer.status_code, answer.json()


def test_studio_is_told_nothing(drivers: tuple[Driver, Driver], waiting: Run) -> None:
    for method, path in (
        ("GET", "/ops/orders/W-1"),
        ("GET", f"/threads/{waiting.thread}"),
        ("POST", "/threads/search"),
    ):
        answer = drivers[0]._bare.request(method, path, json={}, headers={"x-auth-scheme": "langsmith"})
        assert answer.status_code in (401, 403)
        assert set(answer.json()) == {"detail"}


def test_what_make_cluster_prints_is_of_use(both: Cluster, waiting: Run) -> None:
    printed = how_to_use(both)
    listed = subprocess.run(printed["try"], shell=True, capture_output=True, text=True, check=True)  # noqa: S602  (ours)
    assert "W-1" in listed.stdout
    for url in printed["workers"]:
        assert "<title>" in httpx.get(url, trust_env=False).raise_for_status().text


def test_a_question_that_is_asked_over_both_workers_is_asked_once(drivers: tuple[Driver, Driver], waiting: Run) -> None:
    assert waiting.waiting
    path = f"/ops/approvals/{waiting.waiting['request_id']}/ask"
    asked = [
        driver._bare.post(path, json={"text": "Which floor?"}, headers={
            "x-api-key": driver.server.tokens["order_manager"], "idempotency-key": "floor"}).json()
        for driver in drivers
    ]  # fmt: skip
    assert asked[0] == asked[1]


def test_a_worker_is_killed_among_orders_and_each_is_charged_once(both: Cluster, network: LiveNetwork) -> None:
    report = play(both, network, "K", 40, "kill")
    assert report.cut
    assert report.taken_over_seconds <= 60
    assert report.stuck == {}
    assert report.wrongly_charged == {}


def test_a_zombie_changes_nothing_twice(both: Cluster, network: LiveNetwork) -> None:
    report = play(both, network, "Z", 40, "freeze")
    assert report.cut
    assert report.taken_over_seconds <= 60
    assert report.stuck == {}
    assert report.wrongly_charged == {}
    assert report.after_waking == report.after


def test_a_worker_that_stops_while_people_answer_loses_nothing_and_does_nothing_twice(
    both: Cluster, drivers: tuple[Driver, Driver], network: LiveNetwork
) -> None:
    one, other = drivers
    stopping, ledger = both.workers[1], PostgresLedger(both.ledger)
    names = [f"S-{number}" for number in range(8)]

    def asks(number: int) -> Run:
        customer = CUSTOMERS[number % len(CUSTOMERS)][0]
        method = f"{customer.partition('_')[0]}_slow"
        return one.order(an_order(names[number], {DEAR[number % len(DEAR)]: 1}, customer=customer, method=method))

    def says_yes(asked: Run) -> int:
        return _run(other, "order_manager", asked, command={"resume": {"decisions": [{"type": "approve"}]}})

    def stops() -> int:
        wait_for(lambda: both.held_by(stopping), 20, lambda: "it never had anything to do")
        stopping.stop()
        return 200

    def stages() -> list[str]:
        return [str(ledger.order(name)["stage"]) for name in names]

    asked = together(*(partial(asks, number) for number in range(len(names))))
    with suppress(httpx.TransportError):  # who comes when it has stopped
        assert {*together(stops, *(partial(says_yes, each) for each in asked))} <= {200, 503}
    for each in asked:  # those again who got no answer
        with suppress(ConflictError):
            one.answer("order_manager", each, "approve")
    wait_for(lambda: {*stages()} == {"completed"}, 60, lambda: f"{stages()}")
    charged = Counter(charge["key"].partition(":")[0] for charge in network.ledger()["charges"])
    assert [charged[name] for name in names] == [1] * len(names)
    stopping.start()


def test_more_orders_at_once_than_the_engine_has_connections_are_all_taken(drivers: tuple[Driver, Driver]) -> None:
    one, _ = drivers
    orders = [an_order(f"B-{number}", {"NO-SUCH-THING": 1}) for number in range(60)]

    def send(order: dict[str, Any]) -> int:
        body = {"assistant_id": "order_processing", "input": {"order": order}, "if_not_exists": "create"}
        thread = order_thread(order["order_id"], "channel:channel-1")
        return one.http("channel", "POST", f"/threads/{thread}/runs", body).status_code

    assert together(*(partial(send, order) for order in orders)) == [200] * len(orders)


@pytest.fixture(scope="module")
def waiting(both: Cluster) -> Run:
    """An order of the channel's that waits for an order manager."""
    with Driver(both.workers[0]) as driver:
        return driver.order(an_order("W-1", {"DESK-WALNUT": 2}))


def _run(driver: Driver, role: str, asked: Run, **what: Any) -> int:
    return driver.http(role, "POST", f"/threads/{asked.thread}/runs", {"assistant_id": asked.graph, **what}).status_code


def _answer(driver: Driver, asked: Run, decision: Any) -> str:
    """Where the order is after this answer, or that it was told that it does not count."""
    try:
        return driver.answer("order_manager", asked, decision, "as agreed").stage
    except ConflictError:
        return "told"
