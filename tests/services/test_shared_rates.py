"""What workers count together in one Redis, and each for itself while it is away."""

import time
from collections.abc import AsyncIterator

import limits
import pytest

from agent.resilience.windows import DEADLINE, MovingWindows
from tests.support.redis_server import Redis

RATE = limits.parse("2/minute")

Workers = tuple[MovingWindows, MovingWindows]


@pytest.fixture
async def workers(redis: Redis) -> AsyncIterator[Workers]:
    """Two that use the same Redis."""
    pair = MovingWindows(redis.url), MovingWindows(redis.url)
    yield pair
    for windows in pair:
        await windows.close()


async def test_two_workers_count_together(workers: Workers) -> None:
    one, other = workers
    assert [await one.hit(RATE, "ada"), await other.hit(RATE, "ada"), await one.hit(RATE, "ada")] == [True, True, False]
    assert await other.hit(RATE, "ben")
    assert 0 < (await other.get_window_stats(RATE, "ada")).reset_time - time.time() <= 60
    await other.clear(RATE, "ada")
    assert await one.hit(RATE, "ada")


async def test_a_frozen_redis_holds_nobody_up(redis: Redis, workers: Workers) -> None:
    windows, _ = workers
    await windows.hit(RATE, "ada")
    redis.freeze()
    try:
        began = time.monotonic()
        assert [await windows.hit(RATE, "ada") for _ in range(3)] == [True, True, False]  # counted anew, by itself
        assert time.monotonic() - began < 3 * DEADLINE
    finally:
        redis.thaw()


async def test_a_dead_redis_holds_nobody_up(redis: Redis, workers: Workers) -> None:
    windows, _ = workers
    redis.stop()
    assert [await windows.hit(RATE, "ada") for _ in range(3)] == [True, True, False]
