"""The same order on four engines: orders a second, processor, and what is doubled or lost after kills.

`python -m benchmarks.engines` prints a JSON line a figure; `--quick` takes fewer rounds and kills, `--only speed,kills`
some parts, `--engines dbos` ours and one other, `--engine sqlite` keeps what is durable in SQLite files instead of
PostgreSQL, `--kills` how many.
"""

import argparse
import asyncio
import sys
import tempfile
from collections.abc import AsyncIterator, Collection, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median
from typing import Any, Final

from benchmarks.builds import Build, progress
from benchmarks.engines import installed
from benchmarks.engines.line import WorkName
from benchmarks.engines.restate_server import restate_running
from benchmarks.engines.started import Engine, killed, provider
from benchmarks.figures import Figure, report
from benchmarks.rivals import OURS, multiple, postgres, spread
from benchmarks.rivals import Engine as Database
from tests.support.ledgers import postgres_database
from tests.support.live_server import ROOT

BARE: Final = "a bare graph"
DBOS: Final = "DBOS"
RESTATE: Final = "Restate"
MODULES: Final = {OURS: "ours", BARE: "bare", DBOS: "dbos_line", RESTATE: "restate_line"}
SHORT: Final = {module.removesuffix("_line"): name for name, module in MODULES.items()}
"""The engines as they are typed."""
PARTS: Final = ("speed", "kills", "lines")
AT_ONCE: Final = 10
SEED: Final = 16


@dataclass(frozen=True)
class Size:
    """How much is measured: rounds of so many orders, and kills."""

    rounds: int
    orders: int
    kills: int


@contextmanager
def engines(folder: Path, names: list[str], work: WorkName, database: Database) -> Iterator[dict[str, Engine]]:
    """These engines, each with a provider, a folder and databases of its own; their processes are to be started."""
    build = Build(python=installed.python())
    with ExitStack() as stack:
        server = stack.enter_context(postgres()) if database == "postgresql" else None
        made = {}
        for name in names:
            home, urls = folder / MODULES[name], []
            for what in ("ledger", "checkpoints") if server else ():
                urls += [f"--{what}-url", stack.enter_context(postgres_database(server.url))]  # type: ignore[union-attr]
            restate = None
            if name == RESTATE:
                restate = stack.enter_context(restate_running(installed.restate_server(), home / "restate"))
            url = stack.enter_context(provider(home))
            made[name] = Engine(name, MODULES[name], build, home, work, url, urls, restate)
        yield made


def speed(size: Size, names: list[str], database: Database, folder: Path) -> Iterator[Figure]:
    """The shop's own commands on every engine: orders that need no yes, and orders that a person says yes to."""
    works: tuple[WorkName, ...] = ("cheap", "commands")
    for work in works:
        yield from _speed(size, names, database, folder / work, work)


def _speed(size: Size, names: list[str], database: Database, folder: Path, work: WorkName) -> Iterator[Figure]:
    rate: dict[str, list[float]] = {name: [] for name in names}
    cpu: dict[str, list[float]] = {name: [] for name in names}
    with engines(folder, names, work, database) as made:
        for engine in made.values():
            engine.start()
        for number in range(size.rounds + 1):
            for name in names if number % 2 else reversed(names):
                count = size.orders if number else AT_ONCE
                took = _orders(made[name], f"R{number}", count)
                progress(f"{work} {number}/{size.rounds} {name}: {took}")
                if number:
                    rate[name].append(took["rate"])
                    cpu[name].append(took["cpu"])
        for engine in made.values():
            engine.process.end()
    what = "with_a_yes" if work == "commands" else "without_a_yes"
    unit = f"orders/s, {AT_ONCE} at once, {what.replace('_', ' ')}, {database}"
    for name in names[1:]:
        figure = f"engines_orders_a_second_against_{MODULES[name].removesuffix('_line')}_{what}"
        against = multiple(figure, unit, rate, name, at_least=1.2)
        yield against if name == DBOS else replace(against, bar="as it is", holds=True)
    yield Figure(
        figure=f"engines_cpu_an_order_{what}",
        value=round(median(cpu[OURS]), 1),
        unit="ms of the processor of the engine's own processes, databases left out",
        bar="as it is",
        holds=True,
        peers={name: round(median(cpu[name]), 1) for name in names[1:]},
        note="; ".join(f"{name} {spread(cpu[name])}" for name in names),
    )


