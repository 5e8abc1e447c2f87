"""One machine that keeps everything (`langgraph.serve.json`): told to stop under load, and killed.

What was accepted is what the ledger has; each of it comes to its end, or waits for somebody who can answer.
"""

import re
import signal
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, cast

import httpx
import pytest
from langgraph_sdk.errors import APIError

from agent.platform import order_thread
from agent.server.stopping import SAME_SECONDS
from tests.support.books import CardNetwork, Ledger, check_money, check_stock
from tests.support.chains import OF_LARGE
from tests.support.driver import Driver, Run, an_order
from tests.support.goods import goods_dir
from tests.support.live_server import LiveServer, wait_for

pytestmark = pytest.mark.thorough

NEW_YEAR = "0 0 1 1 *"
"""When the cron fires: not while the tests run the reconciler themselves."""
GRACE_SECONDS = 30
SKUS = ("MUG-BLUE", "LAMP-OAK", "VASE-SMALL")
SLOW_SECONDS = 2.0
"""What the card network takes to answer for one card."""


class Site:
    """The server, with its ledger, its card network, and customers who listen for what becomes of their orders."""

    def __init__(self, folder: Path, network: CardNetwork, driver: Driver, customers: ThreadPoolExecutor) -> None:
        self.server, self.network, self.driver = driver.server, network, driver
        self.ledger = Ledger(folder / "data" / "ledger.db")
        self._customers = customers

    def order(self, order_id: str, lines: dict[str, int], method: str = "ada_card") -> Future[None]:
        """Send an order in, and listen until it is over or the connection breaks."""
        return self._customers.submit(self._order, order_id, lines, method)

    def _order(self, order_id: str, lines: dict[str, int], method: str) -> None:
        with suppress(httpx.TransportError, APIError):
            self.driver.client("channel").runs.wait(
                order_thread(order_id, "channel:channel-1"), "order_processing",
                input={"order": an_order(order_id, lines, method=method)}, if_not_exists="create",
                multitask_strategy="reject", raise_error=False,
            )  # fmt: skip

    def log(self) -> str:
        """What the server printed, without its colours."""
        return re.sub(r"\x1b\[[0-9;]*m", "", (self.server.folder / "server.log").read_text())

    def stages(self) -> dict[str, str]:
        """Of every order of these tests."""
        rows = self.ledger.rows("SELECT id, stage FROM orders WHERE id LIKE 'T-%'")
        return {str(row["id"]): str(row["stage"]) for row in rows}

    def until(self, orders: int, *stages: str) -> None:
        """Wait until there are so many orders, each in one of these stages."""
        wait_for(lambda: self._are(orders, stages), 60, lambda: str(self.stages()))

    def reconciled_until(self, orders: int, *stages: str) -> None:
        """The same, with the reconciler at work."""

        def are() -> bool:
            self.driver.reconcile()
            return self._are(orders, stages)

        wait_for(are, 60, lambda: str(self.stages()))

    def _are(self, orders: int, stages: Sequence[str]) -> bool:
        now = self.stages()
        return len(now) == orders and {*now.values()} <= {*stages}

    def charged(self) -> list[str]:
        """The keys of what the card network took for these orders."""
        return [key for key in self.network.captured() if key.startswith("T-")]

    def answer(self, asked: Run) -> Future[Run]:
        """Say yes, and listen no longer than the connection lasts."""
        return self._customers.submit(self.driver.answer, OF_LARGE[0], asked, "approve")

    def ask(self, text: str) -> str:
        """Say something in a new conversation, and listen no longer than the connection lasts; its thread."""
        thread_id = self.driver.conversation()
        self._customers.submit(self.driver.ask, text, thread=thread_id)
        return thread_id

    def said_in(self, thread_id: str) -> list[dict[str, Any]]:
        """The messages of a conversation, but for notifications."""
        values = self.driver.client("channel").threads.get_state(thread_id)["values"]
        messages = cast(dict[str, Any], values or {}).get("messages", [])
        return [each for each in messages if ":" not in each["id"]]

    def shown(self, order_id: str) -> Run:
        """What an order waits for, as its thread shows it to whoever looks for threads that wait."""
        staff, thread_id = self.driver.client(OF_LARGE[0]), order_thread(order_id, "channel:channel-1")

        def found() -> dict[str, Any] | None:
            self.driver.reconcile()
            waiting = {thread["thread_id"]: thread for thread in staff.threads.search(status="interrupted")}
            return cast(dict[str, Any] | None, waiting.get(thread_id))

        thread = wait_for(found, 30, self.server.log_end)
        [[interrupt]] = thread["interrupts"].values()  # type: ignore[index]
        return Run(thread_id, "order_processing", waiting=interrupt["value"])


