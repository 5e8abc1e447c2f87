"""Moving windows of time, in which so much may happen: counted together by all workers that use one Redis, or, without
one and while it is away, by each worker for itself.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any, Final, TypeVar

from limits import RateLimitItem
from limits.aio.storage import MemoryStorage, RedisStorage
from limits.aio.strategies import MovingWindowRateLimiter
from limits.errors import StorageError
from limits.util import WindowStats

T = TypeVar("T")

DEADLINE: Final = 0.1
"""Seconds for one question to Redis."""
PAUSE: Final = 5.0
"""Seconds until a Redis that did not answer is asked again."""
CLOCK_SKEW: Final = 5.0
"""Seconds that the clocks of workers which count together may lie apart, each of which writes its own time."""


def lies_ahead(window: WindowStats, rate: RateLimitItem) -> bool:
    """Whether what is counted has yet to come: the clock went back, by more than clocks differ."""
    longest: int = rate.get_expiry()
    return window.reset_time - time.time() > longest + min(longest, CLOCK_SKEW)


class MovingWindows:
    """As the library's own moving window; `redis_url` is where workers meet, for which the extra `redis` is needed."""

    def __init__(self, redis_url: str = "") -> None:
        self._own = MovingWindowRateLimiter(MemoryStorage())
        self._pool = _pool(redis_url) if redis_url else None
        self._shared = MovingWindowRateLimiter(_storage(redis_url, self._pool)) if redis_url else None
        self._away_until = 0.0

    async def hit(self, rate: RateLimitItem, *who: str) -> bool:
        """Count one; False, and not counted, when there is no room."""
        return await self._ask(lambda windows: windows.hit(rate, *who))

    async def get_window_stats(self, rate: RateLimitItem, *who: str) -> WindowStats:
        """When there is room again, by the wall clock."""
        return await self._ask(lambda windows: windows.get_window_stats(rate, *who))

    async def clear(self, rate: RateLimitItem, *who: str) -> None:
        """Forget what was counted."""
        await self._ask(lambda windows: windows.clear(rate, *who))

    async def close(self) -> None:
        """Give the connections back."""
        if self._pool:
            await self._pool.disconnect()

    async def _ask(self, question: Callable[[MovingWindowRateLimiter], Awaitable[T]]) -> T:
        if self._shared and time.monotonic() >= self._away_until:
            try:
                async with asyncio.timeout(DEADLINE):
                    return await question(self._shared)
            except (StorageError, OSError):  # a timeout is an OSError
                self._away_until = time.monotonic() + PAUSE
        return await question(self._own)


def _pool(url: str) -> Any:
    """Connections to Redis, whose client is an extra."""
    from redis.asyncio import ConnectionPool  # noqa: PLC0415

    return ConnectionPool.from_url(url)


def _storage(url: str, pool: Any) -> RedisStorage:
    how: dict[str, Any] = {"implementation": "redispy", "connection_pool": pool}
    return RedisStorage(f"async+{url}", wrap_exceptions=True, key_prefix="order-desk:rate", **how)
