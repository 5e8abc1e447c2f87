"""One server for all tests that leave it running, with a card network in a process of its own.

Its reconciler's cron fires once a minute, and one order was lost before it started: see `test_upkeep`. With
`TEST_ENGINE=aegra` it is two workers of another engine (`tests.cluster`), and each role calls one of them.
"""

import asyncio
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from agent.commerce.commands import NewOrder, PlaceOrder
from agent.commerce.dispatcher import Commerce
from agent.commerce.shop_import import import_shop
from agent.ledger.database import Database, utc_now
from agent.providers.factory import sandbox_client
from agent.providers.sandbox import SandboxProvider
from tests.cluster.workers import cluster
from tests.support.books import CardNetwork, Ledger, LedgerReader, PostgresLedger
from tests.support.driver import Driver, an_order
from tests.support.goods import goods, goods_dir
from tests.support.live_server import LiveServer, wait_for

LOST_ORDER = "LOST-1"
"""Placed an hour ago, and then nothing: no thread, no run."""


@pytest.fixture(scope="session")
def network(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CardNetwork]:
    """The card network of the shared server."""
    with CardNetwork(tmp_path_factory.mktemp("network") / "network.db") as running:
        yield running


@dataclass(frozen=True)
class Site:
    """What serves, and its ledger."""

    servers: tuple[LiveServer, ...]
    ledger: LedgerReader


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory, network: CardNetwork) -> Iterator[Site]:
    """The shared server, or the workers that are one. Tests keep to orders of their own, and leave it running."""
    folder = tmp_path_factory.mktemp("server")
    shop = {"SHOP_DIR": goods_dir(), "PAYMENT_URL": network.url, "PAYMENT_TIMEOUT_SECONDS": "2"}
    opened = _workers if os.environ.get("TEST_ENGINE") == "aegra" else _server
    with opened(folder, **shop) as serving:
        yield serving


@contextmanager
def _server(folder: Path, **shop: Any) -> Iterator[Site]:
    made = LiveServer(folder, **shop)
    (folder / "data").mkdir()
    file = folder / "data" / "ledger.db"
    asyncio.run(_lose_an_order(f"sqlite:///{file}", shop["PAYMENT_URL"], folder / "data"))
    try:
        yield Site((made.start(),), Ledger(file))
    finally:
        made.stop()


@contextmanager
def _workers(folder: Path, **shop: str) -> Iterator[Site]:
    with cluster(folder, SEED_SHOP="false", **shop) as workers:
        asyncio.run(_lose_an_order(workers.ledger, shop["PAYMENT_URL"], folder))
        with Driver(*workers.workers) as clients:  # the cron ran when it was made, and would in a minute
            clients.reconcile()
        yield Site(workers.workers, PostgresLedger(workers.ledger))


@pytest.fixture(scope="session")
def server(site: Site) -> LiveServer:
    """The shared server, or one of the workers."""
    return site.servers[0]


@pytest.fixture(scope="session")
def ledger(site: Site) -> LedgerReader:
    """The shared server's ledger."""
    return site.ledger


@pytest.fixture(scope="session")
def driver(site: Site) -> Iterator[Driver]:
    """Clients of the shared server, or of the workers."""
    with Driver(*site.servers) as clients:
        yield clients


@pytest.fixture(scope="session")
def cron_fired(server: LiveServer, ledger: LedgerReader) -> None:
    """Wait until the cron has fired and brought the lost order home; from then on it finds nothing to do."""
    wait_for(lambda: ledger.order(LOST_ORDER)["stage"] == "completed", 80, lambda: f"no cron:\n{server.log_end()}")


async def _lose_an_order(url: str, network: str, data: Path) -> None:
    database = Database(url, lambda: utc_now() - timedelta(hours=1))
    await database.open()
    async with sandbox_client(network, data, 5, 0) as client:
        await import_shop(database, SandboxProvider(client, timeout=5), goods(), pay_again=True)
    order = an_order(LOST_ORDER, {"CLOCK-OAK": 1}, customer="jonas_weber", method="jonas_card")
    new = NewOrder.model_validate(order)
    key = f"order:{LOST_ORDER}:place"
    await Commerce(database).run(PlaceOrder(key=key, actor="channel-1", subject=new.customer_id, order=new))
    await database.close()
