"""Engines as this process has them: each with a provider process and books of its own; killed, started again, asked."""

import random
import signal
import sys
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import httpx

from benchmarks.builds import Build, progress
from benchmarks.engines.line import WorkName
from benchmarks.engines.restate_server import RestateServer
from benchmarks.rivals import Contender
from tests.support.live_server import ROOT, Process, free_port, wait_for

BATCH_SIZE: Final = 4
"""Orders that are placed at once between kills."""

KILLED_AFTER: Final = (0.1, 2.0)
"""Seconds from being ready to the kill, at least and at most."""

END_SECONDS: Final = 60.0
"""How long an order has at most to end once nobody kills any more."""


@dataclass
class Engine:
    """One engine: `module` of this package is its process; `start` begins it in its folder, where it finds what it
    left."""

    name: str
    module: str
    build: Build
    folder: Path
    work: WorkName
    payment_url: str
    urls: list[str]
    restate: RestateServer | None
    process: Contender = field(init=False)

    def start(self) -> None:
        """Begin its process, and wait until it is ready for work."""
        arguments = ["--work", self.work, "--payment-url", self.payment_url, *self.urls]
        arguments += ["--platform-url", self.payment_url]  # it knows no threads: 404
        if self.restate:
            arguments += self.restate.arguments
        self.process = Contender(self.module, self.build, self.folder, arguments, package="benchmarks.engines")
        self.process.ready()

    def books(self) -> tuple[Counter[str], Counter[str]]:
        """Captured charges and booked parcels of each order, by the provider."""
        charges = httpx.get(f"{self.payment_url}/charges", trust_env=False, timeout=30).json()["charges"]
        parcels = httpx.get(f"{self.payment_url}/shipments", trust_env=False, timeout=30).json()["shipments"]
        captured = (each["key"] for each in charges if each["status"] == "captured")
        return _by_order(captured), _by_order(each["parcel_id"] for each in parcels)


def _by_order(keys: Iterator[str]) -> Counter[str]:
    return Counter(key.partition(":")[0].partition("/")[0] for key in keys)


@contextmanager
def provider(folder: Path) -> Iterator[str]:
    """The sandbox as a process of its own: its address."""
    folder.mkdir(parents=True, exist_ok=True)
    port = free_port()
    command = [sys.executable, "-m", "sandbox", "--port", str(port), "--data", str(folder / "network.db")]
    process = Process(command, folder / "network.log", ROOT, {"PATH": "", "PYTHONPATH": str(ROOT / "src")})
    url = f"http://127.0.0.1:{port}"

    def answers() -> bool:
        try:
            return httpx.get(f"{url}/shipments", trust_env=False).is_success
        except httpx.TransportError:
            return False

    try:
        wait_for(answers, 30, lambda: f"the provider does not start: see {process.log}")
        yield url
    finally:
        process.end(signal.SIGKILL)


@dataclass
class Killed:
    """What is left after all kills, by the provider's books."""

    orders: int
    doubled: int
    lost: int
    ends: Counter[str]
    doubled_parcels: int

    @property
    def unfinished(self) -> int:
        """Orders that are not at their end."""
        return self.orders - self.ends["completed"]

    def __str__(self) -> str:
        return (
            f"of {self.orders} orders {self.doubled} charged twice, {self.lost} never, "
            f"{self.doubled_parcels} with a parcel too many, ends {dict(self.ends)}"
        )


def killed(engine: Engine, kills: int, seed: int) -> Killed:
    """Place orders and say yes to them while the engine's process is killed so often, at moments drawn by the seed.

    Whoever placed an order, or said yes, and got no answer does it again once the process is back.
    """
    draw = random.Random(seed)  # noqa: S311
    unanswered: list[str] = []  # batches
    waiting: set[str] = set()
    placed: list[str] = []

    def go_on(names: Iterator[str]) -> None:
        """Until there are no more names, or the process is killed."""
        while True:
            if not unanswered:
                if (name := next(names, None)) is None:
                    break
                unanswered.append(name)
                placed.extend(_ids(name))
            while unanswered:
                engine.process.ask("submit", name=unanswered[0], count=BATCH_SIZE)
                waiting.update(_ids(unanswered.pop(0)))
            engine.process.ask("approve", order_ids=sorted(waiting))
            waiting.clear()

    for number in range(kills):
        engine.start()
        names = (f"K{number}x{batch}" for batch in range(1000))
        due = threading.Event()
        timer = threading.Timer(draw.uniform(*KILLED_AFTER), _kill, (engine.process, due))
        timer.start()
        try:
            go_on(names)
        except (RuntimeError, OSError):
            if not due.is_set():
                timer.cancel()
                raise
        timer.join()
        progress(f"{engine.name}, {engine.work}: killed {number + 1} of {kills}, {len(placed)} orders placed")
    engine.start()
    go_on(iter(()))
    engine.process.ask("approve", order_ids=sorted(waiting))
    ends: dict[str, str] = engine.process.ask("ends", order_ids=placed, seconds=END_SECONDS)
    engine.process.end()
    charges, parcels = engine.books()
    return Killed(
        orders=len(placed),
        doubled=sum(charges[order] > 1 for order in placed),
        lost=sum(charges[order] == 0 for order in placed),
        ends=Counter(ends.values()),
        doubled_parcels=sum(parcels[order] > 2 for order in placed),
    )


def _kill(process: Contender, due: threading.Event) -> None:
    due.set()
    process.kill()


def _ids(name: str) -> list[str]:
    return [f"{name}-{number}" for number in range(BATCH_SIZE)]
