"""A circuit breaker for async calls: lets them through or refuses them, and learns from how they end.

`circuit` has the states and moves, `classifier` says what an error means, `sharing` lets several workers act as
one. For one event loop; not for threads.
"""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Literal, ParamSpec, Protocol, TypeVar

from agent.resilience.circuit import BreakerListener, Circuit, Lease
from agent.resilience.classifier import CLASSIFIER, Classifier
from agent.resilience.config import BreakerConfig
from agent.resilience.failures import ANSWERED, NEUTRAL, CircuitOpenError, Failure, FailureKind, Verdict
from agent.resilience.shared_circuit import SharedCircuit
from agent.resilience.sharing import Sharing
from agent.resilience.stores import BreakerState

P = ParamSpec("P")
T = TypeVar("T")

_DEFAULTS = BreakerConfig()


@dataclass(frozen=True, slots=True)
class LastError:
    """The latest failure of a kind: the error's type (its text may hold secrets) and its age."""

    error: str
    seconds_ago: float


CallOutcome = Literal["ok", "rejected", "neutral", "refused"] | FailureKind
"""How a call ended. `rejected`: the backend is alive and refused this one request; `neutral`: it says nothing about the
backend; `refused`: by the breaker, and nothing was sent."""


@dataclass(frozen=True, slots=True)
class CallEnded:
    """A call that came to a breaker: how it ended, and how many seconds it took."""

    name: str
    outcome: CallOutcome
    seconds: float


class CallListener(Protocol):
    """Is told of each call. Must be quick, and must not raise: it runs within the call."""

    def __call__(self, ended: CallEnded, /) -> None:
        """Take note."""


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


class CircuitBreaker:
    """Stops calling a backend that fails, and finds out with a few probes when it is well again.

    Closed, it lets calls through. A bad call opens it if, of enough calls in the window, too many failed, too
    many failed in this way, or too many were slow; or at once, if the backend named a Retry-After. Open, it
    refuses until its wait is over; the next call makes it half-open. Then a few probes go: enough good ones
    close it, a bad one opens it for twice as long. Forced open is an operator's doing, and only `reset` ends it.

    Every move begins a new generation: a call let in under an earlier one changes nothing when it ends.

    Args:
        name: what is behind it, in events and errors; in `sharing`, the same for every worker.
        config: thresholds and times.
        classifier: what errors mean.
        listeners: told of every move.
        on_call: told of every call.
        sharing: open, probe and close together with other workers; None: alone.
        clock: monotonic seconds.
        rand: a number from 0 to 1, for jitter.
    """

    def __init__(
        self,
        name: str,
        config: BreakerConfig = _DEFAULTS,
        *,
        classifier: Classifier = CLASSIFIER,
        listeners: Sequence[BreakerListener] = (),
        on_call: CallListener | None = None,
        sharing: Sharing | None = None,
        clock: Callable[[], float] = time.monotonic,
        rand: Callable[[], float] = random.random,
    ) -> None:
        self.name = name
        self._config = config
        self._classifier = classifier
        self._on_call = on_call
        self._clock = clock
        self._slow_from = config.slow_call_duration
        self._errors: dict[FailureKind, tuple[str, float]] = {}  # type and time of the last one
        self._circuit = (
            SharedCircuit(name, config, listeners=listeners, clock=clock, rand=rand, sharing=sharing)
            if sharing
            else Circuit(name, config, listeners=listeners, clock=clock, rand=rand)
        )

    async def call(self, func: Callable[P, Awaitable[T]], *args: P.args, **kwargs: P.kwargs) -> T:
        """Await `func(*args, **kwargs)` if the breaker lets it, and learn from how it ends.

        A timeout belongs inside `func`: from outside it is a cancellation, which counts only if it came so
        late that the call was slow.

        Raises:
            CircuitOpenError: the call was refused.
            BaseException: whatever `func` raises, unchanged.
        """
        circuit = self._circuit
        try:
            lease = None if circuit.passing else await circuit.admit()
        except CircuitOpenError:
            if self._on_call:
                self._on_call(CallEnded(self.name, "refused", 0.0))
            raise
        generation = circuit.generation
        started = self._clock()
        try:
            result = await func(*args, **kwargs)
        except BaseException as error:
            if generation == circuit.generation:
                self._settle(self._clock(), started, lease, error)
            if self._on_call:
                self._on_call(CallEnded(self.name, self._outcome(error), self._clock() - started))
            raise
        if generation == circuit.generation:
            now = self._clock()
            if lease is None and now - started < self._slow_from:
                circuit.window.count(now)
            else:
                self._settle(now, started, lease, None)
        if self._on_call:
            self._on_call(CallEnded(self.name, "ok", self._clock() - started))
        return result

    def refusal(self) -> CircuitOpenError | None:
        """What a call would be refused with now, for who can spare themselves the preparations. Promises nothing."""
        return self._circuit.refusal()

    def join(self) -> None:
        """Hear of the other workers from now on, not only from the first call on. To be called on the event loop."""
        self._circuit.join()

    def force_open(self) -> None:
        """Refuse every call until `reset`. If others share it, to be called on the event loop."""
        self._circuit.force_open()

    def reset(self) -> None:
        """Close, with an empty window and the shortest wait, whatever the state; where `force_open` is called."""
        self._circuit.reset()

    def snapshot(self) -> BreakerSnapshot:
        """The state, since when and why, and the last failure of each kind."""
        now = self._clock()
        return BreakerSnapshot(
            name=self.name,
            state=self._circuit.state,
            for_seconds=now - self._circuit.since,
            why=self._circuit.why,
            next_probe_in=self._circuit.seconds_left(),
            last_errors={kind: LastError(error, now - at) for kind, (error, at) in self._errors.items()},
        )

    def _settle(self, now: float, started: float, lease: Lease | None, error: BaseException | None) -> None:
        """Take in how a call of this generation ended, if it was not simply good."""
        slow = now - started >= self._slow_from
        verdict = self._judge(error, slow)
        if isinstance(verdict, Failure):
            self._errors[verdict.kind] = (type(error).__name__ if error else "slow answer", now)
            if not self._config.rule(verdict.kind).weight:
                verdict = NEUTRAL
        if lease is not None:
            self._circuit.probed(now, verdict, lease)
        elif isinstance(verdict, Failure):
            self._circuit.failed(now, verdict, slow)

    def _judge(self, error: BaseException | None, slow: bool) -> Verdict | None:
        """What a call said about the backend; None for a good answer in good time."""
        if error is None or (slow and isinstance(error, asyncio.CancelledError)):
            return Failure("slow") if slow else None
        return self._classifier.classify(error)

    def _outcome(self, error: BaseException) -> CallOutcome:
        """How a call ended that raised this."""
        verdict = self._classifier.classify(error)
        return verdict.kind if isinstance(verdict, Failure) else "rejected" if verdict is ANSWERED else "neutral"
