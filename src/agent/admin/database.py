"""`desk db`: the ledger's schema, backups, whether it keeps its promises, and what was set aside. What these do is in
`ledger`."""

from dataclasses import asdict, replace
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.text import Text
from sqlalchemy import Select, column, select, text

from agent.admin.error_messages import in_one_line
from agent.admin.forgotten import Forgotten
from agent.approvals.erasure import ERASED
from agent.client.connection import DeskError, ExitCode
from agent.client.show import Screen, table
from agent.files import keep_private
from agent.ledger import backup as backups
from agent.ledger import objects, schema
from agent.ledger.backup_sqlite import damage_in
from agent.ledger.contents import Contents
from agent.ledger.database import Database, utc_now
from agent.ledger.database_errors import LedgerDamagedError, explained
from agent.ledger.engines import Limits, is_embedded, sync_engine
from agent.ledger.invariants import CHECKS, Violation, violations
from agent.ledger.quarantine import latest
from agent.ledger.tables import QuarantineRow
from agent.settings import settings

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Force = Annotated[bool, typer.Option("--force", help="Overwrite what is there.")]
Anew = Annotated[bool, typer.Option("--anew", help="Make an empty ledger where one was kept that is gone.")]

CHECK_SECONDS = 600.0
"""How long one query of `desk db check` may take: it looks at every row."""

db_app = typer.Typer(no_args_is_help=True, help="The ledger: its schema, backups, and whether it is sound.")


@db_app.command()
def upgrade(anew: Anew = False, as_json: AsJson = False) -> None:
    """Bring the ledger's schema up to date. Safe to repeat, and to run on several machines at once."""
    screen = Screen(as_json=as_json)
    with in_one_line():
        screen.progress("upgrading the schema")
        before, after = schema.upgrade(_ledger(), anew=anew)
    screen.document({"before": before, "after": after})
    screen.print(Text(f"at revision {after}" + (" already" if before == after else f", from {before or 'nothing'}")))


@db_app.command()
def backup(file: Path, force: Force = False, as_json: AsJson = False) -> None:
    """Copy the ledger into FILE while it is in use; the file is there when it is whole and checked, or not at all."""
    screen = Screen(as_json=as_json)
    with in_one_line():
        taken = backups.backup(_ledger(), file, force=force, say=screen.progress)
    _report(screen, file, taken)


@db_app.command()
def restore(file: Path, force: Force = False, as_json: AsJson = False) -> None:
    """Put the ledger back as it is in FILE, whole or not at all."""
    screen = Screen(as_json=as_json)
    with in_one_line():
        kept = backups.restore(_ledger(), file, force=force, say=screen.progress)
        back = _back_again()
    _report(screen, file, kept, back_again=back)
    for customer_id in back:
        screen.print(Text(f"{customer_id} was forgotten, and is back: desk customers forget {customer_id}", "red"))
    screen.print(Text("start the server, and run `desk ops compare`: money may have moved since the backup was taken"))
    if kept.revision != schema.newest():
        screen.progress(f"revision {kept.revision} is behind {schema.newest()}: run `desk db upgrade`")


@db_app.command()
def check(as_json: AsJson = False) -> None:
    """Prove that the ledger, in use or not, keeps its promises; name whatever breaks one."""
    screen = Screen(as_json=as_json)
    with in_one_line():
        url = _ledger()
        schema.check(url)
        is_ahead = schema.revision(url) != schema.newest()
        if is_ahead:
            screen.progress("the schema is newer than this program: what does not belong to it is not looked for")
        strange = [] if is_ahead else _strangers(url)
        screen.progress(f"checking {len(CHECKS)} promises")
        broken = _broken(url)
    found = [asdict(violation) for violation in broken]
    screen.document({"checks": len(CHECKS), "violations": found, "strangers": strange})
    if strange:
        raise DeskError(f"not of the ledger's schema: {', '.join(strange)}", ExitCode.REFUSED)
    if broken:
        rows = ((each.check, each.what, ", ".join(f"{k} {v}" for k, v in each.found.items())) for each in broken)
        screen.print(table(("promise", "broken by", "found"), rows))
        promises = len({violation.check for violation in broken})
        raise DeskError(f"{promises} of {len(CHECKS)} promises broken, {len(broken)} times", ExitCode.REFUSED)
    screen.print(Text(f"clean: {len(CHECKS)} promises hold"))


@db_app.command()
def quarantine(as_json: AsJson = False) -> None:
    """Show the states of threads that were found damaged and set aside, the latest first; with --json as they were."""
    screen = Screen(as_json=as_json)
    with in_one_line():
        url = _ledger()
        schema.check(url)
        kept = _kept_aside(url)
    screen.document([each | {"at": each["at"].isoformat()} for each in kept])
    columns = ("at", "order", "thread", "node", "found")
    rows = [(each["at"], each["order_id"] or "", each["thread_id"], each["node"], each["found"]) for each in kept]
    screen.print(table(columns, rows) if rows else Text("nothing was ever set aside"))


def _kept_aside(url: str) -> list[dict[str, Any]]:
    database = Database(url, utc_now)
    try:
        with database.reading() as session:
            columns = QuarantineRow.__table__.columns.keys()
            return [{name: getattr(row, name) for name in columns} for row in latest(session)]
    finally:
        database.close_blocking()


def _strangers(url: str) -> list[str]:
    """What is not of the schema. Raises `LedgerDamagedError`: what the pages of a damaged ledger say proves nothing."""
    with explained(), sync_engine(url).connect().execution_options(begin="DEFERRED") as connection:
        if is_embedded(url) and (damage := damage_in(connection)):
            raise LedgerDamagedError(damage)
        return objects.strangers(connection, schema.newest())


def _broken(url: str) -> list[Violation]:
    database = Database(url, utc_now, replace(Limits.of(settings()), statement=CHECK_SECONDS))
    try:
        with database.reading() as session:  # one moment of the ledger for all of them
            return [violation for each in CHECKS for violation in violations(session, each)]
    finally:
        database.close_blocking()


def _ledger() -> str:
    config = settings()
    keep_private(config.data_dir)
    return config.ledger_url


def _back_again() -> list[str]:
    """Customers who were forgotten after the backup was taken; the ledger may be of an older revision."""
    forgotten = Forgotten(settings().data_dir).read()
    if not forgotten:
        return []
    query: Select[tuple[str]] = (
        select(column("id")).select_from(text("customers")).where(column("email").not_like(f"{ERASED}%"))
    )
    with explained(), sync_engine(settings().ledger_url).connect() as connection:
        return sorted(forgotten.keys() & set(connection.scalars(query)))


def _report(screen: Screen, file: Path, contents: Contents, **more: object) -> None:
    screen.document({"file": str(file)} | asdict(contents) | more)
    rows = sum(contents.rows.values())
    screen.print(Text(f"{file}: revision {contents.revision}, {rows} rows in {len(contents.rows)} tables, checked"))
