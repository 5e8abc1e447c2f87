"""A circuit breaker for async calls, with its state in this process.

It decides who may call a backend and learns from how calls end; `failures` says what an error means. For one
event loop: nothing awaits between reading and writing the state, so it needs no lock. Not for threads.
"""

import asyncio
import logging
import random
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, fields
from typing import Literal, ParamSpec, Protocol, TypeVar

from agent.resilience.failures import (
    CLASSIFIER,
    NEUTRAL,
    CircuitOpenError,
    Classifier,
    Failure,
    FailureKind,
    Verdict,
)
from agent.resilience.window import SlidingWindow

BreakerState = Literal["closed", "open", "half_open", "forced_open"]

P = ParamSpec("P")
T = TypeVar("T")

_logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class BreakerConfig:
    """When a breaker opens and how it closes. Names follow resilience4j; times are seconds, rates are shares.

    Raises:
        ValueError: a value is out of range.
    """

    failure_rate_threshold: float = 0.5
    slow_call_rate_threshold: float = 1.0
    slow_call_duration: float = 10.0  # from this on a call is slow, and so is one that was cancelled then
    minimum_number_of_calls: int = 10  # in the window, before the rates mean anything
    sliding_window_seconds: float = 60.0
    wait_duration_in_open: float = 5.0  # doubles each time the probes fail
    max_wait_duration_in_open: float = 60.0
    wait_jitter: float = 0.2  # a wait is shorter by up to this share, so that workers do not probe in step
    max_retry_after: float = 3600.0  # a backend's Retry-After is obeyed to the second, up to here
    permitted_calls_in_half_open: int = 3  # probes in flight at once
    success_threshold: int = 2  # good probes that close it
    probe_lease_seconds: float = 30.0  # a probe that takes longer frees its place: more than a call's timeout

    def __post_init__(self) -> None:
        for field in fields(self):
            if not getattr(self, field.name) > 0:
                raise ValueError(f"{field.name} must be above 0")
        for name in ("failure_rate_threshold", "slow_call_rate_threshold", "wait_jitter"):
            if getattr(self, name) > 1:
                raise ValueError(f"{name} must be at most 1")
        if self.max_wait_duration_in_open < self.wait_duration_in_open:
            raise ValueError("max_wait_duration_in_open must not be below wait_duration_in_open")


@dataclass(frozen=True, slots=True)
class BreakerMoved:
    """A change of state: the failure behind it, if any, and for how many seconds it opened, if it did."""

    name: str
    before: BreakerState
    after: BreakerState
    kind: FailureKind | None
    retry_after: float | None


class BreakerListener(Protocol):
    """Is told of every change of state, after it happened. Must be quick: it runs within a call."""

    def __call__(self, moved: BreakerMoved, /) -> None:
        """Take note."""


@dataclass(frozen=True, slots=True)
class LastError:
    """The latest failure of a kind: the error's type (its text may hold secrets) and its age."""

    error: str
    seconds_ago: float


@dataclass(frozen=True, slots=True)
class BreakerSnapshot:
    """A breaker as operators see it.

    `why` is the failure that opened it. `next_probe_in` is None unless open, 0 when the next call is a probe.
    """

    name: str
    state: BreakerState
    for_seconds: float
    why: FailureKind | None
    next_probe_in: float | None
    last_errors: dict[FailureKind, LastError]


@dataclass(slots=True, eq=False)
class _Lease:
    """A probe's right to be in flight, until `deadline` (clock time)."""

    deadline: float


