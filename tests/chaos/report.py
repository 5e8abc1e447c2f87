"""How a drill is told: a line of progress now and then, a table at the end, and one line that says it all."""

import json
import sys
from collections import Counter
from dataclasses import asdict
from time import monotonic
from typing import Any, Final

from rich import box
from rich.console import Console
from rich.table import Table

from tests.chaos.audit import Audit, Breach
from tests.chaos.drill import BOUNDARIES, PHASES, Record
from tests.chaos.people import People

EVERY: Final = 10.0
"""Seconds between two lines of progress."""


class Telling:
    """Tells a drill on stdout, its progress on stderr; with `as_json` one JSON document instead."""

    def __init__(self, *, as_json: bool) -> None:
        self._as_json = as_json
        self._console = Console(highlight=False, quiet=as_json)
        self._aside = Console(stderr=True, highlight=False)
        self._status = self._aside.status("")
        self._began = self._last = monotonic()

    def progress(self, record: Record, phase: str, orders: int) -> None:
        """Called after every life; on a terminal the line stays in its place, else there is one every few seconds."""
        now = monotonic()
        text = f"{now - self._began:5.0f} s  {len(record.kills)} kills, {orders} orders; the world: {phase}"
        if self._aside.is_terminal:
            self._status.start()
            self._status.update(text)
        elif now - self._last >= EVERY:
            self._last = now
            self._aside.print(text)

    def result(self, record: Record, people: People, audit: Audit, breaches: list[Breach]) -> None:
        """The tables, the breaches with their stories, and the last line."""
        self._status.stop()
        summary = _summary(record, people, audit, breaches)
        if self._as_json:
            sys.stdout.write(json.dumps(summary) + "\n")
            return
        if any(kill.where for kill in record.kills):
            self._console.print(_kills(record))
        self._console.print(_counts(summary))
        for breach in breaches:
            self._line(f"{breach.rule}: {breach.what}: {breach.found} (seed {record.seed})")
        for order_id in sorted({breach.what for breach in breaches} & (audit.orders.keys() | people.orders.keys())):
            self._line(f"\nThe story of {order_id}:")
            for part in audit.story(order_id):
                self._line(f"  {part}")
        self._line(
            f"{len(record.kills)} kills, {len(people.orders)} orders, {len(breaches)} violations, seed {record.seed}"
        )

    def _line(self, text: str) -> None:
        self._console.print(text, markup=False, soft_wrap=True)


def _summary(record: Record, people: People, audit: Audit, breaches: list[Breach]) -> dict[str, Any]:
    lives = len(record.kills)
    return {
        "seed": record.seed,
        "kills": lives,
        "orders": len(people.orders),
        "violations": [asdict(breach) | {"story": list(audit.story(breach.what))} for breach in breaches],
        "where": dict(Counter(str(kill.where or "at random") for kill in record.kills)),
        "phases": dict(Counter(kill.phase for kill in record.kills)),
        "stages": dict(Counter(order["stage"] for order in audit.orders.values())),
        "reasons": dict(Counter(order["reason"] for order in audit.orders.values() if order["reason"])),
        "injected": dict(record.injected),
        "answers": people.answers,
        "refusals": dict(people.refusals),
        "surprises": dict(people.surprises),
        "seconds": round(record.seconds, 1),
        "seconds_a_kill": round(record.seconds / max(1, lives), 2),
        "seconds_a_start": round(record.starting / max(1, lives), 2),
    }


def _kills(record: Record) -> Table:
    made = Counter((kill.where.node, kill.where.when) for kill in record.kills if kill.where)
    table = Table("killed at", "before", "after", box=box.SIMPLE_HEAD)
    for node in dict.fromkeys(node for node, _ in BOUNDARIES):
        table.add_row(node, str(made[node, "before"]), str(made[node, "after"]))
    table.add_row("a random moment", str(sum(kill.where is None for kill in record.kills)), "")
    return table


def _counts(summary: dict[str, Any]) -> Table:
    table = Table(box=box.SIMPLE_HEAD, show_header=False)
    table.add_column()
    table.add_column(overflow="fold")
    phases = {phase: summary["phases"].get(phase, 0) for phase in PHASES}
    for name, counts in (("kills by phase", phases), *((name, summary[name]) for name in _TOLD)):
        table.add_row(name, ", ".join(f"{count} {what}" for what, count in counts.items()) or "none")
    table.add_row(
        "seconds", f"{summary['seconds']}, {summary['seconds_a_kill']} a kill, {summary['seconds_a_start']} a start"
    )
    return table


_TOLD: Final = ("stages", "reasons", "injected", "refusals", "surprises")
"""Counts of the summary that get a line each."""
