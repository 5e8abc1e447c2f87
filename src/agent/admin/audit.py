"""`desk audit`: what the trail of approvals proves, for whoever must answer for it. It only reads the ledger."""

from collections.abc import Callable
from dataclasses import asdict
from typing import Annotated, TypeVar

import typer
from rich.text import Text
from sqlalchemy.orm import Session

from agent.admin.error_messages import in_one_line
from agent.approvals import audit
from agent.approvals.trail import Trail
from agent.client.connection import DeskError, ExitCode
from agent.client.show import Screen, facts, table
from agent.ledger import schema
from agent.ledger.database import Database, utc_now
from agent.settings import settings

T = TypeVar("T")
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]

audit_app = typer.Typer(no_args_is_help=True, help="The trail of approvals: prove it, read it.")


@audit_app.command()
def verify(as_json: AsJson = False) -> None:
    """Prove every approval: who said yes to what, in which role, and that nothing was changed since."""
    screen = Screen(as_json=as_json)
    verdict = _query(audit.verify)
    screen.document(asdict(verdict))
    if verdict.broken:
        first = verdict.broken[0]
        screen.print(table(["request", "link", "why"], [tuple(each.values()) for each in verdict.broken]))
        raise DeskError(
            f"{len(verdict.broken)} of {verdict.requests} requests can't be proved; the first, {first['request_id']}, "
            f"breaks at {first['why']}",
            ExitCode.REFUSED,
        )
    older = f"; {verdict.unsealed} are from before there were seals" if verdict.unsealed else ""
    screen.print(Text(f"proved: {verdict.requests} requests, {verdict.decisions} decisions{older}"))


@audit_app.command()
def show(
    request_id: Annotated[str, typer.Argument(metavar="ID", help="Of the request.")], as_json: AsJson = False
) -> None:
    """Tell the story of one request: what was asked, who decided, what came of it, and whether that is proved."""
    screen = Screen(as_json=as_json)
    told = _query(lambda session, trail: audit.story(session, trail, request_id))
    if told is None:
        raise DeskError(f"the ledger knows no request {request_id}", ExitCode.NOT_FOUND)
    screen.document(asdict(told))
    asked = told.request | {"arguments": ", ".join(f"{k} {v}" for k, v in told.request["arguments"].items())}
    screen.print(facts((k.replace("_", " "), ", ".join(v) if isinstance(v, list) else v) for k, v in asked.items()))
    columns = ["number", "at", "decision", "role", "actor", "step", "round", "note", "seal"]
    if told.decisions:
        screen.print(
            table(columns, ([each[column] or "" for column in columns] for each in told.decisions), "decisions")
        )
    screen.print(Text(f"effect: {told.effect['command']} at {told.effect['at']}" if told.effect else "effect: none"))
    if told.broken:
        raise DeskError(f"this can't be proved; it breaks at {told.broken}", ExitCode.REFUSED)
    screen.print(Text("proved" if told.request["seal"] else "made before there were seals: nothing to prove"))


def _query(question: Callable[[Session, Trail], T]) -> T:
    """The answer from one moment of the ledger."""
    config = settings()
    with in_one_line():
        schema.check(config.ledger_url)
        database = Database(config.ledger_url, utc_now)
        try:
            with database.reading() as session:
                return question(session, Trail.of(config))
        finally:
            database.close_blocking()
