"""A fleet by simulation: workers, people and outages, and how many approvers keep due times at which load.

`python -m benchmarks.fleet` prints a JSON line a figure. What is measured and what is assumed is in `Fleet`; with no
outage and people at work all day it is two M/M/c queues in a row, which `erlang_c` answers without simulation.
"""

import argparse
import asyncio
import math
import random
import sys
from collections.abc import AsyncIterator, Generator
from dataclasses import dataclass, field, replace
from statistics import fmean, quantiles
from typing import Any, Final

import simpy

from agent.approvals.chains import CHAINS
from benchmarks.figures import Figure, report

HOUR: Final = 3600.0
DAY: Final = 24 * HOUR
REDRIVEN_A_MINUTE: Final = 500
"""Parked orders that a pass of the reconciler takes on, once a minute (`commerce.queries.unfinished`)."""
DUE_SECONDS: Final = CHAINS["large_order"][0]["due_seconds"]
OFFICE_HOURS: Final = (8 * HOUR, 18 * HOUR)
LOADS: Final = (10**5, 10**6, 10**7, 10**8)


@dataclass(frozen=True)
class Outage:
    """From when, and how long, in seconds of the simulation; of the card network, or of all workers."""

    start: float
    seconds: float

    def left(self, now: float) -> float:
        """Seconds until it is over; 0: it is not on."""
        return self.start + self.seconds - now if self.start <= now < self.start + self.seconds else 0.0


@dataclass(frozen=True)
class Fleet:
    """What is simulated. Arrivals are Poisson, and times of service exponential with these means."""

    orders_a_year: float
    workers: int = 4
    order_seconds: float = 0.06
    """A worker's processor an order: measured, 56 ms on PostgreSQL (docs/performance.md)."""
    asked_share: float = 0.05
    """Of orders that a person must say yes to: assumed."""
    approvers: int = 2
    answer_seconds: float = 240.0
    """What a person takes for an answer: assumed."""
    shift: tuple[float, float] = (0, DAY)
    """When people are at work, in seconds of each day."""
    network_outage: Outage = field(default_factory=lambda: Outage(0, 0))
    worker_outage: Outage = field(default_factory=lambda: Outage(0, 0))
    seconds: float = 3 * DAY
    seed: int = 16


@dataclass(frozen=True)
class Outcome:
    """What came of it: waits are in seconds."""

    orders: int
    answer_waits: list[float]
    worker_waits: list[float]
    in_time: float
    """Share of requests that were answered before the next role could have answered as well."""
    parked: int
    drained_seconds: float
    """From the end of the card network's outage until the last parked order was charged."""


class Simulation:
    """One run of a fleet; the same seed is the same run."""

    def __init__(self, fleet: Fleet) -> None:
        self._fleet = fleet
        self._env = simpy.Environment()
        self._workers = simpy.Resource(self._env, fleet.workers)
        self._people = simpy.Resource(self._env, fleet.approvers)
        streams = random.Random(fleet.seed)  # noqa: S311
        self._arrivals, self._work, self._asks, self._answers = (random.Random(streams.random()) for _ in range(4))  # noqa: S311
        self._orders = 0
        self._answer_waits: list[float] = []
        self._worker_waits: list[float] = []
        self._answered: list[bool] = []
        self._parked: list[simpy.Event] = []
        self._parked_in_all = 0
        self._drained = 0.0

    def run(self) -> Outcome:
        """Orders come for so long; then what has come is brought to its end."""
        self._env.process(self._shop())
        self._env.process(self._reconciler())
        self._env.run()
        answered = self._answered
        return Outcome(
            orders=self._orders,
            answer_waits=self._answer_waits,
            worker_waits=self._worker_waits,
            in_time=sum(answered) / len(answered) if answered else 1.0,
            parked=self._parked_in_all,
            drained_seconds=self._drained,
        )

    def _shop(self) -> Generator[Any, Any, None]:
        every = 365 * DAY / self._fleet.orders_a_year
        while True:
            yield self._env.timeout(self._arrivals.expovariate(1 / every))
            if self._env.now >= self._fleet.seconds:
                return
            self._orders += 1
            self._env.process(self._order())

    def _order(self) -> Generator[Any, Any, None]:
        yield from self._worked()
        if self._asks.random() < self._fleet.asked_share:
            yield from self._answer()
            yield from self._worked()
        network = self._fleet.network_outage
        if network.left(self._env.now):
            self._parked_in_all += 1
            taken_on = self._env.event()
            self._parked.append(taken_on)
            yield taken_on
            yield from self._worked()
            self._drained = self._env.now - network.start - network.seconds

    def _worked(self) -> Generator[Any, Any, None]:
        came = self._env.now
        with self._workers.request() as turn:
            yield turn
            yield self._env.timeout(self._fleet.worker_outage.left(self._env.now))
            self._worker_waits.append(self._env.now - came)
            yield self._env.timeout(self._work.expovariate(1 / self._fleet.order_seconds))

    def _answer(self) -> Generator[Any, Any, None]:
        came = self._env.now
        with self._people.request() as turn:
            yield turn
            yield self._env.timeout(self._until_shift())
            self._answer_waits.append(self._env.now - came)
            yield self._env.timeout(self._answers.expovariate(1 / self._fleet.answer_seconds))
            self._answered.append(self._env.now - came <= DUE_SECONDS)

    def _until_shift(self) -> float:
        start, end = self._fleet.shift
        of_day = self._env.now % DAY
        return 0.0 if start <= of_day < end else (start - of_day) % DAY

    def _reconciler(self) -> Generator[Any, Any, None]:
        network = self._fleet.network_outage
        yield self._env.timeout(network.start + network.seconds)
        while self._parked:
            batch, self._parked = self._parked[:REDRIVEN_A_MINUTE], self._parked[REDRIVEN_A_MINUTE:]
            for taken_on in batch:
                taken_on.succeed()
            yield self._env.timeout(60)


