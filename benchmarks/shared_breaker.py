"""Breakers that several processes share by way of Redis: what they agree on, and what its failures cost.

Its figures are part of `breaker`. Redis is one of our own, on a free port; it is ended by its own handle.
"""

import asyncio
import signal
import time
from collections.abc import AsyncIterator, Callable
from contextlib import suppress

from agent.resilience import BreakerConfig, CircuitBreaker, CircuitOpenError, Sharing
from agent.resilience.redis_store import RedisStore
from benchmarks.figures import Figure
from tests.support.breaker_worker import CONFIG
from tests.support.redis_server import Redis, WorkerProcess, program, worker_processes

_ROUNDS = 3
_ADDED = 0.050  # seconds that a call may take longer without Redis
_STALL = 0.020  # seconds that the event loop may stand still
_BUSY = BreakerConfig(
    minimum_number_of_calls=2,
    wait_duration_in_open=0.03,
    max_wait_duration_in_open=0.03,
    permitted_calls_in_half_open=1,
    success_threshold=1,
)


async def figures() -> AsyncIterator[Figure]:
    """All of them; without Redis one that does not hold."""
    server = program()
    if server is None:
        yield Figure(
            figure="redis", value="not installed", unit="service", bar="== installed", holds=False,
            note="run `make services`",
        )  # fmt: skip
        return
    redis = Redis(server)
    redis.start()
    try:
        yield await asyncio.to_thread(_crowd, redis)
        yield await asyncio.to_thread(_killed_holder, redis)
        yield await asyncio.to_thread(_seen_open, redis)
        yield await _calls_to_the_store(redis)
        for figure in await _without(redis, "killed", lambda: redis.stop(signal.SIGKILL), redis.start):
            yield figure
        for figure in await _without(redis, "frozen", redis.freeze, redis.thaw):
            yield figure
    finally:
        redis.stop(signal.SIGKILL)


def _crowd(redis: Redis) -> Figure:
    counts = []
    for _ in range(_ROUNDS):
        redis.ask("FLUSHALL")
        with worker_processes(redis.url, 4) as workers:
            workers[0].tell("trip")
            for worker in workers:
                worker.tell("wait open")
                worker.tell("crowd 25")
            _expect(workers[0], "open")
            for worker in workers:
                _expect(worker, "open")
            counts.append(sum(int(worker.hear()) for worker in workers))
    return Figure(
        figure="half_open_4_processes_of_25_tasks", value=max(counts), unit="calls that reached the backend",
        bar="== 1", holds=counts == [1] * _ROUNDS, note=f"the most of {_ROUNDS} rounds: {counts}",
    )  # fmt: skip


def _killed_holder(redis: Redis) -> Figure:
    redis.ask("FLUSHALL")
    with worker_processes(redis.url, 2) as (holder, other):
        holder.tell("trip")
        holder.tell("hold")
        _expect(holder, "open", "held")
        started = time.monotonic()
        holder.kill()
        other.tell("hold")
        _expect(other, "held")
        took = time.monotonic() - started
    lease = CONFIG.probe_lease_seconds
    return Figure(
        figure="after_a_holder_was_killed", value=round(took, 3), unit="seconds to the next probe",
        bar=f"<= {lease} (the lease)", holds=took <= lease + 0.05, note="0.05 s allowed for the measurement",
    )  # fmt: skip


def _seen_open(redis: Redis) -> Figure:
    redis.ask("FLUSHALL")
    took = []
    with worker_processes(redis.url, 2) as (one, other):
        for _ in range(_ROUNDS):
            other.tell("wait open")
            one.tell("trip")
            _expect(one, "open")
            started = time.monotonic()
            _expect(other, "open")
            took.append(time.monotonic() - started)
            for worker in (one, other):
                worker.tell("recover")
                _expect(worker, "closed")
    return Figure(
        figure="open_seen_by_other_workers", value=round(max(took), 3), unit="seconds", bar="<= 1",
        holds=max(took) <= 1, note=f"the longest of {_ROUNDS}",
    )  # fmt: skip


async def _calls_to_the_store(redis: Redis) -> Figure:
    sharing = Sharing(RedisStore(redis.url), refresh=3600.0)  # nothing in the background to be counted
    breaker = CircuitBreaker("closed", CONFIG, sharing=sharing)
    await breaker.call(asyncio.sleep, 0.5)
    before = redis.commands()
    for _ in range(10_000):
        await breaker.call(_answer)
    value = redis.commands() - before - 1
    await sharing.close()
    return Figure(
        figure="store_calls_on_the_closed_path", value=value, unit="commands for 10000 calls", bar="== 0",
        holds=value == 0,
    )  # fmt: skip


async def _without(
    redis: Redis, what: str, take_away: Callable[[], None], bring_back: Callable[[], None]
) -> list[Figure]:
    """Calls through a breaker that opens and probes all the time, while Redis goes away; the best of some rounds."""
    rounds = []
    for _ in range(_ROUNDS):
        rounds.append(await _suffering(redis, take_away))
        bring_back()
    errors = sum(errors for errors, _, _ in rounds)
    added = min(added for _, added, _ in rounds)
    stall = min(stall for _, _, stall in rounds)
    return [
        Figure(
            figure=f"redis_{what}_errors", value=errors, unit="errors to callers", bar="== 0", holds=errors == 0
        ),
        Figure(
            figure=f"redis_{what}_added_to_a_call", value=round(added * 1000, 1), unit="ms at most",
            bar=f"<= {_ADDED * 1000:.0f}", holds=added <= _ADDED, note=f"best of {_ROUNDS} rounds",
        ),
        Figure(
            figure=f"redis_{what}_loop_stall", value=round(stall * 1000, 1), unit="ms at most",
            bar=f"<= {_STALL * 1000:.0f}", holds=stall <= _STALL, note=f"best of {_ROUNDS} rounds",
        ),
    ]  # fmt: skip


async def _suffering(redis: Redis, take_away: Callable[[], None]) -> tuple[int, float, float]:
    """Errors to callers, the longest call, and the longest stall of the event loop."""
    sharing = Sharing(RedisStore(redis.url))
    breaker = CircuitBreaker("busy", _BUSY, sharing=sharing)
    await breaker.call(asyncio.sleep, 0.5)
    await asyncio.to_thread(take_away)
    longest, errors, stall, end = 0.0, 0, 0.0, time.monotonic() + 2.0

    async def watch() -> None:
        nonlocal stall
        while True:
            started = time.monotonic()
            await asyncio.sleep(0.001)
            stall = max(stall, time.monotonic() - started - 0.001)

    watcher = asyncio.create_task(watch())
    number = 0
    while time.monotonic() < end:
        number += 1
        started = time.monotonic()
        try:
            with suppress(CircuitOpenError, ConnectionRefusedError):
                await breaker.call(_refuse if number % 10 < 3 else _answer)
        except Exception:  # noqa: BLE001  (that there is one is the figure)
            errors += 1
        longest = max(longest, time.monotonic() - started)
        await asyncio.sleep(0.005)
    watcher.cancel()
    await sharing.close()
    return errors, longest, stall


def _expect(worker: WorkerProcess, *words: str) -> None:
    for word in words:
        if (said := worker.hear()) != word:
            raise RuntimeError(f"a worker said {said!r} in place of {word!r}")


async def _answer() -> None:
    """A backend that is well."""


async def _refuse() -> None:
    raise ConnectionRefusedError
