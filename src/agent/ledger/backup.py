"""A backup of the whole ledger in one file, taken while it is in use, and the way back.

Both are proved: the copy holds the rows and the money of the moment that it was taken at, to the cent. How each
database copies is in `backup_sqlite` and `backup_postgres`.
"""

import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

from agent.ledger import backup_postgres, backup_sqlite, history, schema
from agent.ledger.contents import BackupError, Contents, contents
from agent.ledger.database_errors import LedgerDamagedError, explained
from agent.ledger.engines import is_embedded, ledger_file, sync_engine
from agent.ledger.restored import mark_restored

Say = Callable[[str], None]


class Format(Protocol):
    """How one kind of database copies itself."""

    def save(self, url: str, file: Path, say: Say) -> Contents:
        """Copy the ledger into the file; returns what was in it at that moment."""

    def read(self, file: Path) -> Contents:
        """Read a backup from end to end. Raises `BackupError` when it is none, or broken."""

    def strangers(self, file: Path, revision: str) -> list[str]:
        """What a backup holds besides rows that no ledger of this revision has."""

    def load(self, url: str, file: Path, kept: Contents, say: Say) -> None:
        """Put a backup in the place of what is there, in one transaction."""


def backup(url: str, file: Path, *, force: bool, say: Say) -> Contents:
    """Copy the ledger at `url` into `file`, and read the copy again; the file is there when it is whole, or not at all.

    Raises `BackupError`, `LedgerDamagedError`, `DatabaseUnavailableError`; OSError for a folder that can't be written.
    """
    if file.exists() and not force:
        raise BackupError(f"{file} is there already: give another name, or --force to overwrite it")
    form = _format(url)
    with explained(), _partial(file) as partial:
        say("copying the ledger")
        taken = form.save(url, partial, say)
        say("reading the copy again")
        _compare(taken, form.read(partial))
        partial.replace(file)
    history.remember(url, file)
    return taken


def restore(url: str, file: Path, *, force: bool, say: Say) -> Contents:
    """Put the ledger of a backup in the place of the one at `url`, whole or not at all. With `force` a damaged ledger
    is set aside first, under another name.

    Raises `BackupError` (the ledger is not empty and `force` is off, the backup is broken, or holds
    triggers and the like), `SchemaError` (it is
    newer than this program), `DatabaseUnavailableError`.
    """
    form = _format(url)
    if not file.exists():
        raise BackupError(f"there is no backup {file}")
    with explained():
        say("reading the backup")
        kept = form.read(file)
        schema.refuse_unknown(kept.revision)
        if kept.revision and (strange := form.strangers(file, kept.revision)):
            raise BackupError(f"{file} holds what no ledger does, and it would act in its name: {', '.join(strange)}")
        if not (force or _is_empty(url)):
            raise BackupError("the ledger is not empty: give --force to overwrite everything in it")
        if force and (file_there := ledger_file(url)) and _is_damaged(url):
            say(f"the damaged ledger is kept as {backup_sqlite.set_aside(file_there)}")
        say("restoring")
        form.load(url, file, kept, say)
        with sync_engine(url).connect() as connection:
            _compare(kept, contents(connection))
        if kept.revision == schema.newest():
            mark_restored(url)
    history.remember(url)
    return kept


def _is_empty(url: str) -> bool:
    with explained(), sync_engine(url).connect() as connection:
        return contents(connection).empty


def _is_damaged(url: str) -> bool:
    try:
        with explained(), sync_engine(url).connect().execution_options(begin="DEFERRED") as connection:
            return backup_sqlite.damage_in(connection) is not None
    except LedgerDamagedError:
        return True


def _format(url: str) -> Format:
    return backup_sqlite if is_embedded(url) else backup_postgres


def _compare(expected: Contents, found: Contents) -> None:
    if found != expected:
        raise BackupError(f"the copy is not what was copied: {found} instead of {expected}")


@contextmanager
def _partial(file: Path) -> Iterator[Path]:
    """A file beside it, for us alone to read, that goes away unless it is renamed."""
    handle, name = tempfile.mkstemp(prefix=f".{file.name}.", dir=file.parent)
    os.close(handle)
    try:
        yield Path(name)
    finally:
        Path(name).unlink(missing_ok=True)
