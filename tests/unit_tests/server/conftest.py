"""The custom routes, beside a platform that keeps what it is asked."""

from collections.abc import AsyncIterator

import pytest

from agent.server import limits
from agent.services import Services
from tests.support.platform_stub import Platform
from tests.support.routes import Ask, asking, beside_a_stub


@pytest.fixture(autouse=True)
def no_turns_taken() -> None:
    limits._limiter.cache_clear()  # what it counts with belongs to one event loop


@pytest.fixture
def platform(monkeypatch: pytest.MonkeyPatch) -> Platform:
    return beside_a_stub(monkeypatch)


@pytest.fixture
async def ask(shop: Services, platform: Platform) -> AsyncIterator[Ask]:
    """Send a request as somebody."""
    async with asking() as send:
        yield send
