"""The breakers of two workers that are configured for the same Redis."""

import asyncio
import signal
from collections.abc import AsyncIterator
from typing import Final

import pytest

from agent.breakers import Breakers
from agent.resilience import BreakerConfig, CircuitOpenError
from tests.support.redis_server import Redis

LIMIT: Final = 20.0
"""Seconds in which a busy machine will surely have done it."""


@pytest.fixture
async def workers(redis: Redis) -> AsyncIterator[tuple[Breakers, Breakers]]:
    """Two, each with a breaker before the same dependency."""
    pair = Breakers(redis.url), Breakers(redis.url)
    for breakers in pair:
        breakers.add("payment", BreakerConfig())
    yield pair
    for breakers in pair:
        await breakers.close()


async def answer() -> str:
    return "well"


async def test_an_operators_word_to_one_worker_reaches_the_other(workers: tuple[Breakers, Breakers]) -> None:
    one, other = workers
    one["payment"].force_open()
    await one.look()

    [seen] = await other.look()

    assert (seen.state, one.shared, other.shared) == ("forced_open", True, True)
    with pytest.raises(CircuitOpenError):
        await other["payment"].call(answer)


async def test_a_worker_that_has_called_nobody_hears_by_itself(workers: tuple[Breakers, Breakers]) -> None:
    one, other = workers
    one["payment"].force_open()
    async with asyncio.timeout(LIMIT):
        while other["payment"].snapshot().state != "forced_open":  # noqa: ASYNC110  (it comes by way of Redis)
            await asyncio.sleep(0.01)


async def test_without_redis_each_goes_on_by_itself_and_says_so(
    workers: tuple[Breakers, Breakers], redis: Redis
) -> None:
    one, other = workers
    await one.look()
    await other.look()
    redis.stop(signal.SIGKILL)

    one["payment"].force_open()
    states = [(await breakers.look())[0].state for breakers in (one, other)]

    assert (states, one.shared, other.shared) == (["forced_open", "closed"], False, False)
    assert await other["payment"].call(answer) == "well"
