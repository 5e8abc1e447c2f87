"""A server of its own, stopped once and killed twice while orders are at risky points of their way.

Where a kill must hit is found from outside: in the ledger's file, and in the card network's own account.
"""

from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from agent.approvals.models import ApprovalView
from agent.platform import order_thread
from tests.support.books import CardNetwork, Ledger, check_money, check_stock
from tests.support.chains import OF_LARGE
from tests.support.driver import Driver, Run, an_order, together
from tests.support.goods import goods_dir
from tests.support.live_server import LiveServer, wait_for

NEW_YEAR = "0 0 1 1 *"
"""When the cron fires: not while the tests run the reconciler themselves."""


class Site:
    """The server with its card network and its ledger."""

    def __init__(self, folder: Path, network: CardNetwork) -> None:
        self.server = LiveServer(
            folder,
            SHOP_DIR=goods_dir(),
            PAYMENT_URL=network.url,
            PAYMENT_TIMEOUT_SECONDS="60",
            STALE_AFTER_SECONDS="0",
            RECONCILE_CRON=NEW_YEAR,
        )
        self.network = network
        self.ledger = Ledger(folder / "data" / "ledger.db")
        self.driver = Driver(self.server)
        self._starts = 0

    def start(self) -> None:
        """Start the server, and wait until it has looked after its cron."""
        self.server.start()
        self._starts += 1
        log = self.server.folder / "server.log"
        wait_for(lambda: log.read_text().count("cron.ready") == self._starts, 20, self.server.log_end)

    def crons(self) -> list[str]:
        """The schedules of all crons that there are."""
        return [str(cron["schedule"]) for cron in self.driver.client("service").crons.search(limit=100)]

    def send(self, order_id: str, lines: dict[str, int], method: str = "ada_card") -> None:
        """Send an order in and listen no further: the server will be gone before the answer."""
        order = an_order(order_id, lines, method=method)
        self.driver.client("channel").runs.create(
            order_thread(order_id, "channel:channel-1"), "order_processing",
            input={"order": order}, if_not_exists="create",
            multitask_strategy="reject",
        )  # fmt: skip

    def reconcile_until_completed(self, order_id: str) -> None:
        """Run the reconciler, as the operator, until it has brought the order to its end."""

        def completed() -> bool:
            if self.ledger.order(order_id)["stage"] == "completed":
                return True
            self.driver.reconcile()
            return False

        wait_for(completed, 30, lambda: f"{self.ledger.order(order_id)}\n{self.server.log_end()}")

    def asked_again(self, before: Run) -> Run:
        """Run the reconciler until the order waits for people on its thread; what it waits for now."""
        staff = self.driver.client(OF_LARGE[0])

        def waits() -> ApprovalView | None:
            self.driver.reconcile()
            waiting = {thread["thread_id"]: thread for thread in staff.threads.search(status="interrupted")}
            if before.thread not in waiting:
                return None
            [[interrupt]] = waiting[before.thread]["interrupts"].values()
            return interrupt["value"]  # type: ignore[no-any-return]

        return Run(before.thread, before.graph, waiting=wait_for(waits, 30, self.server.log_end))


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """The site, with its server running for the first time."""
    folder = tmp_path_factory.mktemp("restarts")
    with CardNetwork(folder / "network.db", slow_seconds=60) as network:
        made = Site(folder, network)
        with made.driver:
            try:
                made.start()
                yield made
            finally:
                made.server.stop()


@pytest.fixture(scope="module")
def pieces(site: Site) -> dict[str, int]:
    """All stock, before anything happens."""
    return site.ledger.pieces()


@pytest.fixture(scope="module")
def stopped(site: Site, pieces: dict[str, int]) -> dict[str, Run]:
    """Two orders wait when the server is stopped, and started again."""
    assert site.crons() == [NEW_YEAR]
    waits = {name: site.driver.order(an_order(name, {"DESK-OAK": 2})) for name in ("STOPPED", "WAITED-LONG")}
    site.server.stop()
    site.start()
    return waits


@pytest.fixture(scope="module")
def killed(site: Site, stopped: dict[str, Run]) -> Run:
    """The server is killed and started again: an order has just been asked about, one is being charged, one shipped."""
    waits = site.driver.order(an_order("WAITED", {"DESK-ASH": 3}))
    site.send("CHARGED", {"LAMP-OAK": 1}, method="ada_slow")
    wait_for(lambda: site.network.captured("CHARGED"), 20, site.server.log_end)
    assert site.ledger.order("CHARGED")["stage"] == "approved", "the answer is not back yet"
    site.send("SHIPPED", {"MUG-BLUE": 2, "STOOL-OAK": 1})
    with site.ledger.held_at("SHIPPED", "paid"):
        site.server.kill()
    site.start()
    return waits


def test_an_approval_outlives_a_clean_stop(site: Site, stopped: dict[str, Run]) -> None:
    assert site.driver.answer(OF_LARGE[0], stopped["STOPPED"], "approve").stage == "completed"
    assert site.network.captured("STOPPED") == {"STOPPED:pay:1": 2 * 549_00}


def test_a_second_start_leaves_one_cron(site: Site, stopped: dict[str, Run]) -> None:
    assert site.crons() == [NEW_YEAR]


def test_who_was_asked_before_a_kill_is_asked_the_same_again_and_the_order_charged_once(
    site: Site, killed: Run, stopped: dict[str, Run]
) -> None:
    asked = {"WAITED": killed, "WAITED-LONG": stopped["WAITED-LONG"]}
    again = {order_id: site.asked_again(before) for order_id, before in asked.items()}
    assert {name: run.waiting for name, run in again.items()} == {name: run.waiting for name, run in asked.items()}
    answers = [partial(site.driver.answer, OF_LARGE[0], run, "approve") for run in again.values()]
    assert [run.stage for run in together(*answers)] == ["completed", "completed"]
    for order_id in asked:
        assert list(site.network.captured(order_id)) == [f"{order_id}:pay:1"]


def test_a_charge_whose_answer_a_kill_cut_off_is_found_and_not_repeated(site: Site, killed: Run) -> None:
    site.reconcile_until_completed("CHARGED")
    assert site.network.captured("CHARGED") == {"CHARGED:pay:1": 69_00}


def test_an_order_that_a_kill_caught_between_payment_and_parcels_is_shipped(site: Site, killed: Run) -> None:
    site.reconcile_until_completed("SHIPPED")
    parcels = site.ledger.rows("SELECT id, state FROM parcels WHERE order_id = 'SHIPPED' ORDER BY id")
    assert [(parcel["id"], parcel["state"]) for parcel in parcels] == [
        ("SHIPPED/east", "handed_over"),
        ("SHIPPED/west", "handed_over"),
    ]
    assert list(site.network.captured("SHIPPED")) == ["SHIPPED:pay:1"]


def test_an_order_that_a_kill_caught_when_it_was_placed_is_fulfilled_and_one_cron_is_left(site: Site) -> None:
    site.send("PLACED", {"VASE-SMALL": 1, "SHELF-ASH": 1})
    with site.ledger.held_at("PLACED", "placed"):
        site.server.kill()
    site.start()
    assert site.crons() == [NEW_YEAR]
    site.reconcile_until_completed("PLACED")
    assert list(site.network.captured("PLACED")) == ["PLACED:pay:1"]


def test_after_all_of_it_money_and_stock_add_up(site: Site, killed: Run, pieces: dict[str, int]) -> None:
    for order_id in ("CHARGED", "SHIPPED"):
        site.reconcile_until_completed(order_id)
    check_money(site.ledger, site.network)
    check_stock(site.ledger, pieces)
