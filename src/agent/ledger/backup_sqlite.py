"""Backups of an embedded ledger: a SQLite file again, made by SQLite's online backup. Writers are not held up."""

import sqlite3
from collections.abc import Callable
from contextlib import closing, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

from sqlalchemy import Connection, NullPool, create_engine, text
from sqlalchemy.exc import DatabaseError

from agent.ledger import objects
from agent.ledger.contents import BackupError, Contents, contents
from agent.ledger.database_errors import LedgerDamagedError
from agent.ledger.engines import driver_url, sync_engine

_PAGES: Final = 10_000
"""Pages of 4 KiB between two words about progress."""


def save(url: str, file: Path, say: Callable[[str], None]) -> Contents:
    """Copy the ledger into the file; returns what was in it at that moment."""
    if not Path(driver_url(url).database or "").is_file():
        raise BackupError(f"there is no ledger at {driver_url(url).database}")
    with sync_engine(url).connect().execution_options(begin="DEFERRED") as live, closing(sqlite3.connect(file)) as copy:
        if damage := damage_in(live):
            raise LedgerDamagedError(damage)
        taken = contents(live)  # begins the transaction: counts and copy see one moment
        _raw(live).backup(copy, pages=_PAGES, progress=_progress(say))
        copy.execute("PRAGMA journal_mode=DELETE")  # one file, no -wal beside it
    return taken


def read(file: Path) -> Contents:
    """Read a backup from end to end. Raises `BackupError` when it is none, or broken."""
    engine = create_engine("sqlite://", creator=lambda: _read_only(file), poolclass=NullPool)
    try:
        with engine.connect() as connection:
            damage = damage_in(connection)
            lost = connection.execute(text("PRAGMA foreign_key_check")).first()
            found = contents(connection)
    except DatabaseError as error:
        raise BackupError(f"{file} is no backup of an embedded ledger: {error.orig}") from error
    if damage or lost or found.revision is None:
        raise BackupError(f"{file} is broken, or no ledger: integrity {damage or 'ok'}, revision {found.revision}")
    return found


def damage_in(connection: Connection) -> str | None:
    """The first thing wrong with the pages of a SQLite database; None: nothing. Reads all of them."""
    verdict: str = connection.execute(text("PRAGMA integrity_check(1)")).scalar_one()
    return None if verdict == "ok" else " ".join(verdict.split()).removeprefix("*** in database main *** ")


def set_aside(file: Path) -> Path:
    """Rename a damaged ledger, with what belongs to it; its new name."""
    aside = file.with_name(f"{file.name}.damaged-{datetime.now(UTC):%Y%m%dT%H%M%S%f}")
    for ending in ("-wal", "-shm", ""):
        with suppress(FileNotFoundError):
            file.with_name(file.name + ending).rename(f"{aside}{ending}")
    return aside


def strangers(file: Path, revision: str) -> list[str]:
    """What the backup holds besides rows that no ledger of this revision has."""
    with create_engine("sqlite://", creator=lambda: _read_only(file), poolclass=NullPool).connect() as connection:
        return objects.strangers(connection, revision)


def load(url: str, file: Path, kept: Contents, say: Callable[[str], None]) -> None:  # noqa: ARG001
    """Put a backup in the place of what is there, in one transaction of the live file: a server may have it open."""
    with sync_engine(url).connect() as live, closing(_read_only(file)) as copy:
        copy.backup(_raw(live), pages=_PAGES, progress=_progress(say))


def _read_only(file: Path) -> sqlite3.Connection:
    return sqlite3.connect(f"file:{quote(str(file))}?mode=ro", uri=True)


def _raw(connection: Any) -> sqlite3.Connection:
    driver: sqlite3.Connection = connection.connection.driver_connection
    return driver


def _progress(say: Callable[[str], None]) -> Callable[[int, int, int], None]:
    return lambda _, remaining, total: say(f"{total - remaining} of {total} pages")
