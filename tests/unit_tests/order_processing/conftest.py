"""Orders of the demo shop, on a ledger, a card network and a carrier of their own."""

from collections.abc import AsyncIterator

import pytest

from agent.services import Services
from tests.support.invariants import all_adds_up
from tests.support.scenes import dump


@pytest.fixture
async def shop(shop: Services) -> AsyncIterator[Services]:
    """After each test all adds up: stock, money, and what card network and carrier say."""
    before = await dump(shop)
    yield shop
    await all_adds_up(shop, before, await dump(shop))
