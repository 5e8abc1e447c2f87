"""Whatever happens, in whatever order: a breaker never sticks, never over-admits, never hears the late."""

import asyncio
from dataclasses import dataclass, replace

import httpx
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from langgraph.errors import GraphInterrupt

from agent.resilience import BreakerConfig, BreakerMoved, CircuitBreaker, CircuitOpenError

from .flights import Clock, Flight, status_error

CONFIG = BreakerConfig(
    slow_call_duration=40.0,  # above the lease, so that a good answer can outlive its lease
    minimum_number_of_calls=2,
    probe_lease_seconds=30.0,
    max_retry_after=120.0,
)
LONGEST_WAIT = 120.0
ERRORS = {
    "failure": httpx.ConnectError("refused"),
    "rate limit": status_error(429, retry_after="500"),
    "answered": status_error(404),
    "interrupt": GraphInterrupt(),
    "bug": ValueError("ours"),
    "cancel": asyncio.CancelledError(),
}


@dataclass
class InFlight:
    """A call with the backend. `era` is the number of moves that the breaker had made when it was let in."""

    flight: Flight
    era: int
    lease_ends: float


class AnyInterleaving(RuleBasedStateMachine):
    """Calls start, end in any way, die, or hang (are never ended), while time passes."""

    @initialize(permitted=st.integers(1, 3), threshold=st.integers(1, 3), jitter=st.floats(0.0, 1.0))
    def set_up(self, permitted: int, threshold: int, jitter: float) -> None:
        self.config = replace(CONFIG, permitted_calls_in_half_open=permitted, success_threshold=threshold)
        self.clock = Clock()
        self.moves: list[BreakerMoved] = []
        self.breaker = CircuitBreaker(
            "model", self.config, listeners=[self.moves.append], clock=self.clock, rand=lambda: jitter
        )
        self.in_flight: list[InFlight] = []

    @rule()
    def start(self) -> None:
        try:
            flight = Flight(self.breaker)
        except CircuitOpenError:
            return
        self.in_flight.append(InFlight(flight, len(self.moves), self.clock.now + CONFIG.probe_lease_seconds))

    @precondition(lambda self: self.in_flight)
    @rule(pick=st.integers(min_value=0), end=st.sampled_from(["success", "kill", *ERRORS]))
    def end(self, pick: int, end: str) -> None:
        ended = self.in_flight.pop(pick % len(self.in_flight))
        era = len(self.moves)
        if end == "success":
            ended.flight.succeed()
        elif end == "kill":
            ended.flight.kill()
        else:
            ended.flight.fail(ERRORS[end])
        moved = self.moves[era:]
        if ended.era != era or end in ("kill", "interrupt", "bug"):
            assert moved == []
        if moved and moved[0].after == "closed":
            assert end in ("success", "answered")
            assert self.clock.now < ended.lease_ends

    @rule(seconds=st.floats(0.0, LONGEST_WAIT))
    def time_passes(self, seconds: float) -> None:
        self.clock.advance(seconds)

    @rule()
    def backend_recovers(self) -> None:
        """However it got here: after the longest wait, as many good calls as it takes close it."""
        self.clock.advance(LONGEST_WAIT)
        for _ in range(self.config.success_threshold):
            Flight(self.breaker).succeed()
        assert self.breaker.snapshot().state == "closed"

    @invariant()
    def no_more_probes_than_permitted(self) -> None:
        if self.breaker.snapshot().state == "half_open":
            probes = [
                call for call in self.in_flight if call.era == len(self.moves) and self.clock.now < call.lease_ends
            ]
            assert len(probes) <= self.config.permitted_calls_in_half_open

    def teardown(self) -> None:
        self.backend_recovers()


TestAnyInterleaving = AnyInterleaving.TestCase
TestAnyInterleaving.settings = settings(max_examples=150, stateful_step_count=40, deadline=None)