@contextmanager
def a_site(folder: Path, *, slow: float = SLOW_SECONDS, grace: int = GRACE_SECONDS) -> Iterator[Site]:
    """A site in this folder, its server running; seconds that a slow card takes, and that the server has to stop."""
    with CardNetwork(folder / "network.db", slow_seconds=slow) as network:
        server = LiveServer(
            folder, config="langgraph.serve.json", SHOP_DIR=goods_dir(), PAYMENT_URL=network.url,
            PAYMENT_TIMEOUT_SECONDS=str(slow + 6), RECONCILE_CRON=NEW_YEAR, STALE_AFTER_SECONDS="0",
            DRAIN_SECONDS=str(grace), NODE_CACHE_FILE=str(folder / "nodes.db"),
        )  # fmt: skip
        with Driver(server) as driver, ThreadPoolExecutor(40) as customers:
            try:
                server.start()
                yield Site(folder, network, driver, customers)
            finally:
                server.kill()  # and so nobody listens for ever


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    """A site of its own."""
    with a_site(tmp_path) as made:
        yield made


def said(site: Site, event: str) -> list[int]:
    """The numbers that the server said with an event."""
    lines = [line for line in site.log().splitlines() if event in line]
    return [int(number) for line in lines for number in re.findall(r"number=(\d+)", line)]


def test_a_server_that_is_told_to_stop_under_load_cuts_no_run_and_each_order_is_charged_once(site: Site) -> None:
    pieces = site.ledger.pieces()
    waiting = [site.driver.order(an_order(f"T-large-{number}", {"DESK-OAK": 2})) for number in range(3)]
    before = site.log().count("Created run")
    for number in range(30):
        site.order(f"T-{number}", {SKUS[number % 3]: 1}, method="ada_slow" if number % 2 else "ada_card")
    wait_for(lambda: {"completed", "approved"} <= {*site.stages().values()}, 30, site.server.log_end)
    for run in waiting:
        site.answer(run)
    conversations = [site.ask("How do returns work?") for _ in range(3)]
    wait_for(lambda: site.log().count("Created run") == before + 36, 20, site.server.log_end)

    site.server.tell(signal.SIGTERM)
    wait_for(lambda: said(site, "worker.draining"), 5, site.server.log_end)
    ready = httpx.get(f"{site.server.url}/ops/ready", trust_env=False)
    refused = site.driver.http("channel", "POST", "/runs/wait", {"assistant_id": "order_processing", "input": {}})
    assert site.server.ended_within(GRACE_SECONDS) == -signal.SIGTERM

    assert (ready.status_code, ready.json()) == (503, {"status": "draining"})
    assert (refused.status_code, refused.headers["retry-after"]) == (503, "5")
    assert (said(site, "worker.draining")[0] > 0, said(site, "worker.drained")) == (True, [0]), "runs that were cut"
    site.server.start()
    site.until(33, "completed")
    assert sorted(site.charged()) == sorted(f"{order_id}:pay:1" for order_id in site.stages())
    for thread_id in conversations:
        wait_for(lambda of=thread_id: len(site.said_in(of)) == 2, 20, lambda of=thread_id: str(site.said_in(of)))  # type: ignore[misc]
        assert [each["type"] for each in site.said_in(thread_id)] == ["human", "ai"], "once, and answered once"
    check_money(site.ledger, site.network)
    check_stock(site.ledger, pieces)


