"""How many calls there were of late, how many were slow, how many failed, by kind. `circuit` decides what follows."""

from collections import Counter, deque
from dataclasses import dataclass, field
from typing import NamedTuple

from agent.resilience.failures import FailureKind

_SLICES = 10


class Totals(NamedTuple):
    """Sums over a window, each call counted once whatever it weighs."""

    calls: int
    slow: int
    failed: Counter[FailureKind]


@dataclass(slots=True)
class _Slice:
    """What happened in a tenth of the window."""

    start: float
    calls: int = 0
    slow: int = 0
    failed: Counter[FailureKind] = field(default_factory=Counter)


class SlidingWindow:
    """Counts of the last `seconds`, kept in slices; a slice goes when its first moment is too old."""

    def __init__(self, seconds: float, now: float) -> None:
        self._seconds = seconds
        self._width = seconds / _SLICES
        self._latest = _Slice(now)
        self._slices = deque([self._latest], maxlen=_SLICES)

    def count(self, now: float) -> None:
        """Add one call that ended at `now` (clock seconds). Every call pays for this."""
        if now - self._latest.start >= self._width:
            self._latest = _Slice(now)
            self._slices.append(self._latest)
        self._latest.calls += 1

    def count_bad(self, now: float, failed: FailureKind | None, slow: bool) -> None:
        """Add one that failed in some way, was slow, or both."""
        self.count(now)
        if failed:
            self._latest.failed[failed] += 1
        if slow:
            self._latest.slow += 1

    def totals(self, now: float) -> Totals:
        """The sums as of `now`."""
        recent = [part for part in self._slices if now - part.start <= self._seconds]
        return Totals(
            calls=sum(part.calls for part in recent),
            slow=sum(part.slow for part in recent),
            failed=sum((part.failed for part in recent), Counter[FailureKind]()),
        )