def erlang_c(arrivals: float, service_seconds: float, servers: int) -> float:
    """The mean wait in seconds of an M/M/c queue with `arrivals` a second. Source: Erlang's C formula.

    Raises `ValueError` when the servers can't keep up.
    """
    load = arrivals * service_seconds
    if load >= servers:
        raise ValueError(f"{servers} servers can't keep up with a load of {load:.2f}")
    blocking = 1.0  # Erlang B, by its recursion
    for server in range(1, servers + 1):
        blocking = load * blocking / (server + load * blocking)
    waits = blocking / (1 - load / servers * (1 - blocking))
    return waits * service_seconds / (servers - load)


def approvers_needed(fleet: Fleet, share: float = 0.99) -> tuple[int, Outcome]:
    """The fewest approvers, to within a twentieth, who answer this share of requests in time; and what came of it.

    Raises `ValueError` when no number of them does.
    """
    least = math.floor(fleet.orders_a_year / (365 * DAY) * fleet.asked_share * fleet.answer_seconds) + 1
    approvers = least
    while approvers <= 4 * least:
        outcome = Simulation(replace(fleet, approvers=approvers)).run()
        if outcome.in_time >= share:
            return approvers, outcome
        approvers += max(1, approvers // 20)
    raise ValueError(f"{4 * least} approvers do not answer {share:.0%} in time, so the hours are what lacks")


async def figures(loads: tuple[int, ...]) -> AsyncIterator[Figure]:
    """Approvers by load, with and without a morning in which nothing works; what an outage of the network leaves."""
    for load in loads:
        workers = max(2, math.ceil(2 * load / (365 * DAY) * Fleet.order_seconds))
        fleet = Fleet(load, workers=workers, seconds=3 * DAY if load <= 10**6 else DAY)
        calm, outcome = await asyncio.to_thread(approvers_needed, fleet)
        dark = replace(fleet, worker_outage=Outage(9 * HOUR, 2 * HOUR), network_outage=Outage(13 * HOUR, 2 * HOUR))
        stormy, after = await asyncio.to_thread(approvers_needed, dark)
        by_day = replace(fleet, approvers=4 * calm, shift=OFFICE_HOURS)
        office = await asyncio.to_thread(Simulation(by_day).run)
        waits = outcome.answer_waits
        yield Figure(
            figure=f"approvers_at_{load}_orders_a_year",
            value=calm,
            unit=f"approvers who answer 99 % within {DUE_SECONDS / HOUR:g} h, people at work all day",
            bar="as it is",
            holds=True,
            peers={"workers away for two hours": stormy},
            note=f"{outcome.orders} orders simulated, {len(waits)} asked; a request waits {fmean(waits):.0f} s on "
            f"average, p95 {quantiles(waits, n=20)[18]:.0f} s; {workers} workers, an order waits "
            f"{fmean(outcome.worker_waits) * 1000:.2f} ms for one",
        )
        yield Figure(
            figure=f"in_time_in_office_hours_at_{load}_orders_a_year",
            value=round(office.in_time, 2),
            unit=f"of requests answered within {DUE_SECONDS / HOUR:g} h by {by_day.approvers} people from 8 to 18",
            bar="as it is",
            holds=True,
        )
        yield Figure(
            figure=f"network_away_for_two_hours_at_{load}_orders_a_year",
            value=round(after.drained_seconds / 60, 1),
            unit="minutes from its return until the last parked order was charged",
            bar="as it is",
            holds=True,
            note=f"{after.parked} orders were parked; the reconciler takes on {REDRIVEN_A_MINUTE} a minute",
        )


def main() -> int:
    """Simulate what the command line says."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.fleet", description=__doc__)
    parser.add_argument("--json", action="store_true", help="a JSON object a line, as always")
    parser.add_argument("--quick", action="store_true", help="the smaller loads only")
    return 0 if asyncio.run(report(figures(LOADS[:3] if parser.parse_args().quick else LOADS))) else 1


if __name__ == "__main__":
    sys.exit(main())
