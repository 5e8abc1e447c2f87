"""Whom the breaker lets probe, what closes it, and that late results change nothing."""

import asyncio
from dataclasses import replace

import httpx
import pytest
from langgraph.errors import GraphInterrupt

from agent.resilience import (
    BreakerConfig,
    CircuitBreaker,
    CircuitOpenError,
)

from .flights import CONFIG, Clock, Flight, fail, refusal, state, status_error, succeed


async def test_of_a_hundred_tasks_only_the_permitted_probes_go_through(half_open: CircuitBreaker) -> None:
    reached, recovered = 0, asyncio.Event()

    async def backend() -> None:
        nonlocal reached
        reached += 1
        await recovered.wait()

    calls = [asyncio.create_task(half_open.call(backend)) for _ in range(100)]
    await asyncio.sleep(0)  # every task has asked
    recovered.set()
    refused = [end for end in await asyncio.gather(*calls, return_exceptions=True) if end is not None]
    assert reached == 3
    assert len(refused) == 97
    assert all(isinstance(end, CircuitOpenError) and end.retry_after is None for end in refused)


def test_enough_good_probes_close_it(half_open: CircuitBreaker) -> None:
    succeed(half_open, times=1)
    assert state(half_open) == "half_open"
    succeed(half_open, times=1)
    assert state(half_open) == "closed"


def test_a_closed_again_breaker_has_forgotten_the_old_failures(half_open: CircuitBreaker) -> None:
    succeed(half_open, times=2)
    fail(half_open, times=3)
    assert state(half_open) == "closed"


def test_an_answered_probe_is_a_good_one(half_open: CircuitBreaker) -> None:
    for _ in range(2):
        Flight(half_open).fail(status_error(404))
    assert state(half_open) == "closed"


def test_one_bad_probe_opens_it_again(half_open: CircuitBreaker) -> None:
    fail(half_open, times=1)
    assert refusal(half_open).retry_after == 10.0


def test_good_probes_before_a_bad_one_do_not_count(half_open: CircuitBreaker, clock: Clock) -> None:
    succeed(half_open, times=1)
    fail(half_open, times=1)
    clock.advance(10.0)
    succeed(half_open, times=1)
    assert state(half_open) == "half_open"


def test_hung_probes_of_an_earlier_half_open_hold_no_places(half_open: CircuitBreaker, clock: Clock) -> None:
    hung = [Flight(half_open) for _ in range(2)]
    fail(half_open, times=1)
    clock.advance(10.0)
    probes = [Flight(half_open) for _ in range(3)]
    refusal(half_open)
    for flight in hung + probes:
        flight.kill()


def test_a_slow_probe_opens_it_again(half_open: CircuitBreaker, clock: Clock) -> None:
    probe = Flight(half_open)
    clock.advance(10.0)
    probe.succeed()
    assert state(half_open) == "open"


@pytest.mark.parametrize("error", [GraphInterrupt(), asyncio.CancelledError()], ids=lambda error: type(error).__name__)
def test_a_neutral_probe_gives_its_place_back_and_proves_nothing(
    half_open: CircuitBreaker, error: BaseException
) -> None:
    for _ in range(20):
        Flight(half_open).fail(error)
    assert state(half_open) == "half_open"


async def test_a_cancelled_task_gives_its_place_back(half_open: CircuitBreaker) -> None:
    probes = [asyncio.create_task(half_open.call(asyncio.Event().wait)) for _ in range(3)]
    await asyncio.sleep(0)
    refusal(half_open)
    for probe in probes:
        probe.cancel()
    await asyncio.wait(probes)
    succeed(half_open, times=2)
    assert state(half_open) == "closed"


def test_a_killed_probe_gives_its_place_back(half_open: CircuitBreaker) -> None:
    for _ in range(3):
        Flight(half_open).kill()
    succeed(half_open, times=2)
    assert state(half_open) == "closed"


def test_a_hung_probe_gives_its_place_back_when_its_lease_ends(half_open: CircuitBreaker, clock: Clock) -> None:
    hung = [Flight(half_open) for _ in range(3)]
    clock.advance(29.9)
    refusal(half_open)
    clock.advance(0.1)
    succeed(half_open, times=2)
    assert state(half_open) == "closed"
    del hung


def test_a_good_probe_that_outlived_its_lease_does_not_count(clock: Clock) -> None:
    config = BreakerConfig(minimum_number_of_calls=1, success_threshold=1, slow_call_duration=3600.0)
    breaker = CircuitBreaker("model", config, clock=clock)
    fail(breaker, times=1)
    clock.advance(config.wait_duration_in_open)
    hung = Flight(breaker)
    clock.advance(config.probe_lease_seconds)
    hung.succeed()
    assert state(breaker) == "half_open"


def test_a_bad_probe_that_outlived_its_lease_still_opens_it(half_open: CircuitBreaker, clock: Clock) -> None:
    hung = Flight(half_open)
    clock.advance(30.0)
    hung.fail(httpx.ReadTimeout("at last"))
    assert state(half_open) == "open"


def test_a_late_success_does_not_close_an_open_circuit(breaker: CircuitBreaker, clock: Clock) -> None:
    late = [Flight(breaker) for _ in range(2)]
    fail(breaker, times=4)
    late.pop().succeed()
    assert state(breaker) == "open"
    clock.advance(5.0)
    succeed(breaker, times=1)
    late.pop().succeed()
    assert state(breaker) == "half_open"


def test_a_good_probe_of_an_earlier_half_open_does_not_count(clock: Clock) -> None:
    half_open = CircuitBreaker("model", replace(CONFIG, slow_call_duration=60.0), clock=clock)
    fail(half_open, times=4)
    clock.advance(5.0)
    late = [Flight(half_open), Flight(half_open)]
    fail(half_open, times=1)
    clock.advance(10.0)
    probe = Flight(half_open)
    for flight in late:
        flight.succeed()
    assert state(half_open) == "half_open"
    probe.kill()


def test_a_late_failure_does_not_open_a_closed_circuit(half_open: CircuitBreaker, clock: Clock) -> None:
    late = Flight(half_open)
    succeed(half_open, times=2)
    late.fail(status_error(429, retry_after="60"))
    assert state(half_open) == "closed"
