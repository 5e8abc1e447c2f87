"""`desk approvals`: the requests that wait for people, and our answers to them.

A request is found by its id among the interrupted threads; who may answer it is for the server to say.
"""

from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Any

import typer
from langgraph_sdk.client import LangGraphClient
from rich.console import RenderableType

from agent.approvals.models import NOTE_LIMIT, ApprovalView, Decision, decision_payload
from agent.client.connection import DeskError, ExitCode
from agent.client.runs import Outcome, follow, is_approval, parse_json
from agent.client.session import Session, remote
from agent.client.show import amount_of, due_in, facts, plain, table, waits

PAGE = 100

app = typer.Typer(no_args_is_help=True, help="See what waits for a person's yes, and answer.")

RequestId = Annotated[str, typer.Argument(metavar="ID", help="The request's id, as the list shows it.")]
Note = Annotated[str, typer.Option(metavar="TEXT", help="Kept with the decision.")]
Changes = Annotated[
    list[str], typer.Option("--set", metavar="KEY=VALUE", help="A changed argument: JSON, or else text.")
]
ForRole = Annotated[str | None, typer.Option(metavar="ROLE", help="Only what waits for this role.")]


@dataclass(frozen=True)
class Pending:
    """An open request, and where its answer goes."""

    thread_id: str
    graph: str
    interrupt_id: str
    view: ApprovalView


@app.command(name="list")
@remote(default_role=None)
async def list_(session: Session, role: ForRole = None) -> None:
    """List the open requests, the most urgent first."""
    found = [request.view async for request in _pending(session.client)]
    views = [view for view in found if role is None or role in view["roles"]]
    views.sort(key=lambda view: datetime.fromisoformat(view["due"]))
    session.screen.document(views)
    now = datetime.now(UTC)
    session.screen.print(overview(views, now) if views else plain("Nothing waits for approval.", "dim"))


@app.command()
@remote(default_role=None)
async def show(session: Session, request_id: RequestId) -> None:
    """Show one request with everything that is asked."""
    view = (await _find(session.client, request_id)).view
    session.screen.document(view)
    session.screen.print(*details(view, datetime.now(UTC)))


@app.command()
@remote(default_role=None)
async def approve(session: Session, request_id: RequestId, note: Note = "") -> None:
    """Say yes to a request."""
    await _answer(session, await _find(session.client, request_id), "approve", note)


@app.command()
@remote(default_role=None)
async def reject(session: Session, request_id: RequestId, note: Note) -> None:
    """Say no to a request, and why."""
    if not note.strip():
        raise DeskError("a rejection needs its reason: --note TEXT", ExitCode.USAGE)
    await _answer(session, await _find(session.client, request_id), "reject", note)


@app.command()
@remote(default_role=None)
async def edit(session: Session, request_id: RequestId, changes: Changes, note: Note = "") -> None:
    """Say yes to a request with changed arguments; the yeses before it are void."""
    request = await _find(session.client, request_id)
    arguments = changed(request.view["action_requests"][0]["args"], changes)
    await _answer(session, request, "edit", note, arguments)


async def _pending(client: LangGraphClient) -> AsyncIterator[Pending]:
    offset = 0
    while page := await client.threads.search(status="interrupted", limit=PAGE, offset=offset):
        for thread in page:
            graph = (thread["metadata"] or {}).get("graph_id", "")
            for interrupt in (each for task in thread["interrupts"].values() for each in task):
                if is_approval(interrupt["value"]):
                    yield Pending(thread["thread_id"], graph, interrupt["id"], interrupt["value"])
        offset += len(page)


async def _find(client: LangGraphClient, request_id: str) -> Pending:
    async for request in _pending(client):
        if request.view["request_id"] == request_id:
            return request
    raise DeskError(
        f"not found: no open request {request_id}; `desk approvals list` shows the open ones",
        ExitCode.NOT_FOUND,
    )


