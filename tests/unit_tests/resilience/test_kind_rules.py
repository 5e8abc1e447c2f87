"""Each kind of failure counts in its own way and opens for its own time."""

import asyncio
from dataclasses import replace

import httpx
import pytest

from agent.resilience import BreakerConfig, CircuitBreaker, FailureKind, KindRule

from .flights import CONFIG, DOWN, Clock, Flight, refusal, state, status_error, succeed

LATE = httpx.ReadTimeout("late")


def ruled(clock: Clock, kind: FailureKind, rule: KindRule) -> CircuitBreaker:
    """A breaker with a rule of its own."""
    return CircuitBreaker("model", replace(CONFIG, rules={kind: rule}), clock=clock, rand=lambda: 0.0)


def open_with(breaker: CircuitBreaker, error: Exception) -> None:
    while state(breaker) == "closed":
        Flight(breaker).fail(error)


@pytest.mark.parametrize(("error", "opened"), [(LATE, "open"), (DOWN, "closed")])
def test_timeouts_open_it_at_a_threshold_of_their_own(breaker: CircuitBreaker, error: Exception, opened: str) -> None:
    succeed(breaker, times=7)
    for _ in range(3):
        Flight(breaker).fail(error)
    assert state(breaker) == opened


def test_fewer_timeouts_than_that_do_not_open_it(breaker: CircuitBreaker) -> None:
    succeed(breaker, times=8)
    for _ in range(3):
        Flight(breaker).fail(LATE)
    assert state(breaker) == "closed"


def test_timeouts_count_among_all_failures_too(breaker: CircuitBreaker) -> None:
    succeed(breaker, times=4)
    for error in (LATE, DOWN, DOWN, DOWN):
        Flight(breaker).fail(error)
    assert state(breaker) == "open"


def test_rate_limits_without_a_time_weigh_half(breaker: CircuitBreaker) -> None:
    succeed(breaker, times=1)
    for _ in range(3):
        Flight(breaker).fail(status_error(429))
    assert state(breaker) == "closed"
    Flight(breaker).fail(DOWN)
    assert state(breaker) == "open"


def test_a_call_is_one_call_whatever_it_weighs(clock: Clock) -> None:
    light = ruled(clock, "connection", KindRule(weight=0.5))
    for _ in range(CONFIG.minimum_number_of_calls):
        Flight(light).fail(DOWN)
    assert state(light) == "open"


def test_a_kind_without_weight_says_nothing_about_the_backend(clock: Clock) -> None:
    deaf = ruled(clock, "rate_limit", KindRule(weight=0.0))
    for _ in range(20):
        Flight(deaf).fail(status_error(429, retry_after="60"))
    assert state(deaf) == "closed"
    assert set(deaf.snapshot().last_errors) == {"rate_limit"}


def test_a_probe_of_a_kind_without_weight_gives_its_place_back_and_proves_nothing(clock: Clock) -> None:
    deaf = ruled(clock, "rate_limit", KindRule(weight=0.0))
    open_with(deaf, DOWN)
    clock.advance(5.0)
    for _ in range(20):
        Flight(deaf).fail(status_error(429))
    assert state(deaf) == "half_open"


def test_a_refused_credential_opens_it_for_longer(clock: Clock) -> None:
    breaker = CircuitBreaker("model", replace(CONFIG, max_wait_duration_in_open=45.0), clock=clock, rand=lambda: 0.0)
    open_with(breaker, status_error(401))
    assert refusal(breaker).retry_after == 30.0
    clock.advance(30.0)
    Flight(breaker).fail(status_error(401))
    assert refusal(breaker).retry_after == 45.0


def test_a_kinds_own_wait_doubles_with_the_others(clock: Clock) -> None:
    breaker = ruled(clock, "connection", KindRule(wait_duration_in_open=1.0))
    open_with(breaker, DOWN)
    assert refusal(breaker).retry_after == 1.0
    clock.advance(1.0)
    Flight(breaker).fail(status_error(500))
    assert refusal(breaker).retry_after == 10.0
    clock.advance(10.0)
    Flight(breaker).fail(DOWN)
    assert refusal(breaker).retry_after == 4.0


def test_a_retry_after_goes_before_a_kinds_own_wait(clock: Clock) -> None:
    breaker = ruled(clock, "rate_limit", KindRule(wait_duration_in_open=1.0))
    Flight(breaker).fail(status_error(429, retry_after="17"))
    assert refusal(breaker).retry_after == 17.0


def test_a_config_may_replace_a_common_rule() -> None:
    config = BreakerConfig(rules={"timeout": KindRule()})
    assert config.rule("timeout").failure_rate_threshold is None
    assert config.rule("auth").wait_duration_in_open == 30.0


def test_slow_calls_can_be_left_out(clock: Clock) -> None:
    patient = ruled(clock, "slow", KindRule(weight=0.0))
    slow = [Flight(patient) for _ in range(8)]
    clock.advance(CONFIG.slow_call_duration)
    for flight in slow:
        flight.fail(asyncio.CancelledError())
    assert state(patient) == "closed"


@pytest.mark.parametrize("kind", ["server_error", "client_error", "overload", "bad_response", "connection"])
def test_other_kinds_count_fully(kind: FailureKind) -> None:
    assert BreakerConfig().rule(kind) == KindRule()


@pytest.mark.parametrize(
    ("values", "complaint"),
    [
        ({"weight": 1.5}, "weight must be from 0 to 1"),
        ({"weight": float("nan")}, "weight must be from 0 to 1"),
        ({"failure_rate_threshold": 0.0}, "failure_rate_threshold must be above 0"),
        ({"failure_rate_threshold": 30.0}, "failure_rate_threshold must be above 0 and at most 1"),
        ({"wait_duration_in_open": 0.0}, "wait_duration_in_open must be above 0"),
    ],
)
def test_a_rule_that_cannot_work_is_refused(values: dict[str, float], complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        KindRule(**values)
