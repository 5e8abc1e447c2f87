"""Contenders as this process has them: where they keep their things, started, asked in turn, compared."""

import json
import os
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median, quantiles
from typing import Any, Final, Literal

from benchmarks.builds import OLD, Build, old_build, progress
from benchmarks.figures import Figure
from tests.support.ledgers import postgres_database
from tests.support.postgres_server import Postgres, binaries, folder_of_the_server

Engine = Literal["sqlite", "postgresql"]
OURS: Final = "ours"
_KEPT: Final = ("PATH", "HOME", "LANG", "TMPDIR")
"""What a contender sees of the environment."""


@dataclass(frozen=True)
class Run:
    """What is measured, and how often: `rounds`, in each of which every contender places so many orders."""

    ours: Build
    rounds: int
    orders: int
    quick: bool
    folder: Path

    def builds(self) -> dict[str, tuple[str, Build]]:
        """Our two builds, by the names that figures give them."""
        return {OURS: ("desk", self.ours), OLD: ("desk", old_build())}


class Contender:
    """One process. `ask` waits for its answer; between questions it does nothing."""

    def __init__(
        self, module: str, build: Build, folder: Path, arguments: list[str], package: str = "benchmarks.contenders"
    ) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._log = folder / "log"
        environment = {name: os.environ[name] for name in _KEPT if name in os.environ}
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(  # noqa: S603
                [build.python, "-m", f"{package}.{module}", "--folder", folder, *arguments],
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, text=True, cwd=folder,
                env=environment | {"PYTHONPATH": build.path},
            )  # fmt: skip

    def ready(self) -> None:
        """Wait until it says that it is."""
        self._hear()

    def ask(self, do: str, **arguments: Any) -> Any:
        """Have it do this; its answer. Raises `RuntimeError` with the end of its log when it fails."""
        assert self._process.stdin  # noqa: S101
        print(json.dumps({"do": do, **arguments}), file=self._process.stdin, flush=True)
        return self._hear()

    def end(self) -> None:
        """Let it end in good order; one that does not is killed."""
        assert self._process.stdin  # noqa: S101
        self._process.stdin.close()
        try:
            self._process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def kill(self) -> None:
        """`kill -9`, whatever it is doing."""
        self._process.kill()
        self._process.wait()

    def _hear(self) -> Any:
        assert self._process.stdout  # noqa: S101
        if line := self._process.stdout.readline():
            return json.loads(line)
        self._process.kill()
        self._process.wait()
        raise RuntimeError(f"a contender ended:\n{self._log.read_text()[-3000:]}")


@contextmanager
def started(
    folder: Path, contenders: Mapping[str, tuple[str, Build]], engine: Engine = "sqlite", *more: str
) -> Iterator[dict[str, Contender]]:
    """All of them, each in a folder of its own; on PostgreSQL, with two databases of its own on one server."""
    with ExitStack() as stack:
        server = stack.enter_context(postgres()) if engine == "postgresql" else None
        running = {}
        for name, (module, build) in contenders.items():
            arguments = list(more)
            if server:
                for what in ("ledger", "checkpoints"):
                    arguments += [f"--{what}-url", stack.enter_context(postgres_database(server.url))]
            running[name] = Contender(module, build, folder / name, arguments)
            stack.callback(running[name].end)
            running[name].ready()
        yield running


@contextmanager
def postgres() -> Iterator[Postgres]:
    """A server of our own, in an empty folder, until the end."""
    if (programs := binaries()) is None:
        raise RuntimeError("PostgreSQL is not installed: run `make services`")
    with folder_of_the_server() as folder:
        server = Postgres(programs, folder)
        server.init()
        server.start()
        try:
            yield server
        finally:
            server.stop()


@dataclass(frozen=True)
class Taken:
    """What a contender's rounds took: orders a second, processor milliseconds an order, p95 as a multiple of p50."""

    rate: list[float]
    cpu: list[float]
    spread: list[float]


def interleaved(
    running: Mapping[str, Contender], rounds: int, count: int, at_once: int, lines: int, *, name: str
) -> dict[str, Taken]:
    """Rounds of A B, B A, and so on, after one that does not count. Raises `RuntimeError` when an order does not end
    well."""
    taken = {each: Taken([], [], []) for each in running}
    for number in range(rounds + 1):
        for each in list(running) if number % 2 else reversed(list(running)):
            placed = count if number else min(count, at_once)
            took = running[each].ask("orders", name=f"{name}{number}", count=placed, at_once=at_once, lines=lines)
            if took["outcomes"] != {"completed": placed}:
                raise RuntimeError(f"{each}: not all orders were completed: {took['outcomes']}")
            rate, cpu, seconds = placed / took["wall"], took["cpu"] / placed * 1000, took["seconds"]
            progress(f"{name} {number}/{rounds} {each}: {rate:.1f} orders/s, {cpu:.1f} ms of processor an order")
            if number:
                taken[each].rate.append(rate)
                taken[each].cpu.append(cpu)
                taken[each].spread.append(quantiles(seconds, n=20)[18] / median(seconds))
    return taken


def multiple(
    figure: str,
    unit: str,
    values: Mapping[str, list[float]],
    peer: str,
    *,
    at_least: float | None = None,
    at_most: float | None = None,
    note: str = "",
) -> Figure:
    """Ours as a multiple of a peer's, by medians of rounds, held against one bar."""
    ratio = median(values[OURS]) / median(values[peer])
    return Figure(
        figure=figure,
        value=round(ratio, 2),
        unit=f"times the {unit} of {peer}",
        bar=f">= {at_least}" if at_least is not None else f"<= {at_most}",
        holds=(at_least is None or ratio >= at_least) and (at_most is None or ratio <= at_most),
        note=f"{unit}, median (least to most): ours {spread(values[OURS])}, {peer} {spread(values[peer])}{note}",
    )


def spread(values: list[float]) -> str:
    """Median, minimum and maximum, for people."""
    digits = 1 if median(values) >= 1 else 3
    return f"{median(values):.{digits}f} ({min(values):.{digits}f} to {max(values):.{digits}f})"
