"""The reconciler with a demo shop of its own and a stub of the platform."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from agent.reconciler import approval_jobs, jobs, notification_jobs
from agent.services import Services
from tests.support.platform_stub import Platform


@pytest.fixture
async def platform(shop: Services, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Platform]:
    """The platform that the jobs speak to."""
    built = Platform()

    async def client(_: Any) -> Any:
        return built.client

    for module in (jobs, notification_jobs, approval_jobs):
        monkeypatch.setattr(module, "service_client", client)
    yield built
    await built.client.aclose()
