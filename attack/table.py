"""The table of the ways: what became of each at an ordinary gate, and at ours. Measured in `findings`."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich import box
from rich.markdown import Markdown
from rich.table import Table

from attack.findings import Finding
from attack.ways import WAYS, Way

_PLACE = re.compile(r"(<!-- attack -->\n).*?(<!-- /attack -->)", re.DOTALL)


@dataclass(frozen=True)
class Row:
    """One way, and what came of it."""

    way: Way
    ordinary: Finding
    ours: tuple[Finding, ...]

    @property
    def held(self) -> bool:
        """Whether ours held, whatever was at the gate."""
        return all(finding.held for finding in self.ours)

    @property
    def told(self) -> str:
        """What came of it at ours: what went wrong, or else what was let in, if anything was."""
        wrong = [f"{finding.kind}: {finding.told}" for finding in self.ours if not finding.held]
        return "; ".join(wrong) or max(self.ours, key=lambda finding: finding.let_in).told

    def as_dict(self) -> dict[str, Any]:
        """For programs."""
        return {
            "way": self.way.number,
            "title": self.way.title,
            "held": self.held,
            "ordinary": self.ordinary.as_dict(),
            "ours": [finding.as_dict() for finding in self.ours],
        }


def rows(ordinary: Sequence[Finding], ours: Sequence[Finding]) -> list[Row]:
    """A row a way, in order."""
    theirs = {finding.way: finding for finding in ordinary}
    return [Row(way, theirs[way], tuple(each for each in ours if each.way is way)) for way in WAYS]


def for_people(found: Sequence[Row]) -> Table:
    """The table for a terminal."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0), expand=True)
    table.add_column("", justify="right")
    for name, ratio in (("the way", 5), ("an ordinary gate", 4), ("", None), ("ours", 4)):
        table.add_column(name, ratio=ratio)
    for row in found:
        cells = [Markdown(row.way.title), Markdown(row.ordinary.told)]
        table.add_row(str(row.way.number), *cells, _mark(row), Markdown(row.told))
    return table


def _mark(row: Row) -> str:
    return "[bold green]✓[/]" if row.held else "[bold red]✗[/]"


def markdown(found: Sequence[Row]) -> str:
    """The table for docs/security.md."""
    lines = ["| | the way | an ordinary gate | ours |", "|---:|---|---|---|"]
    for row in found:
        lines.append(f"| {row.way.number} | {row.way.title} | {row.ordinary.told} | {row.told} |")
    return "\n".join(lines)


def write_into(file: Path, found: Sequence[Row]) -> None:
    """Put the table between `<!-- attack -->` and `<!-- /attack -->`. Raises ValueError when there is no such place."""
    text, places = _PLACE.subn(lambda place: f"{place[1]}{markdown(found)}\n{place[2]}", file.read_text())
    if not places:
        raise ValueError(f"{file} has no <!-- attack --> … <!-- /attack -->")
    file.write_text(text)
