"""The drill: lives of the server, each ended by a kill; the world outside is healthy, slow, down and lying in turn.

At the end there is peace: nothing fails any more, and everything that was begun comes to its end. What must hold then
is in `audit`.
"""

import asyncio
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from itertools import cycle, islice
from random import Random
from time import monotonic
from typing import Any, Final, get_args

from agent.ledger.database import utc_now
from agent.ledger.invariants import Violation
from agent.order_processing.graph import graph as order_processing
from agent.reconciler.graph import graph as reconciler
from tests.chaos.orders import Plan, stream
from tests.chaos.people import People
from tests.chaos.server import Boundary, When
from tests.chaos.site import Site

BOUNDARIES: Final[tuple[tuple[str, When], ...]] = tuple(
    (f"{graph.name}.{node}", when)
    for graph in (order_processing, reconciler)
    for node in graph.builder.nodes
    if not node.startswith("__")
    for when in get_args(When)
)

PHASES: Final[dict[str, dict[str, Any] | None]] = {  # what the world is told; None: it is gone
    "healthy": {},
    "slow": {"latency": (0.2, 1.8)},
    "down": None,
    "lying": {
        **{"error_before": 0.06, "error_after": 0.12, "hang_before": 0.04, "hang_after": 0.08},
        **{"drop_before": 0.06, "drop_after": 0.12, "refuse": 0.06},
        **{"webhook_duplicate": 0.3, "webhook_shuffle": 0.3},
    },
}
LONGEST_LIFE: Final = 9.0
"""Seconds in which a boundary must be crossed; after that the kill is one at a random moment."""

ENOUGH: Final = 5
"""Lives that are to end at a node, of which one at least must have."""

UNTIL_SAVED: Final = 10.0
"""Seconds after which this server writes its threads to disk: most lives end before that, some after."""

PEACE_LIMIT: Final = 240.0
"""Seconds in which everything must have come to its end."""

CROWD: Final = 40
"""Orders under way from which no new ones come in."""


@dataclass(frozen=True)
class Kill:
    """The end of a life. `where` is None for one at a random moment."""

    at: datetime
    life: int
    phase: str
    where: Boundary | None


@dataclass
class Record:
    """What happened in a drill."""

    seed: int
    kills: list[Kill] = field(default_factory=list)
    injected: dict[str, int] = field(default_factory=dict)
    broken: dict[tuple[str, str], tuple[int, Violation]] = field(default_factory=dict)
    starting: float = 0.0
    seconds: float = 0.0


class Drill:
    """One drill on one site. `told` is called with what has happened so far, the world's phase, and how many orders
    came in: after every life, and while it waits for peace."""

    lives_in_a_phase = 5

    def __init__(self, site: Site, seed: int, told: Callable[[Record, str, int], None]) -> None:
        self._site = site
        self._random = Random(seed)
        self._told = told
        self._plans = stream(Random(seed + 1), site.shop, seed)
        self._tried = Counter[tuple[str, str]]()
        self.people = People(site, seed)
        self.record = Record(seed)

    async def chaos(self, *, kills: int, minutes: float, orders: int) -> None:
        """Live and die, until so many kills or minutes are over; no more than so many orders come in."""
        began = monotonic()
        phases = cycle(phase for phase in PHASES for _ in range(self.lives_in_a_phase))
        while len(self.record.kills) < kills and monotonic() - began < 60 * minutes:
            phase = next(phases)
            await self._world(phase)
            await self._life(phase, orders)
            self.record.seconds = monotonic() - began
            self._told(self.record, phase, len(self.people.orders))
        if self._tried.total() >= ENOUGH and not any(kill.where for kill in self.record.kills):
            raise RuntimeError(f"{self._tried.total()} lives were to end at a node, and none did: is the switch there?")

    async def peace(self) -> None:
        """Leave the server alone until everything is at rest; people answer everything that they are asked."""
        await self._world("healthy")
        self.people.in_peace = True
        await self._site.server.begin(None)
        end = monotonic() + PEACE_LIMIT
        async with self.people.at_work([]):
            while self._restless() and monotonic() < end and not self._site.server.has_ended():
                await asyncio.sleep(1)
                self._told(self.record, "peace", len(self.people.orders))
        if self._site.server.has_ended():
            raise RuntimeError(f"the server ended in peace:\n{self._site.server.log_end()}")
        self.record.injected = await self._site.providers.injected()

    async def _life(self, phase: str, orders: int) -> None:
        """One life of the server, from its start to its kill; then the ledger's promises are looked at."""
        boundary, limit = self._ending()
        new = self._new(boundary, orders)
        began = monotonic()
        await self._site.server.begin(boundary)
        self.record.starting += monotonic() - began
        async with self.people.at_work(new):
            await self._site.server.dies_within(limit)
            at_random = await self._site.server.kill_now()
        if boundary:
            self._tried[boundary.node, boundary.when] += 1 if at_random else 2
        await self._killed(phase, None if at_random else boundary)

    async def _killed(self, phase: str, where: Boundary | None) -> None:
        life = len(self.record.kills) + 1
        self.record.kills.append(Kill(utc_now(), life, phase, where))
        for violation in await self._site.broken_promises():
            self.record.broken.setdefault((violation.check, violation.what), (life, violation))

    async def _world(self, phase: str) -> None:
        """Put the world outside into a phase."""
        faults = PHASES[phase]
        if faults is None:
            await self._site.providers.kill()
            return
        await self._site.start_world()
        await self._site.providers.misbehave(faults)

    def _ending(self) -> tuple[Boundary | None, float]:
        """How the next life ends, and within how many seconds: every third at a random moment, the others at the
        boundary that was tried least; one that was missed is tried again sooner."""
        if len(self.record.kills) % 3 == 2:
            long = self._random.random() < 0.25
            return None, UNTIL_SAVED + 2 if long else self._random.uniform(0.3, 5.0)
        node, when = min(BOUNDARIES, key=lambda each: (self._tried[each], self._random.random()))
        nth = self._random.choice((1, 1, 2)) if self._tried[node, when] else 1
        return Boundary(node, when, nth), LONGEST_LIFE

    def _new(
        self, boundary: Boundary | None, orders: int, *, most: int = 6, within: float = 0.8
    ) -> list[tuple[float, Plan]]:
        """The orders that come in during the next life, and after how many seconds: such as get to where it ends."""
        room = min(orders - len(self.people.orders), CROWD - self._restless())
        wanted = (plan for plan in self._plans if _leads_to(boundary, plan))
        some = max(0, min(room, self._random.randint(1, most)))
        return [(self._random.uniform(0, within), plan) for plan in islice(wanted, some)]

    def _restless(self) -> int:
        """How many orders are neither at their end nor known to the ledger."""
        [known] = self._site.ledger.rows(
            "SELECT count(*) AS orders, count(*) FILTER (WHERE stage IN ('completed', 'cancelled')) AS ended"
            " FROM orders WHERE id LIKE 'C%'"
        )
        owed = self._site.ledger.rows("SELECT key FROM debts WHERE NOT settled")
        return max(len(self.people.orders), int(known["orders"])) - int(known["ended"]) + len(owed)


def _leads_to(boundary: Boundary | None, plan: Plan) -> bool:
    """Whether an order may well cross this boundary; most orders cross most of them."""
    match boundary.node.split(".")[1] if boundary else "":
        case "approval" | "decide":
            return plan.is_large
        case "compensate" | "settle":
            return plan.cancels_after is not None or plan.goes_nowhere
        case "park":
            return plan.is_paid_late
        case "rebuild":
            return plan.cancels_after is not None and plan.cancels_after <= 1.0
    return True
