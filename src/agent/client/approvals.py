"""`desk approvals`: the requests that wait for people, our answers to them, and our questions.

What is fetched and sent is in `inbox`, how it looks in `layout`, the live inbox in `watch`.
"""

import sys
from datetime import UTC, datetime
from typing import Annotated, Any

import typer

from agent.approvals.models import Decision
from agent.client.connection import DeskError, ExitCode
from agent.client.feed import feed
from agent.client.inbox import (
    MAX_LISTED,
    Pending,
    ask_customer,
    check_note,
    find,
    listed,
    look_up,
    questions,
    send,
    shown_now,
    story,
)
from agent.client.layout import came_of_it, details, last_answer, overview
from agent.client.session import Session, remote
from agent.client.show import plain

app = typer.Typer(no_args_is_help=True, help="See what waits for a person's yes, and answer.")

RequestId = Annotated[str, typer.Argument(metavar="ID", help="The request's id, as the list shows it.")]
Note = Annotated[str, typer.Option(metavar="TEXT", help="Kept with the decision, for staff.")]
Reason = Annotated[str, typer.Option("--note", metavar="TEXT", help="The reason, which the customer may read.")]
Changes = Annotated[list[str], typer.Option("--set", metavar="KEY=VALUE", help="A changed argument, as it is shown.")]
ForRole = Annotated[str | None, typer.Option(metavar="ROLE", help="Only what waits for this role.")]
Limit = Annotated[
    int,
    typer.Option(
        min=1, max=MAX_LISTED, help="How many at most. Of more, those whose order or conversation began first."
    ),
]
Offset = Annotated[int, typer.Option(min=0, help="How many of those that began first to leave out.")]


@app.command(name="list")
@remote(default_role=None)
async def list_(session: Session, role: ForRole = None, limit: Limit = 50, offset: Offset = 0) -> None:
    """List open requests, the most urgent of those shown first. Where there are more, stderr says how to get them."""
    requests, more = await listed(session.client, role, limit, offset)
    views = [request.view for request in requests]
    session.screen.document(views)
    nothing = f"Nothing waits for approval{f' by {role}' if role else ''}."
    session.screen.print(overview(views, datetime.now(UTC)) if views else plain(nothing, "dim"))
    if more:
        session.screen.more(len(views), f"--offset {offset + limit}")


@app.command()
@remote(default_role=None)
async def watch(
    session: Session,
    role: ForRole = None,
    limit: Limit = 50,
    every: Annotated[float, typer.Option(min=0.1, metavar="SECONDS", help="How often to look.")] = 3.0,
) -> None:
    """Watch the open requests live, read and answer them by keys; with --json, print each change."""
    if session.screen.as_json:
        await feed(session, role, limit, every)
    elif not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise DeskError("watch needs a terminal; programs give --json", ExitCode.USAGE)
    else:
        from agent.client.watch import Watch  # noqa: PLC0415  (its library is slow to import: other verbs do without)

        inbox = Watch(session, role, limit, every)
        if ended := await inbox.run_async():
            raise ended
        raise typer.Exit(inbox.return_code or 0)


@app.command()
@remote(default_role=None)
async def show(session: Session, request_id: RequestId) -> None:
    """Show one request, open or decided: what is asked, who has said what, and what the customer was asked."""
    known = await look_up(session.client, request_id)
    shown = await shown_now(session.client, request_id) if known["status"] == "open" else None
    view = shown.view if shown else known  # the thread knows besides why the last answer was not taken
    asked = await questions(session.client, request_id)
    session.screen.document({**view, "decisions": known["decisions"], "questions": asked})
    session.screen.print(*details(view, asked, datetime.now(UTC)))
    if known["decisions"] or known["status"] != "open":
        session.screen.print(plain(story(known)))


@app.command()
@remote(default_role=None)
async def ask(
    session: Session,
    request_id: RequestId,
    text: Annotated[str, typer.Argument(metavar="TEXT", help="What the customer is asked, in these words.")],
) -> None:
    """Ask the customer about a request. It stays open, and its time runs on."""
    question = await ask_customer(session.client, request_id, text)
    session.screen.document(question)
    told = "Asked; `desk approvals show` has the answer when it comes."
    if question["answer"]:
        told = f"The customer has said to this: {question['answer']}"
    session.screen.print(plain(told))


@app.command()
@remote(default_role=None)
async def approve(session: Session, request_id: RequestId, note: Note = "") -> None:
    """Say yes to a request."""
    check_note("approve", note)
    await _answer(session, await find(session.client, request_id), "approve", note)


@app.command()
@remote(default_role=None)
async def reject(session: Session, request_id: RequestId, note: Reason) -> None:
    """Say no to a request, and why."""
    check_note("reject", note)
    await _answer(session, await find(session.client, request_id), "reject", note)


@app.command()
@remote(default_role=None)
async def edit(session: Session, request_id: RequestId, changes: Changes, note: Note = "") -> None:
    """Say yes to a request with changed arguments; the yeses before it are void."""
    check_note("edit", note)
    request = await find(session.client, request_id)
    arguments = changed(request.view["action_requests"][0]["args"], changes)
    await _answer(session, request, "edit", note, arguments)


def changed(args: dict[str, Any], changes: list[str]) -> dict[str, Any]:
    """`args` with each `key=value` of `changes`. Raises `DeskError` (USAGE) for an unknown key."""
    result = dict(args)
    for change in changes:
        key, equals, value = change.partition("=")
        if not equals or key not in args:
            raise DeskError(f"--set {change}: give KEY=VALUE, KEY one of: {', '.join(args)}", ExitCode.USAGE)
        result[key] = value
    return result


async def _answer(
    session: Session, request: Pending, decision: Decision, note: str, arguments: dict[str, Any] | None = None
) -> None:
    outcome = await send(session.client, request, decision, session.screen.progress, note=note, arguments=arguments)
    session.screen.document(
        {
            "request_id": request.view["request_id"],
            "decision": decision,
            "processing_stage": outcome.values.get("processing_stage"),
            "message": last_answer(outcome),
            "waiting": outcome.waiting,
        }
    )
    session.screen.print(*map(plain, came_of_it(request.view, outcome)))
