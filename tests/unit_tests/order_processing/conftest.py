"""Orders of the demo shop, on a ledger, a card network and a carrier of their own."""

import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from agent.services import Services
from agent.settings import Settings
from tests.unit_tests.commerce.books import all_adds_up
from tests.unit_tests.commerce.scenes import dump


@pytest.fixture
def config(config: Settings, demo_data: Path) -> Settings:
    """The demo shop is there already, so that its import is not waited for each time."""
    shutil.copytree(demo_data, config.data_dir)
    return config


@pytest.fixture
async def shop(shop: Services) -> AsyncIterator[Services]:
    """After each test all adds up: stock, money, and what card network and carrier say."""
    before = await dump(shop)
    yield shop
    await all_adds_up(shop, before, await dump(shop))
