"""The live inbox on a terminal: a list of the open requests, one of them in full, and its answer by keys (`form`).

It looks again every few seconds. What was seen last stays on the screen while the server is away, nothing but the
reader's own keys moves the focus, and an answer is for what they have read.
"""

import asyncio
from datetime import UTC, datetime
from typing import Any, ClassVar

from rich.console import Group
from rich.text import Text
from textual.app import App, ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.screen import Screen
from textual.widgets import DataTable, Footer, Static

from agent.approvals.models import ApprovalView, Decision, QuestionView
from agent.client.connection import DeskError, ExitCode
from agent.client.form import Form, Progress
from agent.client.inbox import Pending, UnavailableError, ask_customer, find, listed, patiently, questions, send
from agent.client.layout import COLUMNS, came_of_it, details, line
from agent.client.session import Session
from agent.client.show import one_line


class Watch(App[DeskError]):
    """What was seen last, and the screens that show it. Returns the error that ended it, if one did."""

    ENABLE_COMMAND_PALETTE = False
    BINDINGS: ClassVar[list[BindingType]] = [Binding("q", "quit", "Quit")]
    CSS = """
    .status { height: 1; padding: 0 1; background: $panel; }
    VerticalScroll { padding: 0 1; }
    """

    def __init__(self, session: Session, role: str | None, limit: int, every: float) -> None:
        super().__init__()
        self.session = session
        self.open: dict[str, Pending] = {}
        self.told = ""
        self._role, self._limit, self._every = role, limit, every
        self._seen: datetime | None = None
        self._away = ""
        self._more = False
        self._at_once = asyncio.Event()

    async def on_mount(self) -> None:
        """Show the list, and begin to look."""
        await self.push_screen(Listing())
        self.run_worker(self._look_again_and_again())

    async def _look_again_and_again(self) -> None:
        while True:
            self._at_once.clear()
            try:
                async with patiently(self.session):
                    requests, self._more = await listed(self.session.client, self._role, self._limit)
            except UnavailableError as error:
                self._away = error.message
            except DeskError as error:
                self.exit(error)
                return
            else:
                self.open = {request.view["request_id"]: request for request in requests}
                self._seen, self._away = datetime.now(UTC), ""
            for screen in self.screen_stack:
                if isinstance(screen, Listing | Detail):
                    screen.seen()
            try:
                async with asyncio.timeout(self._every):
                    await self._at_once.wait()
            except TimeoutError:
                pass

    def done(self, told: str | None) -> None:
        """Back from a form: say what came of it, if it was sent, and look at once."""
        if told is not None:
            self.told = told
            self._at_once.set()

    def status(self) -> Text:
        """One line: that the server is away, or what came of the last answer; and as of when this is."""
        seen = self._seen.astimezone().strftime("as of %H:%M:%S") if self._seen else "not seen yet"
        if self._away:
            return Text(f"The server is away, trying again ({seen}): {one_line(self._away)}", "bold red")
        more = " (and more: --limit)" if self._more else ""
        return Text(f"{len(self.open)} open{more}, {seen}. {one_line(self.told)}")


class Listing(Screen[None]):
    """The open requests, one a line. The selection stays with its request, wherever that moves."""

    app: Watch
    BINDINGS: ClassVar[list[BindingType]] = [Binding("enter", "read", "Read", priority=True)]

    def __init__(self) -> None:
        super().__init__()
        self._table = DataTable[Text](cursor_type="row", zebra_stripes=True)
        self._status = Static(classes="status")
        self._shown: dict[str, tuple[str, ...]] = {}

    def compose(self) -> ComposeResult:
        """The table, and what there is to say."""
        yield from (self._table, self._status, Footer())

    def on_mount(self) -> None:
        """Columns as `desk approvals list` has them."""
        self._table.add_columns(*COLUMNS[:-1])
        self._table.add_column(COLUMNS[-1], width=len("9999 d overdue"))  # by itself it may stay too narrow

    def seen(self) -> None:
        """Show what was seen last."""
        self._status.update(self.app.status())
        now = datetime.now(UTC)
        rows = {
            request_id: tuple(map(one_line, line(request.view, now))) for request_id, request in self.app.open.items()
        }
        if list(rows.items()) == list(self._shown.items()):
            return
        at, scrolled = self._table.cursor_row, self._table.scroll_y
        selected = list(self._shown)[at] if self._shown else None
        with self.app.batch_update():
            self._table.clear()
            for request_id, cells in rows.items():
                self._table.add_row(*map(Text, cells), key=request_id)
            self._table.scroll_to(y=scrolled, animate=False)
            self._table.move_cursor(row=list(rows).index(selected) if selected in rows else at)
        self._shown = rows

    async def action_read(self) -> None:
        """Open the request under the cursor."""
        if self._shown:
            request_id = list(self._shown)[self._table.cursor_row]
            await self.app.push_screen(Detail(self.app.open[request_id].view))

    async def on_data_table_row_selected(self) -> None:
        """A click reads as well."""
        await self.action_read()


