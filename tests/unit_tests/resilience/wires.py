"""What the transport's tests share: a wire in memory that answers as told and remembers, and clients on it."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import httpx

from agent.resilience import BreakerConfig, CircuitBreaker
from agent.resilience.credentials import Auth
from agent.resilience.transport import ResilientTransport, TransportConfig

URL = "http://backend/things"

Answer = Callable[[httpx.Request], httpx.Response | Awaitable[httpx.Response]]


class Wire(httpx.AsyncBaseTransport):
    """Answers each request with `answer`, which may raise; keeps what came, and how many were here at once."""

    def __init__(self, answer: Answer | int = 200) -> None:
        self.answer: Answer = answer if callable(answer) else lambda _: httpx.Response(answer)
        self.requests: list[httpx.Request] = []
        self.here = 0
        self.most = 0
        self.closed = False

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        self.here += 1
        self.most = max(self.most, self.here)
        try:
            answer = self.answer(request)
            return answer if isinstance(answer, httpx.Response) else await answer
        finally:
            self.here -= 1

    async def aclose(self) -> None:
        self.closed = True


class Gate:
    """An answer that is held back until the gate is opened."""

    def __init__(self) -> None:
        self._open = asyncio.Event()

    async def __call__(self, _: httpx.Request) -> httpx.Response:
        await self._open.wait()
        return httpx.Response(200)

    def open(self) -> None:
        self._open.set()


def breaker(minimum_number_of_calls: int = 10, **more: Any) -> CircuitBreaker:
    """One that opens when this many calls, all failed, have come."""
    config = BreakerConfig(minimum_number_of_calls=minimum_number_of_calls)
    return CircuitBreaker("backend", config, **more)


def client(
    wire: httpx.AsyncBaseTransport, guard: CircuitBreaker | None = None, auth: Auth | None = None, **config: Any
) -> httpx.AsyncClient:
    """A client on the transport on this wire."""
    transport = ResilientTransport(wire, TransportConfig(name="backend", **config), guard or breaker(), auth)
    return httpx.AsyncClient(transport=transport)


async def until(condition: Callable[[], object]) -> None:
    """Let others run until it is so."""
    async with asyncio.timeout(10):
        while not condition():  # noqa: ASYNC110  (what is waited for has no event)
            await asyncio.sleep(0)
