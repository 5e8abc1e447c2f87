"""The demo shop is imported once; each test gets a copy of its files, which is ten times quicker."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from agent.commerce.shop_import import import_shop
from agent.ledger.database import Database
from agent.providers.factory import sandbox_client
from agent.providers.sandbox import SandboxProvider
from agent.settings import Settings
from tests.support.clock import Clock
from tests.support.goods import goods
from tests.support.ledgers import home


@pytest.fixture(scope="session")
def imported(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    """A home with the demo shop in its ledger and the past charges in its card network."""

    async def write(config: Settings) -> None:
        clock = Clock()
        database = Database(config.ledger_url, clock)
        async with sandbox_client("", config.data_dir / "sandbox.db", timeout=30, slow_seconds=0) as client:
            await import_shop(database, SandboxProvider(client, timeout=30), goods(), pay_again=True)
        await database.close()

    with home(tmp_path_factory.mktemp("imported")) as config:
        asyncio.run(write(config))
        yield config


@pytest.fixture
def config(tmp_path: Path, imported: Settings) -> Iterator[Settings]:
    """Time enough for whatever a test does while a request is on its way; parcels wait for the test's own van."""
    patient = {"payment_timeout_seconds": 30, "carrier_hand_over_seconds": 3600}
    with home(tmp_path / "data", imported, sandbox_slow_seconds=0.05, **patient) as made:
        yield made
