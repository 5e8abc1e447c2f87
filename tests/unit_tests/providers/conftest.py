"""The sandbox over both of its transports: inside this process, and over a real socket."""

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from agent.providers.factory import sandbox_client
from agent.providers.sandbox import SandboxProvider
from sandbox.server import Sandbox
from tests.support.serving import PATIENCE, serving


@pytest.fixture(params=["in process", "over a socket"])
async def client(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    """A client of a fresh sandbox. Its folder does not exist yet; its `tok_slow` and its van take half a minute."""
    database = tmp_path / "network" / "network.db"
    if request.param == "in process":
        async with sandbox_client("", database, PATIENCE, 30, 30) as embedded:
            yield embedded
    else:
        app = Sandbox(database, slow_seconds=30, hand_over_seconds=30)
        async with serving(app) as url, sandbox_client(url, database, PATIENCE, 30) as remote:
            yield remote


@pytest.fixture
def provider(client: httpx.AsyncClient) -> SandboxProvider:
    """The adapter, with time enough for any answer that comes at all."""
    return SandboxProvider(client, PATIENCE)
