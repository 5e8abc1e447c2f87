"""What grows with a shop, and what must not: a look at a ledger of many orders, and a conversation of many turns."""

import shutil
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from statistics import mean, median
from typing import Any, Final

from benchmarks.builds import OLD, Build, progress
from benchmarks.busy_platform import busy_platform
from benchmarks.figures import Figure
from benchmarks.full_ledger import multiply
from benchmarks.rivals import OURS, Contender, Run, started

FEW: Final = 100
MANY: Final = 1_000_000
_WIDTH: Final = 20
"""Turns on each side of a late one that count as like it."""


def size(run: Run) -> Iterator[Figure]:
    """A pass of the reconciler, and a question about an order, with few and with many orders in the ledger."""
    many = MANY // 10 if run.quick else MANY
    times = 9 if run.quick else 30
    contenders: dict[str, tuple[str, Build]] = {}
    for build, (_, source) in run.builds().items():
        folders = [run.folder / "size" / f"{build}-{orders}" for orders in (FEW, many)]
        _fill(folders, source, (FEW, many))
        contenders |= {folder.name: ("growing", source) for folder in folders}
    with busy_platform() as url, started(run.folder / "size", contenders, "sqlite", "--platform-url", url) as running:
        passes = _in_turn(running, "passes", times)
        turns = _in_turn(running, "status_turns", times)
    for what, took in (("reconciler_pass", passes), ("status_turn", turns)):
        middle = {name: {kind: median(values) * 1000 for kind, values in each.items()} for name, each in took.items()}
        ratios = {
            build: middle[f"{build}-{many}"]["seconds"] / middle[f"{build}-{FEW}"]["seconds"] for build in (OURS, OLD)
        }
        yield Figure(
            figure=f"{what}_with_{many}_orders",
            value=round(ratios[OURS], 2),
            unit=f"times its seconds with {FEW} orders",
            bar="<= 1.3",
            holds=ratios[OURS] <= 1.3,
            peers={OLD: round(ratios[OLD], 2)},
            note=f"ms, and ms of processor, medians of {times} in turn: "
            + ", ".join(f"{name} {each['seconds']:.1f}, {each['cpu']:.1f}" for name, each in middle.items()),
        )


def _fill(folders: list[Path], build: Build, orders: tuple[int, ...]) -> None:
    """Shops of a build with so many orders, in folders, made of one that was at work."""
    template = folders[0].with_name("template")
    contender = Contender("growing", build, template, [])
    try:
        contender.ready()
        contender.ask("work")
    finally:
        contender.end()
    for folder, count in zip(folders, orders, strict=True):
        began = time.monotonic()
        shutil.copytree(template, folder)
        rows = multiply(folder / "ledger.db", count)
        progress(f"size: {rows} rows more for {folder.name} orders, in {time.monotonic() - began:.0f} s")
    shutil.rmtree(template)


def talk(run: Run) -> Iterator[Figure]:
    """One conversation of 200 turns and more, against the fifth turn of short ones."""
    late = 40 if run.quick else 200
    builds = {name: ("growing", build) for name, (_, build) in run.builds().items()}
    early: dict[str, dict[str, list[float]]] = {}
    last: dict[str, dict[str, list[float]]] = {}
    with started(run.folder / "talk", builds) as running:
        for name, contender in running.items():
            progress(f"talk: {name}, {late + _WIDTH} turns")
            short = [contender.ask("conversation", name=f"short-{number}", turns=7) for number in range(8)]
            long = contender.ask("conversation", name="long", turns=late + _WIDTH)
            early[name] = {what: [value for each in short for value in each[what][2:7]] for what in long}
            last[name] = {what: values[late - _WIDTH :] for what, values in long.items()}
    for what, unit, average in (
        ("bytes", "bytes of checkpoints written", mean),  # a turn now and then may write all that was said
        ("seconds", "seconds", median),
    ):
        ratios = {name: average(last[name][what]) / average(early[name][what]) for name in builds}
        yield Figure(
            figure=f"turn_{late}_{what}",
            value=round(ratios[OURS], 2),
            unit=f"times the {unit} of turn 5",
            bar="<= 1.5",
            holds=ratios[OURS] <= 1.5,
            peers={OLD: round(ratios[OLD], 2)},
            note=f"{average.__name__} of {2 * _WIDTH} turns about it and of 40 about the fifth: "
            + "; ".join(
                f"{name} {average(last[name][what]):.5g} and {average(early[name][what]):.5g}" for name in builds
            ),
        )


def _in_turn(running: Mapping[str, Contender], what: str, times: int) -> dict[str, dict[str, list[float]]]:
    """So many of each, in three turns, after one that does not count."""
    took: dict[str, dict[str, list[float]]] = {name: {"seconds": [], "cpu": []} for name in running}
    for turn in range(4):
        for name in list(running) if turn % 2 else reversed(list(running)):
            count = times // 3 if turn else 3
            asked = {"name": f"turn-{turn}"} if what == "status_turns" else {}
            found = running[name].ask(what, count=count, **asked)
            if what == "passes":
                _check(found["report"])
            progress(f"{what} {turn}/3 {name}: {_ms(found['seconds'])} ms")
            for kind in ("seconds", "cpu") if turn else ():
                took[name][kind] += found[kind]
    return took


def _check(report: dict[str, dict[str, Any]]) -> None:
    """Raise `RuntimeError` unless the reconciler found what there is, and no job failed."""
    if any("failed" in job for job in report.values()) or set(report["orders"].values()) != {"at work"}:
        raise RuntimeError(f"the reconciler found something else: {report}")


def _ms(seconds: list[float]) -> str:
    return f"{median(seconds) * 1000:.1f}"
