"""A reconciler that no longer runs is noticed, once, and set going again."""

from datetime import timedelta

import pytest

from agent.server import watchdog
from agent.server.watchdog import is_late, look, watch_reconciler
from agent.services import Services
from agent.settings import Settings
from tests.support.clock import Clock
from tests.support.threads import events


@pytest.fixture
def crons_made(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The schedules of the crons that were made."""
    made: list[str] = []

    async def make(config: Settings) -> None:
        made.append(config.reconcile_cron)

    monkeypatch.setattr(watchdog, "keep_one_cron", make)
    return made


async def test_a_reconciler_that_runs_is_left_alone(shop: Services, clock: Clock, crons_made: list[str]) -> None:
    for _ in range(10):
        await shop.heartbeat.record()
        clock.advance(minutes=1)
        assert await look(shop, was_late=False) is False
    assert crons_made == []


async def test_after_five_times_its_interval_it_is_late_which_is_one_event_and_a_new_cron(
    shop: Services, clock: Clock, crons_made: list[str]
) -> None:
    await shop.heartbeat.record()
    before, late = events("reconciler.late"), False
    for _ in range(20):
        clock.advance(minutes=1)
        late = await look(shop, late)

    assert late is True
    assert (events("reconciler.late") - before, crons_made) == (1, ["* * * * *"])

    await shop.heartbeat.record()
    assert await look(shop, was_late=True) is False


async def test_one_that_never_ran_is_late_too(shop: Services, clock: Clock, crons_made: list[str]) -> None:
    clock.advance(minutes=4)
    assert await look(shop, was_late=False) is False
    clock.advance(minutes=2)
    assert await look(shop, was_late=False) is True


async def test_a_server_that_was_down_is_not_late_when_it_starts(shop: Services, clock: Clock) -> None:
    assert is_late(shop, clock.now - timedelta(days=3)) is False


@pytest.mark.parametrize(("schedule", "hours"), [("*/10 * * * *", 1), ("0 * * * *", 6), ("0 9 * * *", 24 * 5)])
async def test_the_interval_is_the_crons(shop: Services, clock: Clock, schedule: str, hours: int) -> None:
    object.__setattr__(shop, "settings", Settings(reconcile_cron=schedule))
    last = clock.now
    clock.advance(hours=hours * 0.75)
    assert is_late(shop, last) is False
    clock.advance(hours=hours * 0.5)
    assert is_late(shop, last) is True


async def test_without_a_cron_nobody_watches(crons_made: list[str]) -> None:
    await watch_reconciler(Settings(reconcile_cron=""))

    assert crons_made == []
