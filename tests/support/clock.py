"""The time of a test's shop.

It begins on a fixed day, and nothing waits for it.
"""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta


@dataclass
class Clock:
    """Time that passes only when the test says so."""

    now: datetime = field(default_factory=lambda: datetime(2026, 6, 1, 12, tzinfo=UTC))

    def __call__(self) -> datetime:
        return self.now

    def advance(self, **parts: float) -> None:
        """Let time pass: `advance(hours=5)`."""
        self.now += timedelta(**parts)
