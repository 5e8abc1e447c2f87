"""A breaker in a test's hands: its clock, its moves, and itself, closed or about to probe."""

import pytest

from agent.resilience import BreakerMoved, CircuitBreaker

from .flights import CONFIG, Clock, fail


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def moves() -> list[BreakerMoved]:
    return []


@pytest.fixture
def breaker(clock: Clock, moves: list[BreakerMoved]) -> CircuitBreaker:
    return CircuitBreaker("model", CONFIG, listeners=[moves.append], clock=clock, rand=lambda: 0.0)


@pytest.fixture
def half_open(breaker: CircuitBreaker, clock: Clock) -> CircuitBreaker:
    """A breaker whose next call is a probe."""
    fail(breaker, times=4)
    clock.advance(5.0)
    return breaker
