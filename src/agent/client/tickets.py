"""`desk tickets`: the cases that wait for people, and our work on them.

Who may work on which is for the server to say.
"""

import hashlib
from collections.abc import Iterator
from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated, Any
from urllib.parse import quote, urlencode

import typer
from rich.console import RenderableType

from agent.approvals.models import NOTE_LIMIT
from agent.client.connection import DeskError, ExitCode, sending
from agent.client.session import Session, remote
from agent.client.show import due_in, facts, plain, table

app = typer.Typer(no_args_is_help=True, help="See the cases that wait for people, and work on them.")

TEXT_LIMIT = 8_000
"""Longest answer, in characters."""

TicketId = Annotated[str, typer.Argument(metavar="ID", help="The ticket's id, as the list shows it.")]

_SPEAKERS = {"answer": "to the customer", "reply": "from the customer", "note": "note"}


class Status(StrEnum):
    """How a ticket stands."""

    OPEN = "open"
    TAKEN = "taken"
    CLOSED = "closed"


@app.command(name="list")
@remote(default_role=None)
async def list_(
    session: Session,
    role: Annotated[str | None, typer.Option(metavar="ROLE", help="Of this role, for an operator.")] = None,
    status: Annotated[Status | None, typer.Option(help="Without one, all that are not closed.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=100, help="How many at most.")] = 50,
    offset: Annotated[int, typer.Option(min=0, help="How many of the most urgent to leave out.")] = 0,
) -> None:
    """List the tickets that your role may work on, the most urgent first."""
    asked = {"role": role, "status": status and status.value, "limit": limit, "offset": offset}
    query = urlencode({name: value for name, value in asked.items() if value is not None})
    found = await session.client.http.get(f"/ops/tickets?{query}")
    tickets, now = found["tickets"], datetime.now(UTC)
    session.screen.document(tickets)
    columns = ("ticket", "topic", "about", "begins", "status", "for", "due")
    rows = (_line(each, now) for each in tickets)
    session.screen.print(table(columns, rows) if tickets else plain("No ticket waits.", "dim"))
    if found["more"]:
        session.screen.more(len(tickets), f"--offset {offset + limit}")


@app.command()
@remote(default_role=None)
async def show(session: Session, ticket_id: TicketId) -> None:
    """Show a ticket: what it is about, who has it, and what was said."""
    _print(session, await session.client.http.get(_path(ticket_id)))


@app.command()
@remote(default_role=None)
async def take(session: Session, ticket_id: TicketId) -> None:
    """Take a ticket. Nobody else works on it meanwhile, and the desk is silent in its conversation."""
    _print(session, await _command(session, ticket_id, "take", None))


@app.command()
@remote(default_role=None)
async def answer(
    session: Session,
    ticket_id: TicketId,
    text: Annotated[str, typer.Argument(metavar="TEXT", help="What the customer hears, in these words.")],
) -> None:
    """Tell the customer of a ticket that you have taken something."""
    _check("answer", text, TEXT_LIMIT)
    if not text.strip():
        raise DeskError("the answer is empty", ExitCode.USAGE)
    key = hashlib.sha256(text.encode()).hexdigest()
    ticket = await _command(session, ticket_id, "answer", {"text": text}, key)
    session.screen.document(ticket)
    session.screen.print(plain("Sent; the customer hears it in their conversation."))


@app.command()
@remote(default_role=None)
async def close(
    session: Session,
    ticket_id: TicketId,
    note: Annotated[str, typer.Option(metavar="TEXT", help="How it ended, for staff.")] = "",
) -> None:
    """Close a ticket that you have taken."""
    _check("note", note, NOTE_LIMIT)
    ticket = await _command(session, ticket_id, "close", {"note": note})
    session.screen.document(ticket)
    session.screen.print(plain(f"{ticket['id']} is closed."))


async def _command(
    session: Session, ticket_id: str, verb: str, body: dict[str, Any] | None, key: str | None = None
) -> dict[str, Any]:
    """Ask for a change of a ticket; with a key, the same again is the same."""
    headers = {"idempotency-key": key} if key else None
    with sending(session.url, f"`desk tickets show {ticket_id}` tells whether it was"):
        return await session.client.http.post(  # type: ignore[no-any-return]
            f"{_path(ticket_id)}/{verb}", json=body, headers=headers
        )


def _check(what: str, text: str, limit: int) -> None:
    if len(text) > limit:
        raise DeskError(f"the {what} is longer than {limit} characters", ExitCode.USAGE)


def _print(session: Session, ticket: dict[str, Any]) -> None:
    session.screen.document(ticket)
    session.screen.print(*_details(ticket, datetime.now(UTC)))


def _line(ticket: dict[str, Any], now: datetime) -> tuple[str, ...]:
    return (
        ticket["id"],
        ticket["topic"],
        ticket["order_id"] or ticket["customer_id"] or "",
        ticket["begins"],
        f"taken by {ticket['taken_by']}" if ticket["status"] == "taken" else ticket["status"],
        ", ".join(ticket["roles"]),
        due_in(ticket["due"], now) if ticket["due"] else "",
    )


def _details(ticket: dict[str, Any], now: datetime) -> Iterator[RenderableType]:
    due = ticket["due"]
    yield facts(
        [
            ("ticket", ticket["id"]),
            ("topic", ticket["topic"]),
            ("status", ticket["status"]),
            ("for", " or ".join(ticket["roles"])),
            ("due", due and f"{due_in(due, now)} ({due})"),
            ("taken by", ticket["taken_by"]),
            ("closed by", ticket["closed_by"]),
            ("customer", ticket["customer_id"]),
            ("order", ticket["order_id"]),
            ("conversation", ticket["thread_id"]),
            ("opened", ticket["at"]),
        ]
    )
    yield plain(f"\n{ticket['text']}\n")
    if ticket["messages"]:
        columns = ("at", "by", "", "text")
        yield table(
            columns,
            ((each["at"], each["author"], _SPEAKERS[each["kind"]], each["text"]) for each in ticket["messages"]),
        )


def _path(ticket_id: str) -> str:
    return f"/ops/tickets/{quote(ticket_id, safe='')}"
