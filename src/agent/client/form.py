"""Lines to type on the live inbox, and the sending of them. What they mean is for who asks (`watch`)."""

from collections.abc import Awaitable, Callable
from typing import ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Input, Label, Static

from agent.client.connection import DeskError, explained
from agent.client.show import one_line, plain

Progress = Callable[[str], None]
Send = Callable[[dict[str, str], Progress], Awaitable[str]]
"""Takes what was typed, by field, and returns what came of it. Raises `DeskError`."""


class Form(ModalScreen[str]):
    """Lines to type, and the sending of them. One that could not be sent is left as it was typed."""

    CSS = """
    Form { align: center bottom; }
    Form > Vertical { height: auto; max-height: 100%; padding: 0 1; border: round $primary; background: $surface; }
    Form Input { border: none; height: 1; background: $boost; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "leave", "Back")]

    def __init__(self, url: str, title: str, fields: dict[str, str], send: Send) -> None:
        super().__init__()
        self._url, self._title, self._send = url, title, send
        self._lines = {name: Input(value, select_on_focus=False) for name, value in fields.items()}
        self._said = Static()

    def compose(self) -> ComposeResult:
        """A line for each field."""
        with Vertical():
            yield Label(plain(f"{self._title} (Enter: next, then send; Escape: leave it)", "bold"))
            for name, typed in self._lines.items():
                yield Label(plain(one_line(name), "dim"))
                yield typed
            yield self._said

    async def on_input_submitted(self, event: Input.Submitted) -> None:
        """The next line; after the last one, send."""
        if event.input is not list(self._lines.values())[-1]:
            self.focus_next(Input)
            return
        self._let_type(yes=False)
        self._say("sending …")
        self.run_worker(self._try({name: typed.value for name, typed in self._lines.items()}))

    async def _try(self, typed: dict[str, str]) -> None:
        try:
            with explained(self._url):
                told = await self._send(typed, self._say)
        except DeskError as error:
            self._let_type(yes=True)
            list(self._lines.values())[-1].focus()
            self.app.call_later(self._say, error.message, "bold red")  # once that line is focused, and hears Enter
        else:
            self.dismiss(told)

    def _let_type(self, *, yes: bool) -> None:
        for typed in self._lines.values():
            typed.disabled = not yes

    def _say(self, text: str, style: str = "") -> None:
        self._said.update(Text(one_line(text), style))

    def action_leave(self) -> None:
        """Go back without sending; what is being sent is waited for."""
        if not any(typed.disabled for typed in self._lines.values()):
            self.dismiss(None)
