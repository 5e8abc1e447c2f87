"""What one worker may ask of a backend: so many calls in a time, so many at once. Who finds no room is rejected here.

The backend is not told and not blamed: nothing was sent. Each process counts for itself, but for a rate that is shared
(`windows`). `transport` puts these stages in their order.
"""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
import limits

from agent.resilience.windows import MovingWindows, lies_ahead


class LocalRejectionError(httpx.PoolTimeout, RuntimeError):
    """The call was not made, for want of something on our side. Surely nothing was sent.

    It is a PoolTimeout, httpx's own word for the same: who tells "not sent" from "unknown" knows it already, and a
    breaker takes it as NEUTRAL. And it is a RuntimeError, because LangGraph's default `retry_on` leaves those alone, as
    `is_transient` does: a retry would only stand in the queue again that was just too long.
    """


class RateLimitedError(LocalRejectionError):
    """No call was left in the rate."""


class BulkheadFullError(LocalRejectionError):
    """Too many calls were in flight."""


@asynccontextmanager
async def within(seconds: float, late: Exception) -> AsyncIterator[None]:
    """Cancel what takes longer, and raise `late` in its place."""
    timer = asyncio.timeout(seconds)
    try:
        async with timer:
            yield
    except TimeoutError:
        if timer.expired():
            raise late from None
        raise


class RateLimit:
    """So many calls in any span of time; callers wait for their turn in the order in which they came.

    Args:
        name: whose calls, in errors.
        rate: as the library `limits` writes it, such as `100/second` or `10 per 2 minutes`.
        wait: the most seconds that a caller waits.
        redis_url: where the workers meet that share the rate under this name; empty: they do not.

    Raises:
        ValueError: `rate` can't be read.
    """

    def __init__(self, name: str, rate: str, wait: float, redis_url: str = "") -> None:
        self._name = name
        self._spent = f"{name}: nothing left of {rate} for {wait} s; call less often, or raise rate or rate_wait"
        self._rate = limits.parse(rate)
        self._wait = wait
        self._windows = MovingWindows(redis_url)
        self._turn = asyncio.Lock()

    async def take(self) -> None:
        """Take one call out of the rate; raises `RateLimitedError`."""
        async with within(self._wait, RateLimitedError(self._spent)), self._turn:
            while not await self._windows.hit(self._rate, self._name):
                window = await self._windows.get_window_stats(self._rate, self._name)
                if lies_ahead(window, self._rate):
                    await self._windows.clear(self._rate, self._name)
                    continue
                await asyncio.sleep(max(window.reset_time - time.time(), 0.001))

    async def close(self) -> None:
        """Stop sharing."""
        await self._windows.close()


class Bulkhead:
    """So many calls in flight; callers wait for a free place in the order in which they came.

    Args:
        name: whose calls, in errors.
        places: how many.
        wait: the most seconds that a caller waits.
    """

    def __init__(self, name: str, places: int, wait: float) -> None:
        self._full = f"{name}: {places} calls in flight for {wait} s; call fewer at once, or raise max_concurrent"
        self._free = asyncio.Semaphore(places)
        self._wait = wait

    @asynccontextmanager
    async def place(self) -> AsyncIterator[None]:
        """Hold a place; raises `BulkheadFullError`."""
        async with within(self._wait, BulkheadFullError(self._full)):
            await self._free.acquire()
        try:
            yield
        finally:
            self._free.release()
