"""Orders a second of two workers against one, on one PostgreSQL and Redis, with a card network that answers in 50 ms.

`python -m benchmarks.two_workers` prints a JSON line a figure; `--quick` takes fewer and smaller rounds. The workers
are those of `tests.cluster`. Rounds with one (the other is stopped: both take from one queue) and with two take turns
in one run. PostgreSQL, Redis, the provider and the driver share the machine, so the processor of each is told too.
"""

import argparse
import asyncio
import json
import os
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, replace
from http import HTTPStatus
from http.client import HTTPConnection
from pathlib import Path
from statistics import median
from typing import Any, Final

import psycopg
from redis import StrictRedis

from agent.platform import order_thread
from benchmarks.builds import progress
from benchmarks.contenders.given import new_orders, stocked
from benchmarks.figures import Figure, report
from benchmarks.processor import machine_seconds, postgres_seconds, process_seconds
from benchmarks.rivals import spread
from tests.cluster.workers import Cluster, Worker, cluster
from tests.support.live_server import LiveNetwork, wait_for

NETWORK_SECONDS: Final = 0.05
AT_LEAST: Final = 1.6
QUIET: Final = 0.2
"""Cores. Beside more work than that the ratio tells how the machine was shared out, and nothing of workers."""
LINES: Final = 2
ONE_AT_A_TIME: Final = {"WORKER_COUNT": "1", "N_JOBS_PER_WORKER": "1"}
"""The engine's own are 3 and 10: 30 runs at once in a worker."""
_SENDERS: Final = 16
"""Orders that are on their way at once; each is answered when it is in the queue."""
_LIMIT_SECONDS: Final = 180.0
_LOOK_SECONDS: Final = 0.1
_CORES: Final = len(os.sched_getaffinity(0))


@dataclass(frozen=True)
class Round:
    """What it took: orders a second, and milliseconds of processor an order by who used them."""

    rate: float
    used: Mapping[str, float]
    others: float
    """Cores that were busy with what is not ours."""

    def __str__(self) -> str:
        parts = ", ".join(f"{who} {ms:.1f}" for who, ms in self.used.items())
        return f"{self.rate:.1f} orders/s; ms of processor an order: {parts}; others used {self.others:.2f} cores"


class Shop:
    """A cluster with stock for every order, and what runs beside it."""

    def __init__(self, workers: Cluster, network: LiveNetwork) -> None:
        self._cluster, self._network = workers, network
        self._east, self._west = stocked(workers.ledger)
        self.workers = workers.workers

    def restarted(self, env: Mapping[str, str]) -> None:
        """Stop both workers, and start them with these settings."""
        for worker in self.workers:
            worker.stop()
            worker.env |= env
            worker.start()

    def ordered(self, name: str, count: int, at: Sequence[Worker]) -> Round:
        """Place so many orders at these workers in turn, all in the background, until the ledger has them completed."""
        orders = new_orders(name, count, LINES, self._east, self._west)
        before, machine, began = self._used(at), machine_seconds(), time.perf_counter()
        with ThreadPoolExecutor(_SENDERS) as pool:
            for sent in [pool.submit(_send, at[n % len(at)], orders[n::_SENDERS]) for n in range(_SENDERS)]:
                sent.result()
        self._until_completed(name, count)
        took = time.perf_counter() - began
        used = {who: seconds - before[who] for who, seconds in self._used(at).items()}
        others = (machine_seconds() - machine - sum(used.values())) / took
        self._until_quiet()
        return Round(count / took, {who: seconds / count * 1000 for who, seconds in used.items()}, others)

    def _used(self, workers: Sequence[Worker]) -> dict[str, float]:
        with StrictRedis.from_url(self.workers[0].env["REDIS_URL"]) as store:
            redis = int(store.info("server")["process_id"])
        return {
            "workers": sum(worker.cpu_seconds() for worker in workers),
            "PostgreSQL": postgres_seconds(self._cluster.ledger),
            "Redis": process_seconds(redis),
            "card network and carrier": self._network.cpu_seconds(),
            "driver": time.process_time(),
        }

    def _until_completed(self, name: str, count: int) -> None:
        """Raises `RuntimeError` when one does not get there."""
        query = "SELECT count(*) FROM orders WHERE stage = 'completed' AND id BETWEEN %s AND %s"  # by the index
        end = time.monotonic() + _LIMIT_SECONDS
        with psycopg.connect(self._cluster.ledger, autocommit=True) as ledger:
            while (row := ledger.execute(query, [f"{name}-0", f"{name}-9~"]).fetchone()) != (count,):
                if time.monotonic() > end:
                    raise RuntimeError(f"{name}: {row and row[0]} of {count} orders were completed")
                time.sleep(_LOOK_SECONDS)

    def _until_quiet(self) -> None:
        """The engine has written what it writes after an order, so that the next round does not pay for it."""
        query = "SELECT count(*) FROM runs WHERE status IN ('pending', 'running')"
        with psycopg.connect(self._cluster.engine, autocommit=True) as engine:
            wait_for(lambda: engine.execute(query).fetchone() == (0,), 60, lambda: "runs are left over")


