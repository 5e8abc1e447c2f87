"""What operators can see of a breaker and do to it."""

import logging

import httpx
import pytest

from agent.resilience import (
    BreakerMoved,
    BreakerSnapshot,
    CircuitBreaker,
    LastError,
)

from .flights import CONFIG, Clock, Flight, fail, refusal, succeed


def test_forced_open_refuses_until_it_is_reset(breaker: CircuitBreaker, clock: Clock) -> None:
    breaker.force_open()
    clock.advance(10_000.0)
    refused = refusal(breaker)
    assert (refused.kind, refused.retry_after) == (None, None)
    breaker.reset()
    succeed(breaker, times=1)


def test_who_asks_first_hears_the_refusal_and_takes_no_probe(breaker: CircuitBreaker, clock: Clock) -> None:
    assert breaker.refusal() is None
    fail(breaker, times=4)
    told = breaker.refusal()
    assert told is not None
    assert (told.kind, told.retry_after) == ("connection", 5.0)
    clock.advance(5.0)
    assert breaker.refusal() is None
    assert breaker.snapshot().state == "open"
    breaker.force_open()
    assert breaker.refusal() is not None


def test_reset_closes_an_open_breaker_and_forgets_its_wait(half_open: CircuitBreaker) -> None:
    fail(half_open, times=1)
    half_open.reset()
    fail(half_open, times=4)
    assert refusal(half_open).retry_after == 5.0


def test_reset_of_a_closed_breaker_forgets_its_failures_without_a_move(
    breaker: CircuitBreaker, moves: list[BreakerMoved]
) -> None:
    fail(breaker, times=3)
    breaker.reset()
    fail(breaker, times=3)
    assert moves == []


def test_listeners_hear_of_every_move(half_open: CircuitBreaker, moves: list[BreakerMoved]) -> None:
    succeed(half_open, times=2)
    half_open.force_open()
    assert moves == [
        BreakerMoved("model", "closed", "open", "connection", 5.0),
        BreakerMoved("model", "open", "half_open", "connection", None),
        BreakerMoved("model", "half_open", "closed", None, None),
        BreakerMoved("model", "closed", "forced_open", None, None),
    ]


def test_a_broken_listener_is_logged_and_harms_neither_call_nor_other_listeners(
    clock: Clock, moves: list[BreakerMoved], caplog: pytest.LogCaptureFixture
) -> None:
    def broken(moved: BreakerMoved) -> None:
        raise ValueError(moved.name)

    breaker = CircuitBreaker("model", CONFIG, listeners=[broken, moves.append], clock=clock)
    with caplog.at_level(logging.ERROR):
        fail(breaker, times=4)
    assert [move.after for move in moves] == ["open"]
    assert "a listener of circuit model failed" in caplog.text


def test_the_snapshot_tells_an_operator_what_is_going_on(breaker: CircuitBreaker, clock: Clock) -> None:
    Flight(breaker).fail(httpx.ReadTimeout("late"))
    slow = Flight(breaker)
    clock.advance(10.0)
    slow.succeed()
    fail(breaker, times=2)
    clock.advance(2.0)
    assert breaker.snapshot() == BreakerSnapshot(
        name="model",
        state="open",
        for_seconds=2.0,
        why="connection",
        next_probe_in=3.0,
        last_errors={
            "timeout": LastError("ReadTimeout", 12.0),
            "slow": LastError("slow answer", 2.0),
            "connection": LastError("ConnectError", 2.0),
        },
    )


def test_a_probe_that_is_due_is_zero_seconds_away(half_open: CircuitBreaker, clock: Clock) -> None:
    clock.advance(100.0)
    assert half_open.snapshot().next_probe_in == 0.0


def test_a_closed_breaker_expects_no_probe(breaker: CircuitBreaker) -> None:
    assert breaker.snapshot().next_probe_in is None
