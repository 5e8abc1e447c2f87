"""One server for all tests that leave it running, with a card network in a process of its own.

Its reconciler's cron fires once a minute, and one order was lost before it started: see `test_upkeep`.
"""

import asyncio
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from agent.commerce.commands import NewOrder, PlaceOrder
from agent.commerce.dispatcher import Commerce
from agent.commerce.shop_import import import_shop
from agent.ledger.database import Database, utc_now
from agent.providers.factory import sandbox_client
from agent.providers.sandbox import SandboxProvider
from tests.support.books import CardNetwork, Ledger
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


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory, network: CardNetwork) -> Iterator[LiveServer]:
    """The shared server. Tests keep to orders of their own, and leave it running."""
    made = LiveServer(
        tmp_path_factory.mktemp("server"), SHOP_DIR=goods_dir(), PAYMENT_URL=network.url, PAYMENT_TIMEOUT_SECONDS="2"
    )
    (made.folder / "data").mkdir()
    asyncio.run(_lose_an_order(made.folder / "data", network))
    try:
        yield made.start()
    finally:
        made.stop()


async def _lose_an_order(data: Path, network: CardNetwork) -> None:
    database = Database(f"sqlite:///{data / 'ledger.db'}", lambda: utc_now() - timedelta(hours=1))
    await database.open()
    async with sandbox_client(network.url, data, 5, 0) as client:
        await import_shop(database, SandboxProvider(client, timeout=5), goods(), pay_again=True)
    order = an_order(LOST_ORDER, {"CLOCK-OAK": 1}, customer="jonas_weber", method="jonas_card")
    new = NewOrder.model_validate(order)
    key = f"order:{LOST_ORDER}:place"
    await Commerce(database).run(PlaceOrder(key=key, actor="channel-1", subject=new.customer_id, order=new))
    await database.close()


@pytest.fixture(scope="session")
def ledger(server: LiveServer) -> Ledger:
    """The shared server's ledger."""
    return Ledger(server.folder / "data" / "ledger.db")


@pytest.fixture(scope="session")
def driver(server: LiveServer) -> Iterator[Driver]:
    """Clients of the shared server."""
    with Driver(server) as clients:
        yield clients


@pytest.fixture(scope="session")
def cron_fired(server: LiveServer, ledger: Ledger) -> None:
    """Wait until the cron has fired and brought the lost order home; from then on it finds nothing to do."""
    wait_for(lambda: ledger.order(LOST_ORDER)["stage"] == "completed", 80, lambda: f"no cron:\n{server.log_end()}")
