"""What one worker knows or was told, another goes by within a second: in processes of their own, on one PostgreSQL and
one Redis. The second begins when the first worker has answered.

Rates are in `test_shared_rates`, and breakers, rates and the cron through an engine in `test_cluster`.
"""

import asyncio
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Event, Thread
from typing import Any, Final

import httpx
import psycopg
import pytest

from agent.identity import Caller
from agent.ledger.schema import upgrade
from agent.resilience import BreakerConfig
from agent.resilience.redis_store import RedisStore
from agent.settings import Settings
from agent.shop import SHOP
from agent.tokens import add_token
from tests.support.clock import Clock
from tests.support.live_server import ROOT, START_LIMIT, Process, free_port, wait_for
from tests.support.orders import SMALL
from tests.support.orders import order as an_order
from tests.support.redis_server import Redis
from tests.support.workers import Pair, Worker, answered

A_SECOND: Final = 1.0

PROBES: Final = BreakerConfig().permitted_calls_in_half_open

OPERATOR: Final = Caller("op-1", "operator")


def within_a_second(holds: Callable[[], bool], what: str) -> None:
    """Ask until it is so; an answer that comes later does not count."""
    began, held = time.monotonic(), False
    while not held:
        held = holds()
        assert time.monotonic() - began < A_SECOND, what
        time.sleep(0.01)


@pytest.fixture
def pair(url: str, redis: Redis, tmp_path: Path) -> Iterator[Pair]:
    """Two workers on a ledger with goods in it; each in a folder of its own."""
    upgrade(url)
    workers = [Worker(), Worker()]
    config = Settings(data_dir=tmp_path, database_url=url, redis_url=redis.url, order_sum_hours=0)
    pair = Pair(workers, config, Clock())
    try:
        pair.one("load")
        yield pair
    finally:
        for worker in workers:
            worker.end()


def first(pair: Pair, act: str, *args: Any) -> Any:
    """What came of an act of the first worker's."""
    return answered([pair.first(act, *args)])[0]


def other(pair: Pair, act: str, *args: Any) -> Any:
    """What came of an act of the other's."""
    return answered([pair.one(act, *args)])[0]


def test_retries_that_one_worker_spent_are_not_there_for_the_other(pair: Pair) -> None:
    assert other(pair, "retries_left", "payment") == 20
    assert first(pair, "retry", "payment", 50) == 20
    within_a_second(lambda: other(pair, "retries_left", "payment") < 3, "the other worker still has its own budget")
    assert other(pair, "retry", "payment", 50) <= 3  # 2 a second come back
    assert other(pair, "retries_left", "carrier") == 20


def test_a_frozen_redis_leaves_each_worker_its_own_budget_and_holds_no_order_up(pair: Pair, redis: Redis) -> None:
    other(pair, "retries_left", "payment")
    redis.freeze()
    try:
        began = time.monotonic()
        assert first(pair, "retry", "payment", 50) == 20
        assert other(pair, "retry", "payment", 50) == 20
        assert time.monotonic() - began < A_SECOND
        assert first(pair, "order_that_flows", "F-1") == "completed"
    finally:
        redis.thaw()


def test_an_order_and_its_key_are_known_to_the_other_worker_at_once(pair: Pair) -> None:
    order: dict[str, Any] = an_order(SMALL, order_id="K-1")["order"]
    placed = first(pair, "place", order)
    assert other(pair, "queries.get", "K-1")["status"] == "pending"
    assert other(pair, "place", order) == placed
    again = pair.one("place", {**order, "lines": [{"sku": "DESK-OAK", "quantity": 3}]})
    assert again["error"] == "KeyReusedError"


def test_a_price_that_is_changed_is_told_by_both_workers_at_once(pair: Pair) -> None:
    def price(said: list[dict[str, Any]]) -> int:
        return next(int(option["price"]) for option in said if option["sku"] == "DESK-OAK")

    before = price(first(pair, "queries.options", "DESK-OAK"))
    assert price(other(pair, "queries.options", "DESK-OAK")) == before
    with psycopg.connect(pair.config.database_url) as ledger:
        ledger.execute("UPDATE variants SET price = price + 100 WHERE sku = 'DESK-OAK'")
    assert price(first(pair, "queries.options", "DESK-OAK")) == before + 100
    assert price(other(pair, "queries.options", "DESK-OAK")) == before + 100


def test_workers_with_other_articles_share_no_answer_of_theirs(tmp_path: Path) -> None:
    def key(folder: Path) -> str:
        program = (
            "from agent.node_policies import QUESTIONS;"
            "print(repr(QUESTIONS.key_func({'topics': [{'slots': {'text': 'How do returns work?'}}]})))"
        )
        env = os.environ | {"SHOP_DIR": str(folder), "PYTHONPATH": f"{ROOT / 'src'}:{ROOT}"}
        return subprocess.run(
            [sys.executable, "-c", program], env=env, cwd=ROOT, check=True, capture_output=True, text=True
        ).stdout

    shutil.copytree(SHOP.folder, tmp_path / "same")
    shutil.copytree(SHOP.folder, tmp_path / "edited")
    article = next((tmp_path / "edited").rglob("articles/*.md"))
    article.write_text(f"{article.read_text()}\nAnd one more sentence.\n")
    assert key(tmp_path / "same") == key(SHOP.folder) != key(tmp_path / "edited")