class Detail(Screen[None]):
    """One request in full, as it stands; an answer is for what was shown when it was begun."""

    app: Watch
    BINDINGS: ClassVar[list[BindingType]] = [
        # with priority they are done before the next key is looked at: it goes to the form
        Binding("a", "answer('approve')", "Approve", priority=True),
        Binding("r", "answer('reject')", "Reject", priority=True),
        Binding("e", "answer('edit')", "Edit", priority=True),
        Binding("c", "ask", "Ask the customer", priority=True),
        Binding("escape", "app.pop_screen", "Back"),
    ]

    def __init__(self, view: ApprovalView) -> None:
        super().__init__()
        self.view = view
        self._asked: list[QuestionView] = []
        self._news, self._request, self._status = Static(), Static(), Static(classes="status")

    def compose(self) -> ComposeResult:
        """All of the request, and what there is to say."""
        yield VerticalScroll(self._news, self._request)
        yield from (self._status, Footer())

    def on_mount(self) -> None:
        """Show what the list knows, and ask for the rest."""
        self.seen()

    def seen(self) -> None:
        """Show what was seen last, then what the customer has said meanwhile."""
        if now := self.app.open.get(self.view["request_id"]):
            self.view = now.view
        self._show()
        # not a coroutine: one that is never started, because the screen closes first, would be left behind
        self.run_worker(self._read_questions, exclusive=True)  # type: ignore[arg-type]  # its stubs know no `async def`

    async def _read_questions(self) -> None:
        try:
            async with patiently(self.app.session):
                self._asked = await questions(self.app.session.client, self.view["request_id"])
        except DeskError as error:
            self._show(f"What the customer was asked can't be read just now: {error.message}")
        else:
            self._show()

    def _show(self, trouble: str = "") -> None:
        gone = self.view["request_id"] not in self.app.open
        news = "This does not wait here any more: it was decided, or is being worked on." if gone else trouble
        self._news.update(Text(one_line(news), "bold yellow"))
        self._request.update(Group(*details(self.view, self._asked, datetime.now(UTC))))
        self._status.update(self.app.status())

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Only the answers that this request takes."""
        return action != "answer" or parameters[0] in self.view["review_configs"][0]["allowed_decisions"]

    async def action_answer(self, decision: Decision) -> None:
        """Type what an answer needs."""
        shown = self.view
        args = shown["action_requests"][0]["args"] if decision == "edit" else {}
        fields = {name: one_line(str(value)) for name, value in args.items()}
        label = "the reason" if decision == "reject" else "a note, if you like"

        async def send_it(typed: dict[str, str], progress: Progress) -> str:
            arguments = {name: typed[name] if typed[name] != fields[name] else args[name] for name in fields}
            return await self._send(shown, decision, typed[label], progress, arguments)

        title = f"{decision.capitalize()} {shown['request_id']}"
        await self.app.push_screen(Form(self.app.session.url, title, {**fields, label: ""}, send_it), self._sent)

    async def _send(
        self, shown: ApprovalView, decision: Decision, note: str, progress: Progress, arguments: dict[str, Any]
    ) -> str:
        """Answer what was shown, where it waits now: meanwhile it may have been asked again."""
        client = self.app.session.client
        request = await find(client, shown["request_id"])
        if request.view.get("token", request.view["action_hash"]) != shown.get("token", shown["action_hash"]):
            raise DeskError("the action has changed since you read it; go back and read it again", ExitCode.REFUSED)
        outcome = await send(client, request, decision, progress, note=note, arguments=arguments or None)
        return f"{shown['request_id']}: {' '.join(came_of_it(request.view, outcome))}"

    async def action_ask(self) -> None:
        """Type a question to the customer."""
        request_id = self.view["request_id"]

        async def ask_it(typed: dict[str, str], _: Progress) -> str:
            await ask_customer(self.app.session.client, request_id, typed["the question"])
            return f"{request_id}: asked, in the customer's conversation; the answer will stand here."

        title = f"Ask the customer about {request_id}"
        await self.app.push_screen(Form(self.app.session.url, title, {"the question": ""}, ask_it), self.app.done)

    def _sent(self, told: str | None) -> None:
        self.app.done(told)
        if told is not None:
            self.app.pop_screen()