def changed(args: dict[str, Any], changes: list[str]) -> dict[str, Any]:
    """`args` with each `key=value` of `changes`. Raises `DeskError` (USAGE) for an unknown key."""
    result = dict(args)
    for change in changes:
        key, equals, value = change.partition("=")
        if not equals or key not in args:
            raise DeskError(f"--set {change}: give KEY=VALUE, KEY one of: {', '.join(args)}", ExitCode.USAGE)
        try:
            result[key] = parse_json(value)
        except ValueError:
            result[key] = value
    return result


async def _answer(
    session: Session, request: Pending, decision: Decision, note: str, arguments: dict[str, Any] | None = None
) -> None:
    if len(note) > NOTE_LIMIT:
        raise DeskError(f"the note is longer than {NOTE_LIMIT} characters", ExitCode.USAGE)
    name = request.view["action_requests"][0]["name"]
    payload = decision_payload(decision, name=name, note=note, arguments=arguments)
    outcome = await follow(
        session.client,
        request.thread_id,
        request.graph,
        session.screen.progress,
        command={"resume": {request.interrupt_id: payload}},
    )
    request_id, waiting = request.view["request_id"], outcome.waiting
    if waiting and waiting["request_id"] == request_id and waiting["refused"]:
        raise DeskError(f"your answer to {request_id} was not taken: {waiting['refused']}", ExitCode.REFUSED)
    session.screen.document(
        {
            "request_id": request_id,
            "decision": decision,
            "processing_stage": outcome.values.get("processing_stage"),
            "message": last_answer(outcome),
            "waiting": waiting,
        }
    )
    session.screen.print(*map(plain, came_of_it(request.view, outcome)))


def last_answer(outcome: Outcome) -> str | None:
    """The last thing that the desk said in a conversation; None where there is none."""
    messages = outcome.values.get("messages", [])
    return next((message["content"] for message in reversed(messages) if message["type"] == "ai"), None)


def came_of_it(view: ApprovalView, outcome: Outcome) -> Iterator[str]:
    """What a recorded answer to `view` led to, for people."""
    waiting = outcome.waiting
    if waiting and waiting["request_id"] == view["request_id"]:
        yield f"Recorded; the request now {waits(waiting)}."
        return
    if answer := last_answer(outcome):
        yield f"Recorded; the customer is told: {answer}"
    else:
        yield f"Recorded; order {view['order_id']}: {outcome.values['processing_stage']}."
    if waiting:
        yield f"Another request {waits(waiting)}."


def overview(views: list[ApprovalView], now: datetime) -> RenderableType:
    """The open requests, one a line."""
    rows = []
    for view in views:
        action = view["action_requests"][0]
        rows.append(
            (
                view["request_id"],
                action["name"],
                amount_of(action["args"]) or "",
                view["order_id"] or view["subject"],
                f"{view['step']}/{view['steps']}",
                ", ".join(view["roles"]),
                due_in(view["due"], now),
            )
        )
    return table(["request", "action", "amount", "about", "step", "waits for", "due"], rows)


def details(view: ApprovalView, now: datetime) -> Iterator[RenderableType]:
    """One request laid out to read: the facts, what it says, and the arguments that an edit may change."""
    action = view["action_requests"][0]
    yield facts(
        [
            ("request", view["request_id"]),
            ("action", action["name"]),
            ("amount", amount_of(action["args"])),
            ("case", view["case"]),
            ("customer", view["subject"]),
            ("order", view["order_id"]),
            ("asked by", view["asked_by"]),
            ("waits for", f"{' or '.join(view['roles'])}, step {view['step']} of {view['steps']}"),
            ("due", f"{due_in(view['due'], now)} ({view['due']})"),
            ("status", view["status"]),
            ("note", view["note"] or None),
            ("last answer", view["refused"] and f"not taken: {view['refused']}"),
            ("may be answered", ", ".join(view["review_configs"][0]["allowed_decisions"])),
        ]
    )
    yield plain(f"\n{action['description']}\n")
    yield table(["argument", "value"], action["args"].items())
