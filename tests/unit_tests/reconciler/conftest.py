"""The reconciler with a demo shop of its own and a stub of the platform."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from agent.reconciler import jobs, news
from agent.services import Services
from tests.unit_tests.platform_stub import Platform


@pytest.fixture
async def platform(shop: Services, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Platform]:
    """The platform that the jobs speak to."""
    built = Platform()

    async def client(_: Any) -> Any:
        return built.client

    monkeypatch.setattr(jobs, "service_client", client)
    monkeypatch.setattr(news, "service_client", client)
    yield built
    await built.client.aclose()
