"""Breakers of several workers meet in a real Redis, and go on without it."""

import asyncio
import signal
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from typing import Final

import pytest

from agent.resilience import CircuitBreaker, Claim, Sharing, StateStore, StoreUnavailableError
from agent.resilience.redis_store import RedisStore
from tests.support.breaker_worker import CONFIG
from tests.support.redis_server import Redis, worker_processes
from tests.support.shared_breakers import Visit, Worker
from tests.support.store_contract import CLAUSES, Clause

Away = Callable[[Redis], AbstractContextManager[None]]

LIMIT: Final = 20.0
"""Seconds in which a busy machine will surely have done it."""


@pytest.fixture
async def store(redis: Redis) -> AsyncIterator[StateStore]:
    made = RedisStore(redis.url)
    yield made
    await made.close()


@pytest.fixture
async def met(redis: Redis) -> AsyncIterator[tuple[Worker, Worker]]:
    """Two workers that have reached the store."""
    one, other = (Worker(RedisStore(redis.url), CONFIG) for _ in range(2))
    for worker in (one, other):
        await worker.succeed()
    await opened_and_closed(one, other)
    yield one, other
    for worker in (one, other):
        await worker.sharing.close()


async def opened_and_closed(one: Worker, other: Worker) -> None:
    one.breaker.force_open()
    await until(other, "forced_open")
    one.breaker.reset()
    await until(other, "closed")


async def until(worker: Worker, state: str) -> None:
    async with asyncio.timeout(LIMIT):
        while worker.state != state:  # noqa: ASYNC110  (the other worker moves it, by way of Redis)
            await asyncio.sleep(0.005)


async def probe(worker: Worker) -> Visit:
    """A probe in flight, as soon as one may go."""
    async with asyncio.timeout(LIMIT):
        while True:
            visit = Visit(worker.breaker)
            ended, _ = await asyncio.wait({visit.task}, timeout=0.1)
            if not ended:
                return visit
            visit.task.exception()


@pytest.mark.parametrize("clause", CLAUSES, ids=lambda clause: clause.__name__)
async def test_redis_keeps_the_contract(clause: Clause, store: StateStore) -> None:
    await clause(store)


async def test_a_closed_breaker_sends_redis_nothing(redis: Redis) -> None:
    sharing = Sharing(RedisStore(redis.url), refresh=3600.0)
    breaker = CircuitBreaker("model", CONFIG, sharing=sharing)
    await breaker.call(asyncio.sleep, 0.5)  # it joins
    before = redis.commands()
    for _ in range(1000):
        await breaker.call(asyncio.sleep, 0)
    assert redis.commands() == before + 1  # the question itself
    await sharing.close()


@pytest.mark.parametrize("word", ["a string", "a hash of someone else's"])
async def test_a_key_that_is_no_breakers_is_a_store_that_is_away(redis: Redis, store: StateStore, word: str) -> None:
    redis.ask("SET breaker:{model} x" if word == "a string" else "HSET breaker:{model} epoch 1 state ajar")
    with pytest.raises(StoreUnavailableError):
        await store.read(["model"])
    with pytest.raises(StoreUnavailableError):
        await store.acquire("model", Claim("lease", 1.0, 1, None, 0))


def test_of_four_processes_with_25_calls_each_one_probes(redis: Redis) -> None:
    with worker_processes(redis.url, 4) as workers:
        workers[0].tell("trip")
        assert workers[0].hear() == "open"
        for worker in workers[1:]:
            worker.tell("wait open")
            assert worker.hear() == "open"
        for worker in workers:
            worker.tell("crowd 25")
        assert sum(int(worker.hear()) for worker in workers) == 1


async def test_the_probe_of_a_killed_process_is_free_when_its_lease_ends(redis: Redis, met: tuple[Worker, ...]) -> None:
    one, _ = met
    with worker_processes(redis.url, 1) as (holder,):
        holder.tell("trip")
        assert await asyncio.to_thread(holder.hear) == "open"
        holder.tell("hold")
        assert await asyncio.to_thread(holder.hear) == "held"
        started = time.monotonic()
        holder.kill()
        visit = await probe(one)
        assert time.monotonic() - started < CONFIG.probe_lease_seconds + 1.0
        await visit.succeed()
        await until(one, "closed")


async def test_a_cancelled_probe_is_free_for_another_worker_at_once(met: tuple[Worker, Worker]) -> None:
    one, other = met
    await one.trip()
    await until(other, "open")
    held = await probe(one)
    assert await other.refused()
    await held.cancel()
    started = time.monotonic()
    await (await probe(other)).succeed()
    assert time.monotonic() - started < CONFIG.probe_lease_seconds / 2


@contextmanager
def killed(redis: Redis) -> Iterator[None]:
    redis.stop(signal.SIGKILL)
    yield
    redis.start()


@contextmanager
def frozen(redis: Redis) -> Iterator[None]:
    redis.freeze()
    yield
    redis.thaw()


@pytest.mark.parametrize("away", [killed, frozen])
async def test_without_redis_a_worker_goes_on_alone_and_comes_back(
    redis: Redis, met: tuple[Worker, Worker], away: Away
) -> None:
    one, other = met
    with away(redis):
        await one.trip()
        await (await probe(one)).succeed()
        await until(one, "closed")
        await one.succeed(times=100)
        assert one.store_moves[-1].error
        one.breaker.force_open()
    await until(other, "forced_open")
    assert one.store_moves[-1].error is None


async def test_a_redis_that_never_was_does_no_harm(redis: Redis) -> None:
    redis.stop()
    worker = Worker(RedisStore(redis.url), replace(CONFIG, wait_duration_in_open=0.1))
    await worker.trip()
    await (await probe(worker)).succeed()
    assert worker.state == "closed"
    await worker.sharing.close()
