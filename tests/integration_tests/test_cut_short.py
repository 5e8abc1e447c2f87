"""`desk` while its server is killed, is away, or the command itself is stopped: what it then says of each order.

The truth is in the ledger's file and in the card network's own account.
"""

import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.support.books import CardNetwork, Ledger, check_money
from tests.support.chains import OF_LARGE, OF_VERY_LARGE
from tests.support.driver import Driver, an_order
from tests.support.goods import goods_dir
from tests.support.live_server import LiveServer, wait_for
from tests.support.threads import staff

DESK = Path(sys.executable).parent / "desk"
NEW_YEAR = "0 0 1 1 *"
REFUSED, UNKNOWN, INTERRUPTED = 6, 7, 130


class Site:
    """A server that is killed and started again, with its ledger and card network."""

    def __init__(self, folder: Path, network: CardNetwork) -> None:
        self.server = LiveServer(
            folder, PAYMENT_URL=network.url, PAYMENT_TIMEOUT_SECONDS="20", STALE_AFTER_SECONDS="0",
            RECONCILE_CRON=NEW_YEAR, SHOP_DIR=goods_dir(),
        )  # fmt: skip
        self.network = network
        self.ledger = Ledger(folder / "data" / "ledger.db")
        self.driver = Driver(self.server)
        self._folder = folder

    def file(self, *orders: dict[str, Any]) -> Path:
        """A file of these orders."""
        file = self._folder / f"{orders[0]['order_id']}.jsonl"
        file.write_text("".join(json.dumps(order) + "\n" for order in orders))
        return file

    def begin(self, *arguments: str) -> "Running":
        """Start `desk` with --json."""
        env = {name: value for name, value in os.environ.items() if not name.startswith("DESK_")}
        env |= {"DESK_URL": self.server.url, "TOKENS_FILE": str(self.server.tokens_file)}
        return Running([str(DESK), *arguments, "--json"], env)

    @contextmanager
    def nothing_is_written(self) -> Iterator[None]:
        """The ledger can be read, and no order placed in it."""
        with closing(sqlite3.connect(self._folder / "data" / "ledger.db", timeout=15, isolation_level=None)) as held:
            held.execute("BEGIN IMMEDIATE")
            yield

    def at_work(self) -> int:
        """How many threads are."""
        return len(self.driver.client(OF_LARGE[0]).threads.search(status="busy", limit=100))

    def complete(self, *order_ids: str) -> None:
        """Run the reconciler, as the operator, until it has brought these orders to their end."""

        def completed() -> bool:
            if all(self.ledger.order(each)["stage"] == "completed" for each in order_ids):
                return True
            self.driver.reconcile()
            return False

        wait_for(completed, 40, self.server.log_end)

    def paid_once(self, *order_ids: str) -> bool:
        """Whether each of these orders was charged, and only once."""
        return all(list(self.network.captured(each)) == [f"{each}:pay:1"] for each in order_ids)


class Running:
    """A `desk` command under way."""

    def __init__(self, command: list[str], env: dict[str, str]) -> None:
        self._process = subprocess.Popen(
            command, env=env, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL
        )

    def stop(self) -> None:
        """Ctrl-C."""
        self._process.send_signal(signal.SIGINT)

    def end(self) -> tuple[int, dict[str, Any], str]:
        """Its exit code, its documents by order, and what it said on stderr."""
        try:
            out, err = self._process.communicate(timeout=90)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
            raise
        return self._process.returncode, {row["order_id"]: row for row in map(json.loads, out.splitlines())}, err


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """The site, with its server running."""
    folder = tmp_path_factory.mktemp("cut-short")
    with CardNetwork(folder / "network.db", slow_seconds=4) as network:
        made = Site(folder, network)
        with made.driver:
            try:
                made.server.start()
                yield made
            finally:
                made.server.stop()


@dataclass(frozen=True)
class Killed:
    """What `desk` said of a batch whose server was killed and started again."""

    code: int
    rows: dict[str, Any]
    err: str
    request_id: str


CHARGED = ("KILLED-1", "KILLED-2", "KILLED-3")


