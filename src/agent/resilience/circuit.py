"""The states of one breaker and the moves between them. Time comes in by a clock and calls by their outcomes.

No call is made here (`circuit_breaker`), no error is read (`classifier`), and nobody else is asked
(`shared_circuit`): nothing awaits between reading and writing the state, so it needs no lock.
"""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol
from uuid import uuid4

from agent.resilience.config import BreakerConfig
from agent.resilience.failures import NEUTRAL, CircuitOpenError, Failure, FailureKind, Verdict
from agent.resilience.stores import BreakerState
from agent.resilience.window import SlidingWindow

_logger = logging.getLogger(__name__)

_MOST_DOUBLINGS = 30  # beyond any cap, and short of an overflow


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


@dataclass(slots=True, eq=False)
class Lease:
    """A probe's right to be in flight, until `deadline` (clock time)."""

    deadline: float
    id: str = field(default_factory=lambda: uuid4().hex)


class Circuit:
    """Who may call, and what follows from how calls end.

    Every move begins a new `generation`: the outcome of a call let in under an earlier one is not to be brought
    here. While `passing`, calls need no leave, and good ones are but counted in the `window`; otherwise each call
    asks `admit`.
    """

    def __init__(
        self,
        name: str,
        config: BreakerConfig,
        *,
        listeners: Sequence[BreakerListener],
        clock: Callable[[], float],
        rand: Callable[[], float],
    ) -> None:
        self.name = name
        self.config = config
        self.clock = clock
        self.state: BreakerState = "closed"
        self.passing = True
        self.generation = 0
        self.since = clock()
        self.why: FailureKind | None = None
        self.probe_at = 0.0  # open
        self.openings = 0  # since it was last closed
        self._listeners = tuple(listeners)
        self._rand = rand
        self.window = SlidingWindow(config.sliding_window_seconds, self.since)  # closed
        self._leases: set[Lease] = set()  # half-open
        self._good_probes = 0

    async def admit(self) -> Lease | None:
        """Leave for a call that is not `passing`: a probe's lease, or None for an ordinary call.

        Raises:
            CircuitOpenError: the call is refused.
        """
        return self._lease()

    def join(self) -> None:
        """Keep in step with other workers, of which an ordinary circuit has none."""

    def failed(self, now: float, failure: Failure, slow: bool) -> None:
        """Closed: a bad call, or a good one that was slow. Opens if it was one too many."""
        kind = None if failure.kind == "slow" else failure.kind
        self.window.count_bad(now, kind, slow or kind is None)
        if failure.retry_after:
            self.open(now, failure)
            return
        calls, slow_calls, failed = self.window.totals(now)
        if calls < self.config.minimum_number_of_calls:
            return
        own = self.config.rule(failure.kind).failure_rate_threshold
        weight = sum(self.config.rule(kind).weight * count for kind, count in failed.items())
        if weight / calls >= self.config.failure_rate_threshold or (own and failed[failure.kind] / calls >= own):
            self.open(now, failure)
        elif slow_calls / calls >= self.config.slow_call_rate_threshold:
            self.open(now, Failure("slow"))

    def probed(self, now: float, verdict: Verdict | None, lease: Lease) -> None:
        """Half-open: a bad probe opens, whenever it ends; a good one counts if it ended within its lease."""
        self._leases.discard(lease)
        if isinstance(verdict, Failure):
            self.open(now, verdict)
        elif verdict is not NEUTRAL and now < lease.deadline:
            self._good_probes += 1
            if self._good_probes >= self.config.success_threshold:
                self._move("closed", now)

    def open(self, now: float, failure: Failure) -> None:
        """Open for as long as the backend asked, or else for longer each time."""
        if failure.retry_after:
            wait = min(failure.retry_after, self.config.max_retry_after)
        else:
            base = self.config.rule(failure.kind).wait_duration_in_open or self.config.wait_duration_in_open
            longest = min(base * 2 ** min(self.openings, _MOST_DOUBLINGS), self.config.max_wait_duration_in_open)
            wait = longest * (1 - self.config.wait_jitter * self._rand())
            self.openings += 1
        self._move("open", now, failure.kind, wait)

    def force_open(self) -> None:
        """Refuse every call until `reset`."""
        self._move("forced_open", self.clock())

    def reset(self) -> None:
        """Close, with an empty window and the shortest wait, whatever the state."""
        self._move("closed", self.clock())

    def refusal(self) -> CircuitOpenError | None:
        """What a call would be refused with now; None when it may go, perhaps as a probe."""
        waiting = self.state == "open" and self.clock() < self.probe_at
        return self._refusal() if waiting or self.state == "forced_open" else None

    def seconds_left(self) -> float | None:
        """Until the next probe may go; None unless open."""
        return max(0.0, self.probe_at - self.clock()) if self.state == "open" else None

    def _lease(self) -> Lease:
        """A place among the probes, or CircuitOpenError."""
        now = self.clock()
        if self.state == "open" and now >= self.probe_at:
            self._move("half_open", now, self.why)
        if self.state == "half_open":
            self._leases = {lease for lease in self._leases if now < lease.deadline}
            if len(self._leases) < self.config.permitted_calls_in_half_open:
                lease = Lease(now + self.config.probe_lease_seconds)
                self._leases.add(lease)
                return lease
        raise self._refusal()

    def _refusal(self) -> CircuitOpenError:
        return CircuitOpenError(self.name, self.why, self.seconds_left())

    def _move(
        self, after: BreakerState, now: float, kind: FailureKind | None = None, wait: float | None = None
    ) -> None:
        """Begin a new generation in state `after`, and tell the listeners."""
        moved = BreakerMoved(self.name, self.state, after, kind, wait)
        self.state = after
        self.passing = after == "closed"
        self.generation += 1
        self.since = now
        self.why = kind
        self._leases = set()
        self._good_probes = 0
        if wait is not None:
            self.probe_at = now + wait
        if after == "closed":
            self.openings = 0
            self.window = SlidingWindow(self.config.sliding_window_seconds, now)
        if moved.before == after:
            return
        for listener in self._listeners:
            try:
                listener(moved)
            except Exception:  # an unwritten metric must not turn a captured payment into an error
                _logger.exception("a listener of circuit %s failed", self.name)
