"""Workers that share breakers in one process: a store in memory that can fail, and calls that end when told.

Redis and processes of their own take their place in `tests/services`.
"""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Literal, Self, TypeVar

import httpx
import pytest

from agent.resilience import (
    BreakerConfig,
    BreakerMoved,
    BreakerState,
    CircuitBreaker,
    CircuitOpenError,
    Claim,
    FailureKind,
    RetryBudget,
    SharedView,
    Sharing,
    StateStore,
    StoreMoved,
    StoreUnavailableError,
)
from tests.support.virtual_time import now

T = TypeVar("T")

Trouble = Literal["dead", "frozen", "mute"]
"""Refuses; does nothing and says nothing; does what it is told and says nothing."""


@dataclass
class Record:
    """What the store knows of one breaker."""

    epoch: int = 0
    state: BreakerState = "closed"
    why: FailureKind | None = None
    until: float = 0.0
    openings: int = 0
    good: int = 0
    leases: dict[str, float] = field(default_factory=dict)


class StoreInMemory:
    """The store's contract in plain Python, and every trouble that a store can have."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._records: dict[str, Record] = {}
        self._whole_at: dict[str, float] = {}  # budgets of retries
        self.trouble: Trouble | None = None
        self.calls = 0
        self.closed = False

    def forget(self) -> None:
        """It starts anew with nothing."""
        self._records, self._whole_at = {}, {}

    async def read(self, names: Sequence[str]) -> Sequence[SharedView]:
        await self._arrive()
        return await self._answer([self._view(name) for name in names])

    async def open(self, name: str, epoch: int, why: FailureKind | None, seconds: float, openings: int) -> SharedView:
        await self._arrive()
        if self.record(name).epoch in (0, epoch):
            self._move(name, Record(0, "open", why, self._clock() + seconds, openings))
        return await self._answer(self._view(name))

    async def acquire(self, name: str, claim: Claim) -> tuple[bool, SharedView]:
        await self._arrive()
        record, now = self.record(name), self._clock()
        if record.epoch == 0:
            record = self._move(name, Record(0, "half_open", claim.why, openings=claim.openings))
        elif record.state == "open" and now >= record.until:
            record = self._move(name, Record(record.epoch, "half_open", record.why, openings=record.openings))
        record.leases = {lease: deadline for lease, deadline in record.leases.items() if now < deadline}
        granted = record.state == "half_open" and len(record.leases) < claim.permitted
        if granted:
            record.leases[claim.lease] = now + claim.lease_seconds
        return await self._answer((granted, self._view(name)))

    async def settle(self, name: str, lease: str, good: bool, success_threshold: int) -> SharedView:
        await self._arrive()
        record = self.record(name)
        held = self._clock() < record.leases.pop(lease, 0.0)
        if good and held:
            record.good += 1
            if record.good >= success_threshold:
                self._move(name, Record())
        return await self._answer(self._view(name))

    async def force_open(self, name: str) -> SharedView:
        await self._arrive()
        self._move(name, Record(state="forced_open"))
        return await self._answer(self._view(name))

    async def reset(self, name: str) -> SharedView:
        await self._arrive()
        self._move(name, Record())
        return await self._answer(self._view(name))

    async def spend(self, name: str, spent: int, most: int, seconds: float) -> float:
        await self._arrive()
        whole_in = max(0.0, self._whole_at.get(name, 0.0) - self._clock()) + spent * seconds / most
        whole_in = min(whole_in, 2 * seconds)
        self._whole_at[name] = self._clock() + whole_in
        return await self._answer(most * (1 - whole_in / seconds))

    async def close(self) -> None:
        self.closed = True

    def record(self, name: str) -> Record:
        return self._records.setdefault(name, Record())

    async def _arrive(self) -> None:
        self.calls += 1
        await asyncio.sleep(0)
        if self.trouble == "dead":
            raise StoreUnavailableError from ConnectionRefusedError()
        if self.trouble == "frozen":
            await asyncio.Event().wait()

    async def _answer(self, answer: T) -> T:
        if self.trouble == "mute":
            await asyncio.Event().wait()
        await asyncio.sleep(0)
        return answer

    def _move(self, name: str, to: Record) -> Record:
        to.epoch = max(self.record(name).epoch + 1, round(self._clock() * 1000))
        self._records[name] = to
        return to

    def _view(self, name: str) -> SharedView:
        record = self.record(name)
        left = max(0.0, record.until - self._clock())
        return SharedView(record.epoch, record.state, record.why, left, record.openings)


class Worker:
    """One process: a breaker, its link to the store, and what their listeners heard."""

    def __init__(
        self, store: StateStore, config: BreakerConfig, refresh: float = 0.25, clock: Callable[[], float] = now
    ) -> None:
        self.moves: list[BreakerMoved] = []
        self.store_moves: list[StoreMoved] = []
        self.budget = RetryBudget("model", most=10, seconds=10.0, clock=clock)
        self.sharing = Sharing(store, [self.budget], listeners=[self.store_moves.append], refresh=refresh)
        self.breaker = CircuitBreaker(
            "model", config, listeners=[self.moves.append], sharing=self.sharing, clock=clock, rand=lambda: 0.0
        )

    @property
    def state(self) -> BreakerState:
        return self.breaker.snapshot().state

    async def succeed(self, times: int = 1) -> None:
        for _ in range(times):
            await self.breaker.call(_answer)

    async def fail(self) -> None:
        with suppress(httpx.ConnectError):
            await self.breaker.call(_refuse)

    async def trip(self) -> None:
        while self.state == "closed":
            await self.fail()

    def retries(self, times: int) -> int:
        """How many of so many failures are tried again."""
        return sum(self.budget.allows(ConnectionError()) for _ in range(times))

    async def refused(self) -> bool:
        try:
            await self.breaker.call(_answer)
        except CircuitOpenError:
            return True
        return False


async def _answer() -> None:
    """A backend that is well."""


async def _refuse() -> None:
    raise httpx.ConnectError("refused")


class Visit:
    """A call that is with the backend until told how to end."""

    def __init__(self, breaker: CircuitBreaker) -> None:
        self.reached = asyncio.Event()
        self._end: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.task = asyncio.create_task(breaker.call(self._backend))

    async def _backend(self) -> None:
        self.reached.set()
        await self._end

    @classmethod
    async def start(cls, worker: Worker) -> Self:
        """A visit that has reached the backend; raises CircuitOpenError when it was refused."""
        visit = cls(worker.breaker)
        reached = asyncio.create_task(visit.reached.wait())
        await asyncio.wait({visit.task, reached}, return_when=asyncio.FIRST_COMPLETED)
        if not visit.reached.is_set():
            reached.cancel()
            await visit.task
        return visit

    async def succeed(self) -> None:
        self._end.set_result(None)
        await self.task

    async def fail(self, error: Exception) -> None:
        self._end.set_exception(error)
        with pytest.raises(type(error)):
            await self.task

    async def cancel(self) -> None:
        self.task.cancel()
        await asyncio.wait({self.task})
