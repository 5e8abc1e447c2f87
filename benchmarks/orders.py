"""What an order costs, beside the build before, DBOS and a bare graph: interleaved, in one run.

`python -m benchmarks.orders --only orders,lines` chooses among GROUPS; `--quick` takes fewer and smaller rounds; `--tree`
and `--python` name another source tree of ours to measure, and the interpreter that runs it.
"""

import argparse
import asyncio
import sys
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from statistics import median, quantiles
from typing import Any, Final

from benchmarks.builds import OLD, Build, old_build, progress
from benchmarks.figures import Figure, report
from benchmarks.rivals import Contender, running

OURS: Final = "ours"
AT_ONCE: Final = 10
SMALL: Final = 2
LARGE: Final = 100


@dataclass(frozen=True)
class Run:
    """What is measured, and how often. `rounds` of `orders` each, a contender after the other in every round."""

    ours: Build
    rounds: int
    orders: int
    folder: Path

    def builds(self, engine: str) -> dict[str, tuple[str, Build, list[str]]]:
        """Our two builds, by the names that figures give them."""
        return {OURS: ("desk", self.ours, []), OLD: ("desk", old_build(), [])}


@dataclass(frozen=True)
class Taken:
    """What a contender's rounds took: orders a second, processor milliseconds an order, p95 as a multiple of p50."""

    rate: list[float]
    cpu: list[float]
    spread: list[float]


def orders(run: Run, engine: str = "sqlite") -> Iterator[Figure]:
    """Orders of two lines, ten at once."""
    contenders = run.builds(engine)
    with running(run.folder / "orders", **contenders) as started:
        taken = _interleaved(started, run.rounds, run.orders, AT_ONCE, SMALL)
    ours = taken[OURS]
    yield _times(f"orders_a_second_against_{OLD}_{engine}", taken, OLD, "rate", at_least=3.0)
    yield _times(f"cpu_an_order_against_{OLD}_{engine}", taken, OLD, "cpu", at_most=0.33)
    spread = median(ours.spread)
    yield Figure(
        figure=f"p95_against_p50_{engine}", value=round(spread, 2), unit=f"times p50, {AT_ONCE} orders at once",
        bar="<= 1.6", holds=spread <= 1.6, peers={OLD: round(median(taken[OLD].spread), 2)},
        note=f"ours {_range(ours.spread)}",
    )  # fmt: skip


