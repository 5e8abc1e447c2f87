"""When a closed breaker opens, and for how long."""

import asyncio

import pytest
from langgraph.errors import GraphInterrupt

from agent.resilience import (
    BreakerConfig,
    BreakerMoved,
    CircuitBreaker,
    Classifier,
    Failure,
)

from .flights import CONFIG, DOWN, Clock, Flight, fail, refusal, state, status_error, succeed


async def test_a_call_gets_its_arguments_and_gives_its_answer(breaker: CircuitBreaker) -> None:
    async def add(left: int, *, right: int) -> int:
        return left + right

    assert await breaker.call(add, 2, right=3) == 5


def test_enough_failures_open_it(breaker: CircuitBreaker) -> None:
    succeed(breaker, times=2)
    fail(breaker, times=2)
    assert state(breaker) == "open"


def test_fewer_calls_than_the_minimum_never_open_it(breaker: CircuitBreaker) -> None:
    fail(breaker, times=3)
    assert state(breaker) == "closed"


def test_a_failure_rate_below_the_threshold_does_not_open_it(breaker: CircuitBreaker) -> None:
    succeed(breaker, times=3)
    fail(breaker, times=2)
    assert state(breaker) == "closed"


def test_failures_older_than_the_window_are_forgotten(breaker: CircuitBreaker, clock: Clock) -> None:
    fail(breaker, times=3)
    clock.advance(60.1)
    fail(breaker, times=3)
    assert state(breaker) == "closed"


@pytest.mark.parametrize(
    "error",
    [status_error(404), GraphInterrupt(), asyncio.CancelledError(), ValueError("a bug of ours")],
    ids=lambda error: type(error).__name__,
)
def test_errors_that_are_not_the_backends_leave_it_closed(breaker: CircuitBreaker, error: BaseException) -> None:
    for _ in range(20):
        Flight(breaker).fail(error)
    assert state(breaker) == "closed"


def test_answered_and_neutral_calls_do_not_dilute_the_failures(breaker: CircuitBreaker) -> None:
    for _ in range(20):
        Flight(breaker).fail(status_error(404))
        Flight(breaker).fail(GraphInterrupt())
    fail(breaker, times=4)
    assert state(breaker) == "open"


def test_slow_answers_open_it(breaker: CircuitBreaker, clock: Clock, moves: list[BreakerMoved]) -> None:
    succeed(breaker, times=1)
    slow = [Flight(breaker) for _ in range(3)]
    clock.advance(10.0)
    for flight in slow:
        flight.succeed()
    assert moves == [BreakerMoved("model", "closed", "open", "slow", 5.0)]


def test_fewer_slow_answers_than_the_threshold_do_not_open_it(breaker: CircuitBreaker, clock: Clock) -> None:
    succeed(breaker, times=2)
    slow = [Flight(breaker) for _ in range(3)]
    clock.advance(10.0)
    for flight in slow:
        flight.succeed()
    assert state(breaker) == "closed"


def test_a_slow_failure_counts_as_failed_and_as_slow(clock: Clock) -> None:
    config = BreakerConfig(failure_rate_threshold=1.0, slow_call_rate_threshold=0.5, minimum_number_of_calls=4)
    breaker = CircuitBreaker("model", config, clock=clock)
    succeed(breaker, times=2)
    slow = [Flight(breaker) for _ in range(2)]
    clock.advance(config.slow_call_duration)
    for flight in slow:
        flight.fail(DOWN)
    assert breaker.snapshot().why == "slow"


def test_an_error_classified_as_slow_counts_as_slow_and_not_as_failed(clock: Clock) -> None:
    classifier = Classifier()
    classifier.register(ValueError, Failure("slow"))
    breaker = CircuitBreaker("model", CONFIG, classifier=classifier, clock=clock)
    succeed(breaker, times=1)
    for _ in range(2):
        Flight(breaker).fail(ValueError())
    assert state(breaker) == "closed"
    Flight(breaker).fail(ValueError())
    assert breaker.snapshot().why == "slow"


