"""Apps over a real loopback socket, and the sandbox as a process of its own.

For tests of one provider, which need no server of ours.
"""

import asyncio
import socket
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Literal

import uvicorn
from fastapi import FastAPI, Request, Response
from starlette.datastructures import Headers
from starlette.types import ASGIApp

PATIENCE = 10.0
"""Seconds that a test gives a call which must succeed."""


async def until(condition: Callable[[], Awaitable[object]]) -> None:
    """Ask again and again until it is so; fails when it takes too long."""
    async with asyncio.timeout(PATIENCE):
        while not await condition():  # noqa: ASYNC110  (the condition is in another process or on disk)
            await asyncio.sleep(0.01)


@asynccontextmanager
async def serving(app: ASGIApp, http: type[asyncio.Protocol] | Literal["auto"] = "auto") -> AsyncIterator[str]:
    """The app on a free loopback port. Ends only when no request is under way any more."""
    server = uvicorn.Server(uvicorn.Config(app, port=0, http=http, log_level="critical", ws="none"))
    running = asyncio.create_task(server.serve())
    while not server.started:
        assert not running.done()
        await asyncio.sleep(0.01)
    try:
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        server.should_exit = True
        await asyncio.wait_for(running, PATIENCE)


class Mailbox:
    """Takes webhooks at /hook, and keeps them as they came."""

    def __init__(self, status: int = 204) -> None:
        self.app = FastAPI()
        self._taken: asyncio.Queue[tuple[Headers, bytes]] = asyncio.Queue()

        @self.app.post("/hook")
        async def take(request: Request) -> Response:
            self._taken.put_nowait((request.headers, await request.body()))
            return Response(status_code=status)

    async def next(self) -> tuple[Headers, bytes]:
        """The next webhook that came, or comes: headers and body."""
        async with asyncio.timeout(PATIENCE):
            return await self._taken.get()


def free_port() -> int:
    """A loopback port that nobody listens at."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


async def start(port: int, database: Path, *options: str, module: str = "sandbox") -> Process:
    """The sandbox as a process, just started."""
    command = [sys.executable, "-m", module, "--port", str(port), "--data", str(database), *options]
    return await asyncio.create_subprocess_exec(*command, stderr=PIPE)


@asynccontextmanager
async def process(port: int, database: Path, *options: str, module: str = "sandbox") -> AsyncIterator[None]:
    """The sandbox as a process that is ready to answer; ended by a signal."""
    running = await start(port, database, *options, module=module)
    assert running.stderr
    async with asyncio.timeout(PATIENCE * 3):
        while b"running on" not in await running.stderr.readline():
            assert running.returncode is None
    try:
        yield
    finally:
        running.terminate()
        async with asyncio.timeout(PATIENCE):
            await running.communicate()
