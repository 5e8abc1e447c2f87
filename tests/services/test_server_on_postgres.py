"""The whole desk on PostgreSQL: a real `langgraph dev`, which also refuses whatever blocks its event loop."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from agent.ledger.schema import upgrade
from tests.support.driver import Driver, an_order
from tests.support.goods import goods_dir
from tests.support.live_server import LiveServer


@pytest.fixture
def driver(url: str, tmp_path: Path) -> Iterator[Driver]:
    """Clients of a server whose ledger is on PostgreSQL."""
    upgrade(url)
    server = LiveServer(tmp_path, SHOP_DIR=goods_dir(), DATABASE_URL=url)
    try:
        with Driver(server.start()) as clients:
            yield clients
    finally:
        server.stop()


def test_an_order_goes_all_the_way(driver: Driver) -> None:
    assert driver.order(an_order("PG-1", {"CANDLE-SMALL": 1})).stage == "completed"
    assert driver.order_row("PG-1")["status"] == "processed"