def lines(run: Run) -> Iterator[Figure]:
    """Orders of 100 lines beside orders of two: what a further line costs."""
    contenders = run.builds("sqlite")
    with running(run.folder / "lines", **contenders) as started:
        small = _interleaved(started, run.rounds, run.orders // 2, 3, SMALL, name="small")
        large = _interleaved(started, run.rounds, 3, 3, LARGE, name="large")
    further = {name: (median(large[name].cpu) - median(small[name].cpu)) / (LARGE - SMALL) for name in contenders}
    yield Figure(
        figure="cpu_of_a_further_line", value=round(further[OURS], 2), unit="ms", bar="<= 2",
        holds=further[OURS] <= 2, peers={OLD: round(further[OLD], 2)},
        note=f"from orders of {SMALL} and of {LARGE} lines, 3 at once; an order of {LARGE}: ours "
        f"{_range(large[OURS].cpu)} ms, {OLD} {_range(large[OLD].cpu)} ms",
    )  # fmt: skip
    yield _times(f"cpu_an_order_of_{LARGE}_lines_against_{OLD}", large, OLD, "cpu", at_most=0.25)


def statements(run: Run) -> Iterator[Figure]:
    """What an order of two lines asks of the ledger."""
    found: dict[str, dict[str, int]] = {}
    with running(run.folder / "statements", **run.builds("sqlite")) as started:
        for name, contender in started.items():
            contender.ask("orders", name="warm", count=3, at_once=1, lines=SMALL)
            found[name] = contender.ask("statements", name="counted", lines=SMALL)["counts"]
    asked = {name: sum(counts.values()) - counts["transactions"] - counts["BEGIN"] for name, counts in found.items()}
    for what, most, values in (
        ("statements", 45, asked),
        ("transactions", 12, {name: counts["transactions"] for name, counts in found.items()}),
    ):
        yield Figure(
            figure=f"{what}_of_an_order", value=values[OURS], unit=f"{what} in the ledger, {SMALL} lines",
            bar=f"<= {most}", holds=values[OURS] <= most, peers={OLD: values[OLD]},
            note=f"ours {found[OURS]}, {OLD} {found[OLD]}",
        )  # fmt: skip


def crowd(run: Run, engine: str = "sqlite") -> Iterator[Figure]:
    """25 orders of 100 lines at once."""
    with running(run.folder / "crowd", **run.builds(engine)) as started:
        found = {}
        for name, contender in started.items():
            progress(f"crowd: {name}")
            found[name] = contender.ask("orders", name="crowd", count=25, at_once=25, lines=LARGE)
    ours = found[OURS]
    good = ours["outcomes"] == {"completed": 25} and not ours["bad_branches"]
    yield Figure(
        figure=f"orders_of_100_lines_25_at_once_{engine}", value=ours["outcomes"].get("completed", 0),
        unit="orders completed, of 25", bar="== 25, no failed branch", holds=good,
        peers={OLD: found[OLD]["outcomes"].get("completed", 0)},
        note="; ".join(
            f"{name}: {each['outcomes']}, {each['bad_branches']} of {each['branches']} branches failed, "
            f"{each['wall']:.1f} s, {each['cpu']:.1f} s of processor"
            for name, each in found.items()
        ),
    )  # fmt: skip


GROUPS: Final[dict[str, Callable[[Run], Iterator[Figure]]]] = {
    "statements": statements,
    "orders": orders,
    "lines": lines,
    "crowd": crowd,
}
"""What `--only` chooses from, in the order in which they are measured."""


def _interleaved(
    started: dict[str, Contender], rounds: int, count: int, at_once: int, lines: int, name: str = "orders"
) -> dict[str, Taken]:
    """Rounds of A B, B A, …, after one that does not count. Raises `RuntimeError` when an order does not complete."""
    taken = {each: Taken([], [], []) for each in started}
    for number in range(rounds + 1):
        for each in list(started) if number % 2 else reversed(started):
            placed = count if number else min(count, AT_ONCE)
            took = started[each].ask("orders", name=f"{name}{number}", count=placed, at_once=at_once, lines=lines)
            if took["outcomes"] != {"completed": placed}:
                raise RuntimeError(f"{each}: not all orders were completed: {took['outcomes']}")
            rate, cpu, seconds = placed / took["wall"], took["cpu"] / placed * 1000, took["seconds"]
            progress(f"{name} {number}/{rounds} {each}: {rate:.1f} orders/s, {cpu:.1f} ms of processor an order")
            if number:
                taken[each].rate.append(rate)
                taken[each].cpu.append(cpu)
                taken[each].spread.append(quantiles(seconds, n=20)[18] / median(seconds))
    return taken


def _times(
    figure: str, taken: dict[str, Taken], peer: str, what: str, at_least: float | None = None, at_most: float | None = None
) -> Figure:
    """Ours as a multiple of a peer's, by medians of rounds."""
    unit = {"rate": "orders/s", "cpu": "ms of processor an order"}[what]
    ours, theirs = getattr(taken[OURS], what), getattr(taken[peer], what)
    ratio = median(ours) / median(theirs)
    holds = (at_least is None or ratio >= at_least) and (at_most is None or ratio <= at_most)
    return Figure(
        figure=figure, value=round(ratio, 2), unit=f"times the {unit} of {peer}",
        bar=f">= {at_least}" if at_least else f"<= {at_most}", holds=holds,
        note=f"{unit}, median (least to most): ours {_range(ours)}, {peer} {_range(theirs)}",
    )  # fmt: skip


def _range(values: list[float]) -> str:
    return f"{median(values):.1f} ({min(values):.1f} to {max(values):.1f})"


async def _figures(run: Run, groups: list[str]) -> AsyncIterator[Figure]:
    for group in groups:
        progress(f"-- {group}")
        for figure in GROUPS[group](run):
            yield figure


def main() -> int:
    """Measure what the command line says; 0 if every figure holds."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.orders", description=__doc__)
    parser.add_argument("--only", default=",".join(GROUPS), help="groups of figures, with commas (default: all)")
    parser.add_argument("--quick", action="store_true", help="fewer and smaller rounds: for a look, not for a record")
    parser.add_argument("--tree", type=Path, default=Build.tree, help="the source tree of ours (default: this one)")
    parser.add_argument("--python", type=Path, default=Build.python, help="what runs it (default: this interpreter)")
    asked: Any = parser.parse_args()
    groups = asked.only.split(",")
    if unknown := set(groups) - set(GROUPS):
        parser.error(f"no such group: {', '.join(unknown)}; there are {', '.join(GROUPS)}")
    with tempfile.TemporaryDirectory() as folder:
        ours = Build(asked.tree.absolute(), asked.python.absolute())
        run = Run(ours, 3 if asked.quick else 5, 30 if asked.quick else 60, Path(folder))
        return 0 if asyncio.run(report(_figures(run, groups))) else 1


if __name__ == "__main__":
    sys.exit(main())
