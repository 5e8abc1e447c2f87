"""How things look: amounts, times, tables, and the screen they go to.

What the server sends is shown, never obeyed: control and format characters are dropped, markup is not read.
Nothing here talks to the server.
"""

import json
import math
import unicodedata
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Final

from rich import box
from rich.console import Console, RenderableType
from rich.table import Table
from rich.text import Text

from agent.approvals.models import ApprovalView
from agent.money import format_money

_FILE_WIDTH = 200  # where no terminal folds the lines, a table is as wide as its content, within this
_KEPT = "\n\t\u200c\u200d"  # Persian, Hindi and emoji are written with the two joiners


class Screen:
    """Results go to stdout, progress and errors to stderr; with `as_json`, one JSON document a line."""

    def __init__(self, *, as_json: bool) -> None:
        self.as_json = as_json
        self._out = _console(stderr=False)
        self.err = _console(stderr=True)

    @property
    def live(self) -> bool:
        """Whether progress may be drawn over itself on `err`: people watch, on a terminal."""
        return not self.as_json and self.err.is_terminal

    def document(self, value: object) -> None:
        """Print a result for programs; only with --json."""
        if self.as_json:
            _dump(self._out, value)

    def print(self, *parts: RenderableType) -> None:
        """Print a result for people; not with --json."""
        if not self.as_json:
            for part in parts:
                _print(self._out, part)

    def progress(self, text: str) -> None:
        """Print what is going on for people, dimmed; not with --json."""
        if not self.as_json:
            _print(self.err, Text(one_line(text), "dim"))

    def more(self, shown: int, how: str) -> None:
        """Say on stderr, to people and to programs, that a list goes on, and the option that gives the rest."""
        if self.as_json:
            _dump(self.err, {"more": True, "shown": shown, "next": how})
        else:
            self.progress(f"There are more than these {shown}: {how}")

    def error(self, message: str, code: int) -> None:
        """Print why the command ends."""
        if self.as_json:
            _dump(self.err, {"error": message, "code": int(code)})
        else:
            _print(self.err, Text(f"desk: {one_line(message)}", "red"))


def _console(*, stderr: bool) -> Console:
    console = Console(stderr=stderr, highlight=False)
    if not console.is_terminal:
        console.width = _FILE_WIDTH
    return console


def _print(console: Console, part: RenderableType) -> None:
    console.print(part, soft_wrap=isinstance(part, Text) and not console.is_terminal)


def _dump(console: Console, value: object) -> None:
    console.file.write(json.dumps(value) + "\n")
    console.file.flush()


def clean(value: object) -> str:
    """`value` as text without the characters that steer a terminal, or hide or reorder text."""
    return "".join(c for c in str(value) if c in _KEPT or unicodedata.category(c) not in {"Cc", "Cf", "Cs"})


def one_line(value: object) -> str:
    """`value` as clean text on one line."""
    return " ".join(clean(value).split())


def plain(value: object, style: str = "") -> Text:
    """`value` as clean text, which rich prints as it is."""
    return Text(clean(value), style)


def table(columns: Sequence[str], rows: Iterable[Sequence[object]], title: str | None = None) -> Table:
    """A table of one-line cells. Nothing is cut off: what does not fit is folded."""
    made = Table(box=box.SIMPLE_HEAD, pad_edge=False, title=title, title_justify="left")
    for column in columns:
        made.add_column(column, overflow="fold")
    for row in rows:
        made.add_row(*(Text(one_line(cell)) for cell in row))
    return made


def facts(pairs: Iterable[tuple[str, object]]) -> Table:
    """Names and values, one pair a line; a value that is None is left out."""
    grid = Table.grid(padding=(0, 2))
    grid.add_column(style="dim")
    grid.add_column(overflow="fold")
    for name, value in pairs:
        if value is not None:
            grid.add_row(name, Text(one_line(value)))
    return grid


def amount_of(view: ApprovalView) -> str | None:
    """The amount of money among a request's arguments, if it has one."""
    [action], currency = view["action_requests"], view.get("currency", ONLY_CURRENCY)
    amount = action["args"].get("amount", action["args"].get("total"))
    return format_money(amount, currency) if isinstance(amount, int) else amount and f"{amount} {currency}"


ONLY_CURRENCY: Final = "USD"
"""Of what a server of an earlier release shows."""


def due_in(due: str, now: datetime) -> str:
    """How far `due` (ISO 8601) is from `now`: `in 3 h`, `2 h overdue`."""
    seconds = int((datetime.fromisoformat(due) - now).total_seconds())
    far = duration(abs(seconds)) if abs(seconds) >= 60 else "0 min"
    return f"in {far}" if seconds >= 0 else f"{far} overdue"


def duration(seconds: float) -> str:
    """A time in its largest fitting unit: `5 s`, `3 min`, `7 h`, `2 d`."""
    if seconds < 60:
        return f"{math.ceil(seconds)} s"
    minutes = int(seconds) // 60
    if minutes < 60:
        return f"{minutes} min"
    return f"{minutes // 60} h" if minutes < 48 * 60 else f"{minutes // (24 * 60)} d"


def waits(view: ApprovalView) -> str:
    """Who an open request waits for, in one phrase."""
    roles, step = " or ".join(view["roles"]), f", step {view['step']} of {view['steps']}" if "step" in view else ""
    return f"waits for approval by {roles} (request {view['request_id']}{step})"
