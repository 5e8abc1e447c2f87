"""The custom routes over HTTP in process, as whoever a test says.

The platform that they call is a stub, which keeps what it is asked.
"""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest
from starlette.types import ASGIApp, Receive, Scope, Send

from agent.identity import Caller
from agent.server import order_routes
from agent.server.webapp import app
from agent.settings import Settings
from tests.support.platform_stub import Platform
from tests.support.threads import user

Ask = Callable[..., Awaitable[httpx.Response]]


class As:
    """The app behind an authentication that lets everybody be who the header says."""

    def __init__(self, inner: ASGIApp) -> None:
        self._inner = inner

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        identity, _, role = dict(scope["headers"]).get(b"x-caller", b"").decode().partition("/")
        scope["user"] = user(Caller(identity, role)) if role else None
        await self._inner(scope, receive, send)


def beside_a_stub(patch: pytest.MonkeyPatch) -> Platform:
    """The platform that the routes call from now on."""
    stub = Platform()

    async def client(config: Settings) -> object:
        return stub.client

    patch.setattr(order_routes, "service_client", client)
    return stub


@asynccontextmanager
async def asking() -> AsyncIterator[Ask]:
    """Send a request as somebody."""
    async with httpx.AsyncClient(transport=httpx.ASGITransport(As(app)), base_url="http://desk") as client:

        async def send(method: str, path: str, who: Caller | None = None, **more: Any) -> httpx.Response:
            headers = {"x-caller": f"{who.identity}/{who.role}" if who else ""}
            headers.update(more.pop("headers", {}))
            return await client.request(method, path, headers=headers, **more)

        yield send
