"""Whatever happens to calls, workers and store, in whatever order: a shared breaker never sticks or over-admits."""

import asyncio
from collections.abc import Coroutine
from dataclasses import dataclass, replace
from typing import Any, TypeVar

import httpx
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from agent.resilience import BreakerConfig, CircuitOpenError
from tests.support.shared_breakers import StoreInMemory, Trouble, Visit, Worker
from tests.support.virtual_time import VirtualTime, now

from .flights import status_error

pytestmark = pytest.mark.thorough

T = TypeVar("T")

CONFIG = BreakerConfig(
    slow_call_duration=40.0,  # above the lease, so that a good answer can outlive its lease
    minimum_number_of_calls=2,
    probe_lease_seconds=30.0,
    max_retry_after=120.0,
)
LONGEST_WAIT = 120.0
REFRESH = 2.0
BACK_IN_STEP = 12.0  # seconds: the longest pause for a store that was away, a refresh, and their questions
ERRORS = {
    "failure": httpx.ConnectError("refused"),
    "rate limit": status_error(429, retry_after="500"),
    "answered": status_error(404),
    "bug": ValueError("ours"),
}


@dataclass
class InFlight:
    """A call with the backend. `epoch` is the store's if it is a probe of a half-open that all workers share."""

    visit: Visit
    epoch: int | None
    lease_ends: float


class AnyInterleaving(RuleBasedStateMachine):
    """Two workers call, are killed and started anew; calls end in any way or hang; the store goes, comes, forgets."""

    @initialize(permitted=st.integers(1, 2), threshold=st.integers(1, 3))
    def set_up(self, permitted: int, threshold: int) -> None:
        self.runner = asyncio.Runner(loop_factory=VirtualTime)
        self.config = replace(CONFIG, permitted_calls_in_half_open=permitted, success_threshold=threshold)
        self.store = StoreInMemory(self.now)
        self.store_was_well = True
        self.workers = [self.started(), self.started()]
        self.in_flight: list[InFlight] = []

    def started(self) -> Worker:
        return Worker(self.store, self.config, refresh=REFRESH, clock=self.now)

    def now(self) -> float:
        return self.runner.get_loop().time()

    def run(self, what: Coroutine[Any, Any, T]) -> T:
        return self.runner.run(what)

    @rule(number=st.integers(0, 1))
    def start(self, number: int) -> None:
        self.run(self._start(self.workers[number]))

    async def _start(self, worker: Worker) -> None:
        began = now()
        try:
            visit = await Visit.start(worker)
        except CircuitOpenError:
            return
        finally:
            assert now() - began <= 0.05
        probe = worker.state == "half_open"
        epoch = self.store.record("model").epoch if probe else None
        self.in_flight.append(InFlight(visit, epoch, now() + CONFIG.probe_lease_seconds))

    @precondition(lambda self: self.in_flight)
    @rule(pick=st.integers(min_value=0), end=st.sampled_from(["success", "cancel", *ERRORS]))
    def end(self, pick: int, end: str) -> None:
        visit = self.in_flight.pop(pick % len(self.in_flight)).visit
        match end:
            case "success":
                self.run(visit.succeed())
            case "cancel":
                self.run(visit.cancel())
            case _:
                self.run(visit.fail(ERRORS[end]))

    @rule(number=st.integers(0, 1))
    def a_worker_is_replaced(self, number: int) -> None:
        """It is killed: the store hears no more of it, nor of its calls."""
        self.run(self.workers[number].sharing.close())
        self.workers[number] = self.started()

    @rule(seconds=st.one_of(st.floats(0.0, 1.0), st.floats(0.0, LONGEST_WAIT)))
    def time_passes(self, seconds: float) -> None:
        self.run(asyncio.sleep(seconds))

    @rule(trouble=st.sampled_from(["dead", "frozen", "mute"]))
    def the_store_goes_away(self, trouble: Trouble) -> None:
        self.store.trouble = trouble
        self.store_was_well = False

    @rule(forgot=st.booleans())
    def the_store_comes_back(self, forgot: bool) -> None:
        self.store.trouble = None
        if forgot:
            self.store.forget()
            self.store_was_well = False

    @rule(number=st.integers(0, 1), opens=st.booleans())
    def an_operator_steps_in(self, number: int, opens: bool) -> None:
        breaker = self.workers[number].breaker
        self.run(_said(breaker.force_open if opens else breaker.reset))

    @rule()
    def backend_recovers(self) -> None:
        self.run(self._recover())

    async def _recover(self) -> None:
        """However it got here, and whether the store is there or not: each worker's good calls close its breaker."""
        for worker in self.workers:
            await worker.refused()  # it has heard of the others, or soon will
            await asyncio.sleep(BACK_IN_STEP)
            if worker.state == "forced_open":
                worker.breaker.reset()
        await asyncio.sleep(LONGEST_WAIT + BACK_IN_STEP)
        for worker in self.workers:
            for _ in range(self.config.success_threshold):
                await worker.succeed()
                await asyncio.sleep(REFRESH)
        assert [worker.state for worker in self.workers] == ["closed", "closed"]

    @invariant()
    def no_more_probes_than_permitted(self) -> None:
        """Of all workers together, while the store has always been there."""
        if not self.store_was_well:
            return
        record, moment = self.store.record("model"), self.now()
        probes = [call for call in self.in_flight if call.epoch == record.epoch and moment < call.lease_ends]
        assert record.state != "half_open" or len(probes) <= self.config.permitted_calls_in_half_open

    def teardown(self) -> None:
        with self.runner:
            self.backend_recovers()


async def _said(word: Any) -> None:
    word()
    await asyncio.sleep(0)


TestAnyInterleaving = AnyInterleaving.TestCase
TestAnyInterleaving.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