def _orders(engine: Engine, name: str, count: int) -> dict[str, float]:
    """Orders a second, and milliseconds of processor an order, Restate's server included."""
    before = engine.restate.process.cpu_seconds() if engine.restate else 0.0
    took: Any = engine.process.ask("orders", name=name, count=count, at_once=AT_ONCE)
    beside = engine.restate.process.cpu_seconds() - before if engine.restate else 0.0
    if took["outcomes"] != {"completed": count}:
        raise RuntimeError(f"{engine.name}: not all orders were completed: {took['outcomes']}")
    return {"rate": count / took["wall"], "cpu": (took["cpu"] + beside) / count * 1000}


def kills(size: Size, names: list[str], folder: Path) -> Iterator[Figure]:
    """Every engine in its tutorial's way on a small shop; ours as it is. The same kills at the same moments."""
    works: tuple[WorkName, ...] = ("keyed", "unkeyed")
    found: dict[str, Any] = {}
    for work in works:
        asked = names if work == "keyed" else names[1:]
        with engines(folder / "kills" / work, asked, "keyed", "sqlite") as made:
            for name, engine in made.items():
                engine.work = "commands" if name == OURS else work
                found[OURS if name == OURS else f"{name}, {work}"] = killed(engine, size.kills, SEED)
    ours = found.pop(OURS)
    yield Figure(
        figure=f"engines_doubled_or_lost_after_{size.kills}_kills",
        value=ours.doubled + ours.lost + ours.unfinished,
        unit="orders of ours charged twice, never, or not at their end",
        bar="== 0",
        holds=ours.doubled + ours.lost + ours.unfinished == 0,
        peers={name: each.doubled + each.lost + each.unfinished for name, each in found.items()},
        note="; ".join(f"{name}: {each}" for name, each in {OURS: ours, **found}.items()),
    )


def lines_of_code(names: list[str]) -> Figure:
    """What each engine's way of an order is written in: lines of code, without the steps that all share."""
    counts = {name: _code(ROOT / f"benchmarks/engines/{MODULES[name]}.py") for name in names if name != OURS}
    return Figure(
        figure="engines_lines_of_code",
        value=sum(map(_code, (ROOT / "src/agent/order_processing").glob("*.py"))),
        unit="lines of code of order_processing: with guard, gate, undoing, recovery and what people are shown",
        bar="as it is",
        holds=True,
        peers=counts,
        note="the others' are the straight way of an order and its process; none undoes anything",
    )


def _code(path: Path) -> int:
    return sum(bool(line.strip()) and not line.strip().startswith("#") for line in path.read_text().splitlines())


async def figures(parts: Mapping[str, Iterator[Figure]]) -> AsyncIterator[Figure]:
    """Those of these parts, in turn."""
    for part, measured in parts.items():
        progress(f"-- {part}")
        while figure := await asyncio.to_thread(next, measured, None):
            yield figure


def _engines(given: str) -> list[str]:
    """Ours, which the others are held against, and those that are named, by their modules too."""
    typed = _listed(given.lower().replace("_line", ""), SHORT, "engine")
    return [name for short, name in SHORT.items() if name == OURS or short in typed]


def _parts(given: str) -> list[str]:
    return _listed(given, PARTS, "part")


def _listed(given: str, known: Collection[str], what: str) -> list[str]:
    """Names with commas between them. Raises ArgumentTypeError for one that is not known."""
    names = [name.strip() for name in given.split(",")]
    if unknown := [name for name in names if name not in known]:
        raise argparse.ArgumentTypeError(f"no such {what}: {', '.join(unknown)}; there are {', '.join(known)}")
    return names


def main() -> int:
    """Measure what the command line says; 0 if every figure holds."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.engines", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer rounds and kills: for a look, not for a record")
    parser.add_argument("--json", action="store_true", help="a JSON object a line, as always")
    parser.add_argument("--only", type=_parts, default=",".join(PARTS), help="which parts (default: %(default)s)")
    parser.add_argument("--engine", choices=("postgresql", "sqlite"), default="postgresql", help="for `speed`")
    parser.add_argument("--kills", type=int, default=0, help="of each engine (default: 60, or 8 with --quick)")
    parser.add_argument("--engines", type=_engines, default=",".join(SHORT), help="beside ours (default: %(default)s)")
    asked = parser.parse_args()
    names: list[str] = asked.engines
    size = Size(3 if asked.quick else 5, 20 if asked.quick else 60, asked.kills or (8 if asked.quick else 60))
    if RESTATE in names:
        try:
            installed.restate_server()
        except installed.NotInstalledError as error:
            progress(f"Restate is left out: {error}")
            names.remove(RESTATE)
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        parts = {
            "speed": speed(size, names, asked.engine, folder),
            "kills": kills(size, names, folder),
            "lines": iter([lines_of_code(names)]),
        }
        chosen = {part: parts[part] for part in asked.only}
        return 0 if asyncio.run(report(figures(chosen))) else 1


if __name__ == "__main__":
    sys.exit(main())