class Network:
    """A payment network without payments. While it `holds`, it takes a request and is silent until it ends."""

    def __init__(self) -> None:
        self.asked, self.holds, self._over = 0, False, Event()
        network = self

        class Answer(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                network.asked += 1
                if network.holds:
                    network._over.wait()
                    return
                body = b'{"movements": []}'
                self.send_response(200)
                self.send_header("content-type", "application/json")
                self.send_header("content-length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: Any) -> None:
                """Nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Answer)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"

    @contextmanager
    def running(self) -> Iterator["Network"]:
        thread = Thread(target=self._server.serve_forever)
        thread.start()
        try:
            yield self
        finally:
            self._over.set()
            self._server.shutdown()
            thread.join()
            self._server.server_close()


class Desk:
    """A worker that serves, and an operator's client of it."""

    def __init__(self, folder: Path, token: str, **env: str) -> None:
        folder.mkdir()
        self._port = free_port()
        self.client = httpx.Client(
            base_url=f"http://127.0.0.1:{self._port}", headers={"x-api-key": token}, timeout=60, trust_env=False
        )
        inherited = {name: value for name, value in os.environ.items() if name.lower() not in Settings.model_fields}
        own = {"DATA_DIR": str(folder / "data"), "PYTHONPATH": f"{ROOT / 'src'}:{ROOT}"}
        command = [sys.executable, "-m", "tests.support.http_worker", str(self._port)]
        self.process = Process(command, folder / "log", folder, inherited | own | env)

    def answers(self) -> bool:
        try:
            return self.client.get("/ops/health").status_code == 200
        except httpx.TransportError:
            assert self.process.alive, self.process.log.read_text()
            return False

    def compares(self) -> int:
        """Ask the payment provider; 503 when its breaker refuses."""
        return self.client.post("/ops/compare").status_code

    def breaker(self) -> str:
        found = self.client.get("/ops/breakers").json()["breakers"]
        return next(str(each["state"]) for each in found if each["name"] == "payment")


@pytest.fixture
def network() -> Iterator[Network]:
    with Network().running() as network:
        yield network


@pytest.fixture
def digests(tmp_path: Path) -> Path:
    return tmp_path / "digests.json"


@pytest.fixture
def desks(url: str, redis: Redis, network: Network, digests: Path, tmp_path: Path) -> Iterator[tuple[Desk, Desk]]:
    """Two workers that serve, with one file of tokens."""
    upgrade(url)
    token = add_token(digests, OPERATOR)
    env = {
        "DATABASE_URL": url,
        "REDIS_URL": redis.url,
        "TOKEN_DIGESTS_FILE": str(digests),
        "TRAIL_KEY": "0123456789abcdef" * 4,
        "PAYMENT_URL": network.url,
        "PAYMENT_TIMEOUT_SECONDS": "20",  # so a probe's lease is one of 40 s
        "SEED_SHOP": "false",
        "RECONCILE_CRON": "",
        "DRAIN_SECONDS": "10",
    }
    with ExitStack() as ending:
        both = Desk(tmp_path / "one", token, **env), Desk(tmp_path / "other", token, **env)
        for desk in both:
            ending.callback(desk.client.close)
            ending.callback(desk.process.end, signal.SIGKILL)
        for desk in both:
            wait_for(desk.answers, START_LIMIT, desk.process.log.read_text)
        yield both


def test_a_token_that_is_revoked_is_refused_by_both_workers(desks: tuple[Desk, Desk], digests: Path) -> None:
    token = add_token(digests, Caller("ada_park", "customer"))

    def statuses() -> list[int]:
        return [desk.client.get("/ops/me", headers={"x-api-key": token}).status_code for desk in desks]

    within_a_second(lambda: statuses() == [200, 200], "a new token is not known")
    env = os.environ | {"TOKEN_DIGESTS_FILE": str(digests), "PYTHONPATH": f"{ROOT / 'src'}:{ROOT}"}
    desk = [sys.executable, "-c", "from agent.client.cli import main; main()", "tokens", "revoke", "ada_park"]
    subprocess.run(desk, env=env, cwd=digests.parent, check=True, capture_output=True)
    within_a_second(lambda: statuses() == [401, 401], "a revoked token is taken")


def test_a_dependency_that_is_closed_at_one_worker_is_not_asked_by_the_other(
    desks: tuple[Desk, Desk], network: Network
) -> None:
    one, two = desks
    assert (one.compares(), two.compares()) == (200, 200)
    one.client.post("/ops/breakers/payment/force-open")
    within_a_second(lambda: two.compares() == 503, "the other worker still asks")
    asked = network.asked
    assert two.compares() == 503
    assert network.asked == asked
    one.client.post("/ops/breakers/payment/reset")
    within_a_second(lambda: two.compares() == 200, "the other worker does not ask again")


def test_a_worker_that_stops_hands_its_probe_back_and_the_other_probes_at_once(
    desks: tuple[Desk, Desk], network: Network, redis: Redis
) -> None:
    one, two = desks
    assert (one.compares(), two.compares()) == (200, 200)
    asyncio.run(_opened(redis.url))
    wait_for(lambda: one.breaker() == "open" == two.breaker(), 5, lambda: "it is not open")
    network.holds, asked = True, network.asked
    with ThreadPoolExecutor(PROBES) as pool:
        probes = [pool.submit(one.client.post, "/ops/compare") for _ in range(PROBES)]
        wait_for(lambda: network.asked == asked + PROBES, 5, lambda: "nobody probes")
        network.holds = False  # from now on it answers; of the probes under way nobody hears any more
        assert two.compares() == 503, "one probes, and the other does not"
        assert network.asked == asked + PROBES

        one.process.tell(signal.SIGTERM)  # which breaks answers off a second later, and not before
        within_a_second(lambda: two.compares() == 200, "the other worker waits for the lease to end")
        assert {probe.result(timeout=10).status_code for probe in probes} == {503}, "they were not cut"


async def _opened(url: str) -> None:
    """The payment provider failed a moment ago, and may be probed."""
    store = RedisStore(url, prefix="order-desk:breaker")
    await store.open("payment", 0, "connection", 0.001, 1)
    await store.close()
