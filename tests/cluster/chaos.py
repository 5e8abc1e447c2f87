"""The drill of `tests.chaos` on two workers: each is killed in turn, at random moments, while people use both and the
world outside is slow, down and lying.
"""

import asyncio
from collections.abc import Sequence
from itertools import cycle
from pathlib import Path
from time import monotonic
from typing import Any

from tests.chaos.drill import Drill
from tests.chaos.play import play
from tests.chaos.report import Telling
from tests.chaos.server import Boundary
from tests.chaos.site import HURRIED, SECRET, Site, World
from tests.cluster.workers import Cluster, cluster
from tests.support.books import PostgresLedger
from tests.support.live_server import until_told_to_stop

KILLS, ORDERS = 10_000, 5_000
"""More than there is time for."""


class MortalWorkers:
    """Both workers, as the drill knows a server: a life ends when one of them is killed, and the next begins when that
    one is back."""

    def __init__(self, workers: Cluster) -> None:
        self._workers = workers.workers
        self._turns = cycle(self._workers)
        self.tokens = self._workers[0].tokens

    @property
    def urls(self) -> Sequence[str]:
        """Of both."""
        return [worker.url for worker in self._workers]

    async def launch(self) -> None:
        """They live already."""

    async def begin(self, boundary: Boundary | None) -> None:
        """Start who is down, and wait until it answers."""
        await asyncio.gather(*(asyncio.to_thread(worker.start) for worker in self._workers if not worker.alive))

    async def dies_within(self, seconds: float) -> None:
        """None does by itself."""
        await asyncio.sleep(seconds)

    async def kill_now(self) -> bool:
        """Kill the one whose turn it is."""
        await asyncio.to_thread(next(self._turns).kill)
        return True

    def has_ended(self) -> bool:
        """Whether one is down."""
        return not all(worker.alive for worker in self._workers)

    def log_end(self, lines: int = 40) -> str:
        """The last lines of both."""
        return "\n".join(worker.log_end(lines) for worker in self._workers)

    async def desk(self, *words: str) -> Any:
        """What a local verb of `desk` prints of this shop, as JSON."""
        return await asyncio.to_thread(self._workers[0].desk, *words)

    async def close(self) -> None:
        """They end with their cluster."""


class DrillOfTwo(Drill):
    """Kills at random moments only; while one worker is down, or comes back, people use the other."""

    lives_in_a_phase = 1

    async def _life(self, phase: str, orders: int) -> None:
        async with self.people.at_work(self._new(None, orders, most=12, within=6)):
            back = asyncio.create_task(self._begin())
            if self._random.random() < 0.75:  # else the other may be killed while this one starts, and nobody is there
                await back
            await asyncio.sleep(self._random.uniform(0.3, 6))
            await self._site.server.kill_now()
            await back
        await self._killed(phase, None)

    async def _begin(self) -> None:
        began = monotonic()
        await self._site.server.begin(None)
        self.record.starting += monotonic() - began


def chaos(folder: Path, *, minutes: float, seed: int, as_json: bool) -> bool:
    """Kill for so many minutes, then let everything come to its end; whether all books agree."""
    telling, world = Telling(as_json=as_json), World(folder / "world", seed=seed)
    env = HURRIED | {"PAYMENT_URL": world.url, "SANDBOX_WEBHOOK_SECRET": SECRET, "SEED_SHOP": "false"}
    with cluster(folder, **env) as workers:
        site = Site(
            MortalWorkers(workers), world, ledger_url=workers.ledger, ledger=PostgresLedger(workers.ledger), data=folder
        )
        drill = DrillOfTwo(site, seed, telling.progress)
        return asyncio.run(until_told_to_stop(play(drill, site, telling, kills=KILLS, minutes=minutes, orders=ORDERS)))
