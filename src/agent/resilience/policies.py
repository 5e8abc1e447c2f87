"""What LangGraph's own retries lack: what is worth one, a budget a dependency for all of them, a time a node for all.

LangGraph does the retrying, and no other layer does (law 12). Its jitter adds up to one second after the cap, whatever
the interval, so the longest wait is `max_interval` + 1 s. An application's named policies are its own.
"""

import asyncio
import math
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from functools import wraps
from typing import Any, Protocol, TypeVar, cast

from langgraph.runtime import Runtime

from agent.resilience.classifier import CLASSIFIER
from agent.resilience.failures import CircuitOpenError, Failure, FailureKind

Node = TypeVar("Node", bound=Callable[..., Awaitable[Any]])

_TRANSIENT_KINDS: frozenset[FailureKind] = frozenset({"timeout", "connection", "server_error", "overload", "slow"})


class TransientError(Exception):
    """A base for errors of other rooms that may well pass if the node is run again."""


class RetryLaterError(TransientError):
    """The backend had named a time to come back; it has passed now."""


class TimeSpentError(Exception):
    """The node failed, and has no time left to try again; its cause is the failure."""


def is_transient(error: Exception) -> bool:
    """Whether running the node again soon may help.

    A rate limit is not transient: LangGraph would not wait for its Retry-After (`time_budget` does). Nor is an open
    breaker, a refused credential, or an error that has no rule.
    """
    if isinstance(error, TransientError):
        return True
    verdict = CLASSIFIER.classify(error)
    return isinstance(verdict, Failure) and verdict.kind in _TRANSIENT_KINDS


@dataclass(frozen=True, slots=True)
class RetryDecided:
    """A failure that is worth a retry, and whether the dependency's budget had one left."""

    dependency: str
    error: str
    granted: bool


class RetryListener(Protocol):
    """Is told of each decision. Must be quick."""

    def __call__(self, decided: RetryDecided, /) -> None:
        """Take note."""


class Spend(Protocol):
    """Tells the other workers that so many retries of a dependency were spent; what is left for all, below 0 when too
    many were. Raises `StoreUnavailableError`."""

    async def __call__(self, dependency: str, spent: int, most: int, seconds: float, /) -> float:
        """Tell, and hear."""


class RetryBudget:
    """How often a dependency is tried again, by all nodes of this worker together, or of all workers (`sharing`).

    While it is down every call fails, and retries would double and treble what it has to bear. A token bucket: `most`
    retries at once, and as many more in `seconds`. Whether to try again is decided here and at once, by what was left
    when the workers last agreed; what they granted beyond it meanwhile is owed: nobody retries until it is refilled.

    Args:
        dependency: whose budget, for listeners.
        most: retries.
        seconds: in which a spent budget is whole again.
        listeners: told of each decision.
        clock: monotonic seconds.
    """

    def __init__(
        self,
        dependency: str,
        most: int,
        seconds: float,
        *,
        listeners: Sequence[RetryListener] = (),
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._dependency = dependency
        self._most = most
        self._seconds = seconds
        self._listeners = tuple(listeners)
        self._clock = clock
        self._left: float = most
        self._at = clock()
        self._untold = 0  # spent since the workers last agreed

    def allows(self, error: Exception) -> bool:
        """Whether to try again: the `retry_on` of a RetryPolicy, which asks after a node's last attempt as well."""
        if not is_transient(error):
            return False
        granted = self.left() >= 1
        self._left -= granted
        self._untold += granted
        for listener in self._listeners:
            listener(RetryDecided(self._dependency, type(error).__name__, granted))
        return granted

    def left(self) -> float:
        """Retries that are left now."""
        now = self._clock()
        self._left = min(self._most, self._left + (now - self._at) * self._most / self._seconds)
        self._at = now
        return self._left

    async def agree(self, spend: Spend) -> None:
        """Tell the others what was spent here, as far as it is not refilled yet, and go by what is left for all.

        Raises `StoreUnavailableError`: then this is forgotten, for it may have been heard.
        """
        told, self._untold = min(self._untold, math.ceil(self._most - self.left())), 0
        left = await spend(self._dependency, told, self._most, self._seconds)
        self._left, self._at = left - self._untold, self._clock()


def time_budget(seconds: float) -> Callable[[Node], Node]:
    """Give a node so long for all its attempts and waits: after that a failure is not tried again.

    A backend that names a time to come back (429 with Retry-After, by which its breaker is open) is waited for within
    that time. An attempt under way is not cut short: what it calls has its own timeout.

    Raises:
        TimeSpentError: in place of a transient failure that came too late.
    """

    def bound(node: Node) -> Node:
        @wraps(node)
        async def attempt(state: Any, runtime: Runtime[Any], *more: Any) -> Any:
            try:
                return await node(state, runtime, *more)
            except CircuitOpenError as error:
                wait = error.retry_after if error.kind == "rate_limit" else None
                if wait is None or _spent(runtime) + wait > seconds:
                    raise
                await asyncio.sleep(wait)
                raise RetryLaterError(str(error)) from error
            except Exception as error:
                if is_transient(error) and _spent(runtime) >= seconds:
                    raise TimeSpentError(f"{node.__name__}: failed after {seconds:g} s and more") from error
                raise

        return cast(Node, attempt)

    return bound


def _spent(runtime: Runtime[Any]) -> float:
    """Seconds since the node's first attempt began; a node that runs outside a graph has but one."""
    info = runtime.execution_info
    return time.time() - info.node_first_attempt_time if info and info.node_first_attempt_time else 0.0
