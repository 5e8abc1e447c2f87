"""How the story is told: scenes are played side by side, and told one after another, in order.

Lines and outcomes go through here to the terminal, or as JSON lines to a program. What happens lives elsewhere.
"""

import asyncio
import json
import re
from collections.abc import AsyncIterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from itertools import groupby
from operator import itemgetter
from typing import Literal

from rich import box
from rich.console import Console
from rich.panel import Panel
from rich.rule import Rule
from rich.table import Table
from rich.text import Text

from agent.client.show import clean

Voice = Literal["customer", "desk", "staff", "shop", "note"]

_STYLES: dict[Voice, str] = {
    "customer": "bold cyan",
    "desk": "green",
    "staff": "bold magenta",
    "shop": "blue",
    "note": "italic yellow",
}
_WIDTH = 100
_NAMES = 16  # the longest is finance_director


@dataclass(frozen=True)
class Line:
    """Something said or done, by whom."""

    voice: Voice
    who: str
    text: str


@dataclass(frozen=True)
class Outcome:
    """What was to be checked, and whether it came as it should."""

    what: str
    expected: str
    happened: str

    @property
    def ok(self) -> bool:
        """Whether it came as expected."""
        return self.expected == self.happened


class Scene:
    """What happens in one place, kept until its turn to be told comes."""

    def __init__(self) -> None:
        self._told: asyncio.Queue[Line | Outcome | None] = asyncio.Queue()

    def say(self, voice: Voice, who: str, text: str) -> None:
        """Somebody says or does something."""
        self._told.put_nowait(Line(voice, who, text))

    def note(self, text: str) -> None:
        """The storyteller says what goes on."""
        self.say("note", "", text)

    def check(self, what: str, *, expected: str, happened: str) -> None:
        """Hold what happened against what was expected."""
        self._told.put_nowait(Outcome(what, expected, happened))

    def end(self) -> None:
        """Nothing more comes."""
        self._told.put_nowait(None)

    async def __aiter__(self) -> AsyncIterator[Line | Outcome]:
        while (item := await self._told.get()) is not None:
            yield item


class Teller:
    """Tells the story on stdout: for people, or with `as_json` its outcomes alone, one JSON document a line."""

    def __init__(self, *, as_json: bool) -> None:
        self._as_json = as_json
        self._console = Console(highlight=False, quiet=as_json)
        self._console.width = min(self._console.width, _WIDTH)
        self._chapter = ""
        self._outcomes: list[tuple[str, Outcome]] = []

    @property
    def all_ok(self) -> bool:
        """Whether everything was as expected so far."""
        return all(outcome.ok for _, outcome in self._outcomes)

    def opening(self, title: str, text: str) -> None:
        """The title page."""
        self._console.print(Panel(Text(text), title=Text(title, "bold"), box=box.ROUNDED, padding=(1, 2)))

    def chapter(self, number: int, title: str, text: str) -> None:
        """A chapter begins."""
        self._chapter = title
        self._console.print()
        self._console.print(Rule(Text(f"{number} · {title}", "bold"), align="left", style="dim"))
        self._console.print(Text(text, "dim"))

    def between_scenes(self) -> None:
        """Some air."""
        self._console.print()

    def waiting(self, text: str) -> AbstractContextManager[object]:
        """Show, on a terminal, what is being waited for."""
        return self._console.status(Text(text, "dim")) if self._console.is_terminal else nullcontext()

    def tell(self, item: Line | Outcome) -> None:
        """Tell one thing."""
        if isinstance(item, Line):
            words = Text(clean(item.text), _STYLES["note"] if item.voice == "note" else "")
            self._row(Text(item.who, _STYLES[item.voice]), words)
            return
        self._outcomes.append((self._chapter, item))
        if self._as_json:
            self._dump(item)
        happened = item.happened if item.ok else f"{item.happened}, where {item.expected} was expected"
        self._row(_mark(item), Text(f"{item.what}: {happened}", "" if item.ok else "red"))

    def _row(self, who: Text, words: Text) -> None:
        """A name and, beside it, what is said; without the trailing blanks of a table."""
        lines = words.wrap(self._console, self._console.width - _NAMES - 2)
        for number, line in enumerate(lines):
            name = who.copy() if number == 0 else Text()
            name.align("right", _NAMES)
            self._console.print(Text.assemble(name, "  ", line))

    def _dump(self, outcome: Outcome) -> None:
        document = {
            "chapter": self._chapter,
            "what": outcome.what,
            "expected": outcome.expected,
            "happened": outcome.happened,
            "ok": outcome.ok,
        }
        self._console.file.write(json.dumps(document) + "\n")
        self._console.file.flush()

    def summary(self, seconds: float) -> None:
        """Everything that was checked, in one table."""
        table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False, padding=(0, 1, 0, 0), expand=True)
        for name, ratio in (("", None), ("what", 1), ("expected", None), ("happened", None)):
            table.add_column(name, ratio=ratio)
        for title, outcomes in groupby(self._outcomes, key=itemgetter(0)):
            table.add_row("", Text(title, "bold"))
            for _, outcome in outcomes:
                table.add_row(_mark(outcome), outcome.what, outcome.expected, outcome.happened)
            table.add_section()
        self._console.print()
        self._console.print(Rule(Text("Summary", "bold"), align="left", style="dim"))
        self._console.print(table)
        good = sum(outcome.ok for _, outcome in self._outcomes)
        verdict = f"{good} of {len(self._outcomes)} as expected, in {seconds:.0f} s."
        self._console.print()
        self._console.print(Text(verdict, "bold green" if self.all_ok else "bold red"))


def _mark(outcome: Outcome) -> Text:
    return Text("✓", "bold green") if outcome.ok else Text("✗", "bold red")


def shortened(markdown: str, paragraphs: int = 2) -> str:
    """The first paragraphs of a text, each on one line but for its lists."""
    all_of_it = re.sub(r"(?<!\n)\n(?![\n-])", " ", markdown).split("\n\n")
    return "\n\n".join(all_of_it[:paragraphs]) + (" […]" if len(all_of_it) > paragraphs else "")
