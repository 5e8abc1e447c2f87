"""How many calls there were of late, and how many failed or were slow. The breaker decides what follows."""

from collections import deque
from dataclasses import dataclass
from typing import NamedTuple

_SLICES = 10


class Totals(NamedTuple):
    """Sums over a window."""

    calls: int
    failed: int
    slow: int


@dataclass(slots=True)
class _Slice:
    """What happened in a tenth of the window."""

    start: float
    calls: int = 0
    failed: int = 0
    slow: int = 0


class SlidingWindow:
    """Counts of the last `seconds`, kept in slices; a slice goes when its first moment is too old."""

    def __init__(self, seconds: float, now: float) -> None:
        self._seconds = seconds
        self._width = seconds / _SLICES
        self._slices = deque([_Slice(now)], maxlen=_SLICES)

    def count(self, now: float, failed: bool = False, slow: bool = False) -> None:
        """Add one call that ended at `now` (clock seconds)."""
        latest = self._slices[-1]
        if now - latest.start >= self._width:
            latest = _Slice(now)
            self._slices.append(latest)
        latest.calls += 1
        if failed:
            latest.failed += 1
        if slow:
            latest.slow += 1

    def totals(self, now: float) -> Totals:
        """The sums as of `now`."""
        recent = [part for part in self._slices if now - part.start <= self._seconds]
        return Totals(sum(p.calls for p in recent), sum(p.failed for p in recent), sum(p.slow for p in recent))
