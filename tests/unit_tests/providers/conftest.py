"""The sandbox network over both of its transports: inside this process, and over a real socket."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest
import uvicorn
from fastapi import FastAPI

from agent.providers.sandbox import SandboxProvider, sandbox_client
from agent.providers.sandbox_server import create_app

PATIENCE = 10.0
"""Seconds that a test gives a call which must succeed."""


async def until(condition: Callable[[], Awaitable[object]]) -> None:
    """Ask again and again until it is so; fails when it takes too long."""
    async with asyncio.timeout(PATIENCE):
        while not await condition():  # noqa: ASYNC110  (the condition is in another process or on disk)
            await asyncio.sleep(0.01)


@asynccontextmanager
async def serving(app: FastAPI) -> AsyncIterator[str]:
    """The app on a free loopback port. Ends only when no request is under way any more."""
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_level="critical", lifespan="off", ws="none"))
    running = asyncio.create_task(server.serve())
    while not server.started:
        assert not running.done()
        await asyncio.sleep(0.01)
    try:
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        server.should_exit = True
        await asyncio.wait_for(running, PATIENCE)


@pytest.fixture(params=["in process", "over a socket"])
async def client(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    """A client of a fresh network. Its folder does not exist yet; its `tok_slow` takes half a minute."""
    database = tmp_path / "network" / "network.db"
    if request.param == "in process":
        async with sandbox_client("", database, PATIENCE, slow_seconds=30) as embedded:
            yield embedded
    else:
        app = create_app(database, slow_seconds=30)
        async with serving(app) as url, sandbox_client(url, database, PATIENCE, slow_seconds=30) as remote:
            yield remote


@pytest.fixture
def provider(client: httpx.AsyncClient) -> SandboxProvider:
    """The adapter, with time enough for any answer that comes at all."""
    return SandboxProvider(client, PATIENCE)