def test_a_cancellation_that_came_late_is_a_slow_call(breaker: CircuitBreaker, clock: Clock) -> None:
    cancelled = [Flight(breaker) for _ in range(4)]
    clock.advance(10.0)
    for flight in cancelled:
        flight.fail(asyncio.CancelledError())
    assert breaker.snapshot().why == "slow"


def test_a_long_interrupt_is_not_a_slow_call(breaker: CircuitBreaker, clock: Clock) -> None:
    waiting = [Flight(breaker) for _ in range(4)]
    clock.advance(10.0)
    for flight in waiting:
        flight.fail(GraphInterrupt())
    assert state(breaker) == "closed"


@pytest.mark.parametrize(("status", "kind"), [(429, "rate_limit"), (503, "overload")])
def test_one_retry_after_opens_it_for_exactly_that_long(
    breaker: CircuitBreaker, clock: Clock, status: int, kind: str
) -> None:
    Flight(breaker).fail(status_error(status, retry_after="17"))
    clock.advance(16.9)
    assert refusal(breaker).kind == kind
    clock.advance(0.1)
    Flight(breaker).succeed()


def test_an_absurd_retry_after_is_capped(breaker: CircuitBreaker) -> None:
    Flight(breaker).fail(status_error(429, retry_after="31536000"))
    assert refusal(breaker).retry_after == 600.0


@pytest.mark.parametrize("headers", [{}, {"retry_after": "0"}])
def test_a_rate_limit_without_a_time_is_a_failure_like_others(breaker: CircuitBreaker, headers: dict[str, str]) -> None:
    for _ in range(3):
        Flight(breaker).fail(status_error(429, **headers))
    assert state(breaker) == "closed"
    Flight(breaker).fail(status_error(429, **headers))
    assert state(breaker) == "open"


def test_a_probe_that_is_told_to_wait_waits_exactly_that_long(half_open: CircuitBreaker) -> None:
    Flight(half_open).fail(status_error(429, retry_after="1"))
    assert refusal(half_open).retry_after == 1.0


def test_an_open_breaker_says_why_and_until_when(breaker: CircuitBreaker, clock: Clock) -> None:
    fail(breaker, times=4)
    clock.advance(2.0)
    refused = refusal(breaker)
    assert (refused.name, refused.kind, refused.retry_after) == ("model", "connection", 3.0)


def test_the_wait_doubles_up_to_its_cap(breaker: CircuitBreaker, clock: Clock, moves: list[BreakerMoved]) -> None:
    fail(breaker, times=4)
    for _ in range(3):
        clock.advance(12.0)
        fail(breaker, times=1)
    assert [move.retry_after for move in moves if move.after == "open"] == [5.0, 10.0, 12.0, 12.0]


def test_closing_brings_the_wait_back_to_its_start(half_open: CircuitBreaker, clock: Clock) -> None:
    fail(half_open, times=1)
    clock.advance(10.0)
    succeed(half_open, times=2)
    fail(half_open, times=4)
    assert refusal(half_open).retry_after == 5.0


def test_jitter_shortens_the_wait(clock: Clock) -> None:
    breaker = CircuitBreaker("model", CONFIG, clock=clock, rand=lambda: 0.5)
    fail(breaker, times=4)
    assert refusal(breaker).retry_after == pytest.approx(4.5)


@pytest.mark.parametrize(
    ("values", "complaint"),
    [
        ({"minimum_number_of_calls": 0}, "minimum_number_of_calls must be above 0"),
        ({"probe_lease_seconds": float("nan")}, "probe_lease_seconds must be above 0"),
        ({"failure_rate_threshold": 50}, "failure_rate_threshold must be at most 1"),
        ({"wait_duration_in_open": 61.0}, "max_wait_duration_in_open must not be below"),
    ],
)
def test_a_config_that_cannot_work_is_refused(values: dict[str, float], complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        BreakerConfig(**values)  # type: ignore[arg-type]
