"""What the breaker's tests share: a clock set by hand, and calls that end when and how a test says."""

import types
from collections.abc import Generator
from typing import Any

import httpx
import pytest

from agent.resilience import BreakerConfig, CircuitBreaker, CircuitOpenError

CONFIG = BreakerConfig(
    failure_rate_threshold=0.5,
    slow_call_rate_threshold=0.75,
    slow_call_duration=10.0,
    minimum_number_of_calls=4,
    sliding_window_seconds=60.0,
    wait_duration_in_open=5.0,
    max_wait_duration_in_open=12.0,
    wait_jitter=0.2,
    max_retry_after=600.0,
    permitted_calls_in_half_open=3,
    success_threshold=2,
    probe_lease_seconds=30.0,
)
DOWN = httpx.ConnectError("refused")


class Clock:
    """Seconds that pass only when told to."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now

    def advance(self, seconds: float) -> None:
        self.now += seconds


@types.coroutine
def _pause() -> Generator[None]:
    yield


async def _backend() -> str:
    await _pause()
    return "answer"


class Flight:
    """A call that is with the backend until told how to end. It is stepped by hand and needs no event loop.

    Raises CircuitOpenError from the start when the breaker refuses it.
    """

    def __init__(self, breaker: CircuitBreaker) -> None:
        self._call: Any = breaker.call(_backend)
        self._call.send(None)

    def succeed(self) -> None:
        with pytest.raises(StopIteration, match="answer"):
            self._call.send(None)

    def fail(self, error: BaseException) -> None:
        with pytest.raises(type(error)) as caught:
            self._call.throw(error)
        assert caught.value is error

    def kill(self) -> None:
        """Its task is thrown away without a word."""
        self._call.close()


def status_error(status: int, **headers: str) -> httpx.HTTPStatusError:
    """What `raise_for_status` raises; `retry_after` becomes Retry-After."""
    request = httpx.Request("GET", "http://backend")
    response = httpx.Response(
        status, headers={name.replace("_", "-"): value for name, value in headers.items()}, request=request
    )
    return httpx.HTTPStatusError(str(status), request=request, response=response)


def fail(breaker: CircuitBreaker, *, times: int) -> None:
    for _ in range(times):
        Flight(breaker).fail(DOWN)


def succeed(breaker: CircuitBreaker, *, times: int) -> None:
    for _ in range(times):
        Flight(breaker).succeed()


def state(breaker: CircuitBreaker) -> str:
    return breaker.snapshot().state


def refusal(breaker: CircuitBreaker) -> CircuitOpenError:
    with pytest.raises(CircuitOpenError) as refused:
        Flight(breaker)
    return refused.value