def test_a_server_that_is_told_twice_ends_at_once_and_what_was_cut_is_taken_on(tmp_path: Path) -> None:
    with a_site(tmp_path, slow=60, grace=30) as site:
        site.order("T-cut", {"LAMP-OAK": 1}, method="ada_slow")
        wait_for(lambda: site.charged() == ["T-cut:pay:1"], 20, site.server.log_end)
        site.server.tell(signal.SIGTERM)
        wait_for(lambda: said(site, "worker.draining"), 5, site.server.log_end)
        site.server.tell(signal.SIGTERM)  # as a reloader passes the first one on: the same
        time.sleep(SAME_SECONDS)
        assert site.server.alive
        site.server.tell(signal.SIGTERM)
        assert site.server.ended_within(5) == -signal.SIGTERM
        assert said(site, "worker.drained") == []

        site.server.start()
        site.reconciled_until(1, "completed")
        assert site.charged() == ["T-cut:pay:1"]


def test_a_step_that_takes_longer_than_there_is_time_is_cut_and_taken_on(tmp_path: Path) -> None:
    with a_site(tmp_path, slow=60, grace=10) as site:
        site.order("T-cut", {"LAMP-OAK": 1}, method="ada_slow")
        wait_for(lambda: site.charged() == ["T-cut:pay:1"], 20, site.server.log_end)
        site.server.tell(signal.SIGTERM)
        assert site.server.ended_within(11) == -signal.SIGTERM
        assert said(site, "worker.drained") == [1]

        site.server.start()
        site.reconciled_until(1, "completed")
        assert site.charged() == ["T-cut:pay:1"]


@contextmanager
def placed(site: Site, order_id: str) -> Iterator[None]:
    """An order has just been accepted, and no more."""
    site.order(order_id, {"STOOL-OAK": 1})
    with site.ledger.held_at(order_id, "placed"):
        yield


@contextmanager
def charged(site: Site, order_id: str) -> Iterator[None]:
    """An order is paid, and the answer is not back yet."""
    site.order(order_id, {"STOOL-OAK": 1}, method="ada_slow")
    wait_for(lambda: f"{order_id}:pay:1" in site.charged(), 20, site.server.log_end)
    yield


@contextmanager
def paid(site: Site, order_id: str) -> Iterator[None]:
    """An order is paid, and its parcels are not with the carrier yet."""
    site.order(order_id, {"STOOL-OAK": 1, "MUG-BLUE": 1})
    with site.ledger.held_at(order_id, "paid"):
        yield


def test_a_server_that_is_killed_loses_no_accepted_order_and_no_approval(site: Site) -> None:
    pieces, accepted = site.ledger.pieces(), set[str]()
    for kill, caught in enumerate((placed, charged, paid)):
        site.driver.order(an_order(f"T-large-{kill}", {"DESK-OAK": 2}))
        for number in range(5):
            site.order(f"T-{kill}-{number}", {SKUS[number % 3]: 1}, method="ada_slow" if number % 2 else "ada_card")
        with caught(site, f"T-caught-{kill}"):
            site.server.kill()
        accepted |= site.stages().keys()
        site.server.start()
    assert accepted == site.stages().keys(), "none is lost"

    site.reconciled_until(len(accepted), "completed", "awaiting_approval")
    large = {f"T-large-{kill}" for kill in range(3)}
    assert {order_id for order_id, stage in site.stages().items() if stage == "awaiting_approval"} == large
    for order_id in large:
        site.driver.answer(OF_LARGE[0], site.shown(order_id), "approve")
    site.until(len(accepted), "completed")
    assert sorted(site.charged()) == sorted(f"{order_id}:pay:1" for order_id in accepted)
    check_money(site.ledger, site.network)
    check_stock(site.ledger, pieces)