@pytest.fixture(scope="module")
def killed(site: Site) -> Killed:
    """The server is killed while three orders are being charged, and just after another got its last approval; of that
    one the thread had been written to disk while it still waited."""
    asked = site.driver.order(an_order("TWO-STEPS", {"TABLE-OAK": 6}))
    half = site.driver.answer(OF_VERY_LARGE[0], asked, "approve")
    assert half.waiting
    assert half.waiting["roles"] == [OF_VERY_LARGE[1]]
    seen = time.time()
    written = site.server.folder / ".langgraph_api" / ".langgraph_ops.pckl"
    wait_for(lambda: written.exists() and written.stat().st_mtime > seen, 30, site.server.log_end)
    orders = [an_order(each, {"MUG-BLUE": 1}, method="ada_slow") for each in CHARGED]
    running = site.begin("orders", "submit", str(site.file(*orders, an_order("LATER", {"MUG-BLUE": 1}))))
    assert site.driver.answer(OF_VERY_LARGE[1], half, "approve").stage == "completed"
    wait_for(lambda: all(map(site.network.captured, CHARGED)), 30, site.server.log_end)
    site.server.kill()
    site.server.start()
    code, rows, err = running.end()
    return Killed(code, rows, err, half.waiting["request_id"])


@pytest.mark.thorough
def test_orders_whose_server_is_killed_while_they_are_charged_are_looked_up_and_not_failed(
    site: Site, killed: Killed
) -> None:
    assert killed.code == 0, killed
    assert [killed.rows[each]["code"] for each in (*CHARGED, "LATER")] == [0, 0, 0, 0]
    assert killed.rows["LATER"]["processing_stage"] == "completed"
    site.complete(*CHARGED)
    assert site.paid_once(*CHARGED, "LATER")


@pytest.mark.thorough
def test_an_answer_to_what_was_decided_before_a_kill_says_who_decided_what_when_and_fails(
    site: Site, killed: Killed
) -> None:
    before = site.ledger.order("TWO-STEPS")
    reject = ("approvals", "reject", killed.request_id, "--as", OF_VERY_LARGE[1], "--note", "no")
    code, rows, err = site.begin(*reject).end()
    assert (code, rows) == (REFUSED, {})
    error, (first, second) = json.loads(err)["error"], OF_VERY_LARGE
    assert error.startswith(
        f"Not taken: {killed.request_id} is approved: approve by {staff(first).identity} ({first}) at 20"
    )
    assert f"approve by {staff(second).identity} ({second}) at 20" in error
    assert site.ledger.order("TWO-STEPS") == before


@pytest.mark.thorough
def test_orders_that_were_begun_and_never_written_are_sent_again(site: Site) -> None:
    orders = [an_order(f"LOST-{n}", {"MUG-WHITE": 1}) for n in range(4)]
    ids = [order["order_id"] for order in orders]
    with site.nothing_is_written():
        running = site.begin("orders", "submit", str(site.file(*orders)))
        wait_for(lambda: site.at_work() == 4, 30, site.server.log_end)
        site.server.kill()
    assert not any(map(site.ledger.order, ids))
    site.server.start()
    code, rows, err = running.end()
    assert code == 0, (rows, err)
    assert sorted(rows) == ids
    site.complete(*ids)
    assert site.paid_once(*ids)


def test_a_batch_that_is_stopped_says_where_each_order_stands_and_goes_on_when_it_is_given_again(site: Site) -> None:
    orders = [an_order(f"STOPPED-{n}", {"MUG-GREEN": 1}) for n in range(12)]
    ids = [order["order_id"] for order in orders]
    file = site.file(*orders)
    running = site.begin("orders", "submit", str(file))
    wait_for(lambda: site.ledger.order("STOPPED-2"), 30, site.server.log_end)
    running.stop()
    code, rows, err = running.end()
    assert (code, set(rows)) == (INTERRUPTED, set(ids)), err
    assert "Give the same command again to go on" in json.loads(err)["error"]
    told = {each: row["code"] for each, row in rows.items()}
    assert [each for each in ids if told[each] == 0 and not site.ledger.order(each)] == []
    assert set(told.values()) <= {0, UNKNOWN, INTERRUPTED}
    assert told["STOPPED-11"] == INTERRUPTED

    code, rows, err = site.begin("orders", "submit", str(file)).end()
    assert code == 0, (rows, err)
    site.complete(*ids)
    assert site.paid_once(*ids)
    check_money(site.ledger, site.network)
