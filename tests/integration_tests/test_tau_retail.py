"""Orders of a shop that no one here made up, fifty of them, several at once, through a real server."""

import asyncio
import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from agent.commerce.policy import RULES
from agent.commerce.shop_document import Shop
from agent.commerce.shop_import import import_shop
from agent.ledger.database import Database
from agent.providers.factory import sandbox_client
from agent.providers.sandbox import SandboxProvider
from tests.support.books import CardNetwork, Ledger, check_money, check_stock
from tests.support.driver import Driver
from tests.support.live_server import ROOT, LiveServer
from tests.support.tau_retail import load_shop, pending_orders, totals

ORDERS = 50
BATCH_SIZE = 10

DB_JSON = Path(os.environ.get("TAU_RETAIL_DIR", ROOT.parent / "shared" / "data" / "tau-retail")) / "db.json"

pytestmark = pytest.mark.skipif(not DB_JSON.exists(), reason=f"no {DB_JSON}: set TAU_RETAIL_DIR")


@pytest.fixture
def shop_server(tmp_path: Path) -> Iterator[LiveServer]:
    """A server, not yet started, in whose ledger the shop is."""
    made = LiveServer(tmp_path, SEED_SHOP="false", RECONCILE_CRON="")
    data = tmp_path / "data"
    data.mkdir()
    asyncio.run(_import(load_shop(DB_JSON), data))
    try:
        yield made
    finally:
        made.stop()


async def _import(shop: Shop, data: Path) -> None:
    database = Database(f"sqlite:///{data / 'ledger.db'}")
    await database.open()
    async with sandbox_client("", data / "sandbox.db", 10, 0) as client:
        await import_shop(database, SandboxProvider(client, timeout=10), shop, pay_again=True)
    await database.close()


def test_every_order_of_a_real_shop_comes_to_a_named_end_and_the_books_balance(shop_server: LiveServer) -> None:
    orders, cost = pending_orders(DB_JSON, ORDERS), totals(DB_JSON)
    ledger = Ledger(shop_server.folder / "data" / "ledger.db")
    pieces = ledger.pieces()
    shop_server.start()
    with Driver(shop_server) as driver, ThreadPoolExecutor(BATCH_SIZE) as pool:
        runs = list(pool.map(driver.order, orders))

    ends = {order["order_id"]: (run.stage, run.rule) for order, run in zip(orders, runs, strict=True)}
    for order_id, run in zip(ends, runs, strict=True):
        match run.stage:
            case "completed":
                assert run.rule is None, order_id
            case "awaiting_approval":
                assert run.waiting, order_id
            case "cancelled" | "declined" | "refused":
                assert run.rule in RULES, order_id
            case other:
                pytest.fail(f"{order_id} is {other}")
        assert ledger.order(order_id)["stage"] == run.stage
        assert ledger.order(order_id)["total"] == cost[order_id]
    assert {stage for stage, _ in ends.values()} == {"completed", "awaiting_approval", "declined", "cancelled"}

    with CardNetwork(shop_server.folder / "data" / "sandbox.db") as network:
        check_money(ledger, network)
    check_stock(ledger, pieces)
    overdrawn = ledger.rows(
        "SELECT method_id FROM money_entries JOIN payment_methods m ON m.id = method_id"
        " WHERE m.kind = 'gift_card' GROUP BY method_id HAVING sum(amount) > 0"
    )
    assert overdrawn == []
