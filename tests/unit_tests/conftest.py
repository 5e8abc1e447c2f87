"""A shop of one test: an own ledger, an own card network, a clock that the test moves, no server."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from agent import services as composition
from agent.services import Services
from agent.settings import Settings


@dataclass
class Clock:
    """Time that passes only when the test says so."""

    now: datetime = field(default_factory=lambda: datetime(2026, 6, 1, 12, tzinfo=UTC))

    def __call__(self) -> datetime:
        return self.now

    def advance(self, **parts: float) -> None:
        """Let time pass: `advance(hours=5)`."""
        self.now += timedelta(**parts)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def config(tmp_path: Path) -> Settings:
    return Settings(data_dir=tmp_path / "data", sandbox_slow_seconds=0.05, payment_timeout_seconds=0.5)


@pytest.fixture
async def shop(config: Settings, clock: Clock) -> AsyncIterator[Services]:
    """The demo shop, in place of the process's services."""
    built = await composition.build(config, clock)
    composition.replace(built)
    yield built
    composition.replace(None)
    await built.close()
