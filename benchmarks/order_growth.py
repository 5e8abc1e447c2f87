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
_EARLY: Final = slice(2, 7)
"""Turns 3 to 7: about the fifth."""
_WIDTH: Final = 20


def size(run: Run) -> Iterator[Figure]:
    """A pass of the reconciler, and a question about an order, with few and with many orders in the ledger."""
    many = MANY // 10 if run.quick else MANY
    template = run.folder / "size" / "template"
    _ask_once(template, run.ours, "work")
    grown = {}
    for name, orders in (("few", FEW), ("many", many)):
        began = time.monotonic()
        grown[name] = shutil.copytree(template, run.folder / "size" / name)
        rows = multiply(grown[name] / "ledger.db", orders)
        progress(f"size: a ledger of {orders} orders, {rows} rows more, in {time.monotonic() - began:.0f} s")
    times = 10 if run.quick else 30
    with busy_platform() as url:
        contenders = dict.fromkeys(grown, ("growing", run.ours))
        with started(run.folder / "size", contenders, "sqlite", "--platform-url", url) as running:
            passes = _in_turn(running, "passes", times)
            turns = _in_turn(running, "status_turns", times)
    for what, took in (("reconciler_pass", passes), ("status_turn", turns)):
        ratio = median(took["many"]["seconds"]) / median(took["few"]["seconds"])
        cpu = median(took["many"]["cpu"]) / median(took["few"]["cpu"])
        yield Figure(
            figure=f"{what}_with_{many}_orders",
            value=round(ratio, 2),
            unit=f"times its seconds with {FEW} orders",
            bar="<= 1.3",
            holds=ratio <= 1.3,
            note=f"medians of {times}, in turn: {_ms(took['many']['seconds'])} and {_ms(took['few']['seconds'])} ms; "
            f"processor {_ms(took['many']['cpu'])} and {_ms(took['few']['cpu'])} ms, {cpu:.2f} times",
        )


def talk(run: Run) -> Iterator[Figure]:
    """One conversation of 200 turns and more, against its fifth turn."""
    late = 40 if run.quick else 200
    found: dict[str, dict[str, Any]] = {}
    builds = {name: ("growing", build) for name, (_, build) in run.builds().items()}
    with started(run.folder / "talk", builds) as running:
        for name, contender in running.items():
            progress(f"talk: {name}, {late + _WIDTH} turns")
            found[name] = contender.ask("conversation", turns=late + _WIDTH)
    about = slice(late - _WIDTH, late + _WIDTH)
    for what, unit, average in (("bytes", "bytes of checkpoints written", mean), ("seconds", "seconds", median)):
        taken = {name: (average(each[what][about]), average(each[what][_EARLY])) for name, each in found.items()}
        ratios = {name: last / first for name, (last, first) in taken.items()}
        digits = 0 if what == "bytes" else 4
        yield Figure(
            figure=f"turn_{late}_{what}",
            value=round(ratios[OURS], 2),
            unit=f"times the {unit} of turn 5",
            bar="<= 1.5",
            holds=ratios[OURS] <= 1.5,
            peers={OLD: round(ratios[OLD], 2)},
            note=f"{average.__name__} of {2 * _WIDTH} turns about it and of 5 about the fifth: "
            + ", ".join(f"{name} {last:.{digits}f} and {first:.{digits}f}" for name, (last, first) in taken.items()),
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


def _ask_once(folder: Path, build: Build, what: str) -> None:
    contender = Contender("growing", build, folder, [])
    try:
        contender.ready()
        contender.ask(what)
    finally:
        contender.end()


def _ms(seconds: list[float]) -> str:
    return f"{median(seconds) * 1000:.1f}"