class CircuitBreaker:
    """Stops calling a backend that fails, and finds out with a few probes when it is well again.

    Closed, it lets calls through. A bad call opens it if, of enough calls in the window, too many failed or
    were slow; or at once, if the backend named a Retry-After. Open, it refuses until its wait is over; the
    next call makes it half-open. Then a few probes go: enough good ones close it, a bad one opens it for
    twice as long. Forced open is an operator's doing, and only `reset` ends it.

    Every move begins a new generation: a call let in under an earlier one changes nothing when it ends.

    Args:
        name: what is behind it, in events and errors.
        config: thresholds and times.
        classifier: what errors mean.
        listeners: told of every move.
        clock: monotonic seconds.
        rand: a number from 0 to 1, for jitter.
    """

    def __init__(
        self,
        name: str,
        config: BreakerConfig = BreakerConfig(),
        *,
        classifier: Classifier = CLASSIFIER,
        listeners: Sequence[BreakerListener] = (),
        clock: Callable[[], float] = time.monotonic,
        rand: Callable[[], float] = random.random,
    ) -> None:
        self.name = name
        self._config = config
        self._classifier = classifier
        self._listeners = tuple(listeners)
        self._clock = clock
        self._rand = rand

        self._state: BreakerState = "closed"
        self._generation = 0
        self._since = clock()
        self._why: FailureKind | None = None
        self._errors: dict[FailureKind, tuple[str, float]] = {}  # type and time of the last one
        self._window = SlidingWindow(config.sliding_window_seconds, self._since)  # closed
        self._wait = config.wait_duration_in_open  # the next one, before jitter
        self._probe_at = 0.0  # open
        self._leases: set[_Lease] = set()  # half-open
        self._good_probes = 0

    async def call(self, func: Callable[P, Awaitable[T]], *args: P.args, **kwargs: P.kwargs) -> T:
        """Await `func(*args, **kwargs)` if the breaker lets it, and learn from how it ends.

        A timeout belongs inside `func`: from outside it is a cancellation, which counts only if it came so
        late that the call was slow.

        Raises:
            CircuitOpenError: the call was refused.
            BaseException: whatever `func` raises, unchanged.
        """
        lease = None if self._state == "closed" else self._admit()
        generation = self._generation
        started = self._clock()
        try:
            result = await func(*args, **kwargs)
        except BaseException as error:
            if generation == self._generation:
                self._settle(started, lease, error)
            raise
        if generation == self._generation:
            self._settle(started, lease, None)
        return result

    def force_open(self) -> None:
        """Refuse every call until `reset`."""
        self._move("forced_open", self._clock())

    def reset(self) -> None:
        """Close, with an empty window and the shortest wait, whatever the state."""
        self._close(self._clock())

    def snapshot(self) -> BreakerSnapshot:
        """The state, since when and why, and the last failure of each kind."""
        now = self._clock()
        return BreakerSnapshot(
            name=self.name,
            state=self._state,
            for_seconds=now - self._since,
            why=self._why,
            next_probe_in=max(0.0, self._probe_at - now) if self._state == "open" else None,
            last_errors={kind: LastError(error, now - at) for kind, (error, at) in self._errors.items()},
        )

    def _admit(self) -> _Lease:
        """A lease for a probe, or CircuitOpenError."""
        now = self._clock()
        if self._state == "open" and now >= self._probe_at:
            self._move("half_open", now, self._why)
        if self._state == "half_open":
            self._leases = {lease for lease in self._leases if now < lease.deadline}
            if len(self._leases) < self._config.permitted_calls_in_half_open:
                lease = _Lease(now + self._config.probe_lease_seconds)
                self._leases.add(lease)
                return lease
        raise CircuitOpenError(self.name, self._why, self._probe_at - now if self._state == "open" else None)

    def _settle(self, started: float, lease: _Lease | None, error: BaseException | None) -> None:
        """Take in how a call of this generation ended."""
        now = self._clock()
        slow = now - started >= self._config.slow_call_duration
        if lease is None and error is None and not slow:
            self._window.count(now)
            return
        verdict = self._judge(error, slow)
        if isinstance(verdict, Failure):
            self._errors[verdict.kind] = (type(error).__name__ if error else "slow answer", now)
        if lease is not None:
            self._weigh_probe(now, verdict, lease)
        elif isinstance(verdict, Failure):
            self._count(now, verdict, slow)

    def _judge(self, error: BaseException | None, slow: bool) -> Verdict | None:
        """What a call said about the backend; None for a good answer in good time."""
        if error is None or (slow and isinstance(error, asyncio.CancelledError)):
            return Failure("slow") if slow else None
        return self._classifier.classify(error)

    def _count(self, now: float, failure: Failure, slow: bool) -> None:
        """Closed: add a bad call, and open if it was one too many."""
        self._window.count(now, failed=failure.kind != "slow", slow=slow or failure.kind == "slow")
        calls, failed, slow_calls = self._window.totals(now)
        if failure.retry_after:
            self._open(now, failure)
        elif calls < self._config.minimum_number_of_calls:
            return
        elif failed / calls >= self._config.failure_rate_threshold:
            self._open(now, failure)
        elif slow_calls / calls >= self._config.slow_call_rate_threshold:
            self._open(now, Failure("slow"))

    def _weigh_probe(self, now: float, verdict: Verdict | None, lease: _Lease) -> None:
        """Half-open: a bad probe opens, whenever it ends; a good one counts if it ended within its lease."""
        self._leases.discard(lease)
        if isinstance(verdict, Failure):
            self._open(now, verdict)
        elif verdict is not NEUTRAL and now < lease.deadline:
            self._good_probes += 1
            if self._good_probes >= self._config.success_threshold:
                self._close(now)

    def _open(self, now: float, failure: Failure) -> None:
        if failure.retry_after:
            wait = min(failure.retry_after, self._config.max_retry_after)
        else:
            wait = self._wait * (1 - self._config.wait_jitter * self._rand())
            self._wait = min(self._wait * 2, self._config.max_wait_duration_in_open)
        self._probe_at = now + wait
        self._move("open", now, failure.kind, wait)

    def _close(self, now: float) -> None:
        self._window = SlidingWindow(self._config.sliding_window_seconds, now)
        self._wait = self._config.wait_duration_in_open
        self._move("closed", now)

    def _move(
        self, after: BreakerState, now: float, kind: FailureKind | None = None, wait: float | None = None
    ) -> None:
        """Begin a new generation in state `after`, and tell the listeners."""
        moved = BreakerMoved(self.name, self._state, after, kind, wait)
        self._state = after
        self._generation += 1
        self._since = now
        self._why = kind
        self._leases = set()
        self._good_probes = 0
        if moved.before == after:
            return
        for listener in self._listeners:
            try:
                listener(moved)
            except Exception:  # an unwritten metric must not turn a captured payment into an error
                _logger.exception("a listener of circuit %s failed", self.name)