def _send(worker: Worker, orders: Sequence[dict[str, Any]]) -> None:
    """One after the other, each once the one before is in the queue. The standard library's client is the cheapest."""
    headers = {"x-api-key": worker.tokens["channel"], "content-type": "application/json"}
    with closing(HTTPConnection("127.0.0.1", worker.port, timeout=60)) as connection:
        for order in orders:
            slow = order | {"payment_method_id": order["payment_method_id"].replace("_card", "_slow")}
            body = {"assistant_id": "order_processing", "input": {"order": slow}, "if_not_exists": "create"}
            thread = order_thread(order["order_id"], "channel:channel-1")
            connection.request("POST", f"/threads/{thread}/runs", json.dumps(body), headers)
            answer = connection.getresponse()
            if answer.status != HTTPStatus.OK:
                raise RuntimeError(f"{order['order_id']} was not taken: {answer.status} {answer.read().decode()}")
            answer.read()


@contextmanager
def shop(folder: Path) -> Iterator[Shop]:
    """Two workers that are up, and all that they need. Raises `NotInstalledError`."""
    with ExitStack() as stack:
        network = LiveNetwork(folder / "network", slow_seconds=NETWORK_SECONDS)
        stack.callback(network.stop)
        network.spawn()
        wait_for(network.answers, 30, lambda: "the card network does not answer")
        env = {"PAYMENT_URL": network.url, "RECONCILE_CRON": ""}
        yield Shop(stack.enter_context(cluster(folder, **env)), network)


def rounds(desk: Shop, name: str, count: int, orders: int) -> dict[int, list[Round]]:
    """By the number of workers; two, one, one, two and so on. A worker that has just started is warmed up before."""
    second = desk.workers[1]
    desk.ordered(f"{name}-warm", orders // 2, desk.workers)
    taken: dict[int, list[Round]] = {1: [], 2: []}
    for number in range(count):
        for workers in (1, 2) if number % 2 else (2, 1):
            if workers == 1:
                second.stop()
            elif not second.alive:
                second.start()
                desk.ordered(f"{name}-warm-{number}", orders // 4, (second,))
            took = desk.ordered(f"{name}-{number}-{workers}", orders, desk.workers[:workers])
            progress(f"{name} {number + 1}/{count}, {workers} at work: {took}")
            taken[workers].append(took)
    return taken


async def figures(folder: Path, count: int, orders: int) -> AsyncIterator[Figure]:
    """The ratio as the engine comes, where the processor went, what it allows; the ratio where waiting is the bound."""
    with shop(folder) as desk:
        taken = await asyncio.to_thread(rounds, desk, "orders", count, orders)
        against = _ratio("two_workers_against_one", taken, "each with the engine's own 30 runs at once")
        others = max(median(each.others for each in took) for took in taken.values())
        yield replace(
            against,
            bar=f">= {AT_LEAST}, on a machine on which other work keeps at most {QUIET} of a core busy",
            holds=float(against.value) >= AT_LEAST and others <= QUIET,
        )
        yield _processor(taken)
        yield _allowed(taken)
        desk.restarted(ONE_AT_A_TIME)
        taken = await asyncio.to_thread(rounds, desk, "single", count // 2, orders // 3)
        name = "two_workers_against_one_with_one_run_at_a_time_each"
        yield _ratio(name, taken, "what a worker waits for is the bound here, not the processor")


def _ratio(name: str, taken: dict[int, list[Round]], note: str) -> Figure:
    one, two = ([each.rate for each in taken[workers]] for workers in (1, 2))
    ours = [median(each.rate * sum(each.used.values()) / 1000 for each in taken[workers]) for workers in (1, 2)]
    others = [median(each.others for each in taken[workers]) for workers in (1, 2)]
    return Figure(
        figure=name,
        value=round(median(two) / median(one), 2),
        unit="times the orders/s of one worker",
        bar="as it is",
        holds=True,
        note=f"orders/s: one {spread(one)}, two {spread(two)}; of {_CORES} cores all of this kept {ours[0]:.2f} and"
        f" {ours[1]:.2f} busy, and other work {others[0]:.2f} and {others[1]:.2f}; {note}",
    )


def _processor(taken: dict[int, list[Round]]) -> Figure:
    one, two = (_used(taken[workers]) for workers in (1, 2))
    return Figure(
        figure="two_workers_processor_an_order",
        value=round(sum(two.values()), 1),
        unit="ms of processor an order with two workers, of all that takes part",
        bar="as it is",
        holds=True,
        peers={who: round(ms, 1) for who, ms in two.items()} | {"in all, with one worker": round(sum(one.values()), 1)},
        note="with one: " + ", ".join(f"{who} {ms:.1f}" for who, ms in one.items()),
    )


def _allowed(taken: dict[int, list[Round]]) -> Figure:
    """An order's processor as a bound: a worker is one Python process, and keeps one core busy at most."""
    one, two = 1000 / _used(taken[1])["workers"], _CORES * 1000 / sum(_used(taken[2]).values())
    return Figure(
        figure="two_workers_that_the_cores_allow",
        value=round(two / one, 2),
        unit=f"times the orders/s of one worker, if it kept one core busy, and two with all the rest {_CORES}",
        bar="as it is",
        holds=True,
        note=f"orders/s: one {one:.1f}, two {two:.1f}",
    )


def _used(taken: list[Round]) -> dict[str, float]:
    return {who: median(each.used[who] for each in taken) for who in taken[0].used}


def main() -> int:
    """Measure; 0 if every figure holds."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.two_workers", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer and smaller rounds: for a look, not for a record")
    quick = parser.parse_args().quick
    with tempfile.TemporaryDirectory() as folder:
        return 0 if asyncio.run(report(figures(Path(folder), 2 if quick else 4, 100 if quick else 200))) else 1


if __name__ == "__main__":
    sys.exit(main())
