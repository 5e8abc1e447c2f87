"""The reconciler with a demo shop of its own and a stub of the platform."""

import shutil
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from agent.reconciler import jobs, news
from agent.services import Services
from agent.settings import Settings
from tests.unit_tests.platform_stub import Platform


@pytest.fixture
def config(config: Settings, demo_data: Path) -> Settings:
    """The demo shop is there already, so that its import is not waited for each time."""
    shutil.copytree(demo_data, config.data_dir)
    return config


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
