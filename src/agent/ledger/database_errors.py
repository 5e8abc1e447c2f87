"""What goes wrong between us and the database, in words of our own, safe to log: no URL, no value of a statement.

Both errors pass `agent.resilience.is_transient`. Which statements run, and what is retried, is decided elsewhere.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from agent.resilience import TransientError


class DatabaseUnavailableError(TransientError):
    """The database can't be used now: unreachable, frozen, restarting, full, or all our connections are busy.

    What was being committed at that moment may have happened: ask again with the same key.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(f"the ledger's database can't be used now: {reason}")


class LedgerDamagedError(RuntimeError):
    """The ledger can't be read as one: a page of its file, or all of it, is something else, or a table is gone. No
    retry helps."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"the ledger is damaged ({reason})")


class DatabaseConflictError(TransientError):
    """Another transaction was in the way, and this one was undone: a deadlock, a lock not given in time."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"another transaction was in the way: {reason}")


UNUSABLE: Final = (DatabaseUnavailableError, DatabaseConflictError, LedgerDamagedError)
"""Why a ledger did not do what it was asked; nothing was changed by it. Each text is fit to be shown."""

# https://www.postgresql.org/docs/current/errcodes-appendix.html
_CONFLICT_STATES: Final = {"40001", "40P01", "55P03"}  # serialization_failure, deadlock_detected, lock_not_available
# https://www.sqlite.org/rescode.html
_CONFLICT_CODES: Final = {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}
_DAMAGE_CODES: Final = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}
_UNDEFINED_TABLE: Final = "42P01"
_CAUSES: Final = {
    sqlite3.SQLITE_FULL: "its disk is full",
    sqlite3.SQLITE_READONLY: "its file or folder is read-only",
    sqlite3.SQLITE_CANTOPEN: "its file can't be opened, or its folder can't be written",
    sqlite3.SQLITE_IOERR: "its disk fails, or is full",
}


@contextmanager
def explained() -> Iterator[None]:
    """Raise the driver's errors as ours where they are about the database and not about what was asked of it."""
    try:
        yield
    except PoolTimeoutError as error:
        raise DatabaseUnavailableError("all of this process's connections are in use") from error
    except DBAPIError as error:
        if meant := _meaning(error.orig, unusable=error.connection_invalidated or isinstance(error, OperationalError)):
            raise meant from error
        raise
    except sqlite3.Error as error:  # of a copy, which goes past SQLAlchemy
        if meant := _meaning(error, unusable=isinstance(error, sqlite3.OperationalError)):
            raise meant from error
        raise


def _meaning(error: BaseException | None, *, unusable: bool) -> Exception | None:
    reason = str(error).partition("\n")[0]
    code = getattr(error, "sqlite_errorcode", None)
    kind = code & 0xFF if code else None
    if kind in _DAMAGE_CODES or (kind is None and reason.startswith("Could not decode to UTF-8")):
        return LedgerDamagedError(reason.partition(" column")[0])
    if reason.startswith("no such table") or getattr(error, "sqlstate", None) == _UNDEFINED_TABLE:
        return LedgerDamagedError(reason)
    if kind in _CONFLICT_CODES or getattr(error, "sqlstate", None) in _CONFLICT_STATES:
        return DatabaseConflictError(reason)
    if unusable and kind != sqlite3.SQLITE_ERROR:
        return DatabaseUnavailableError(f"{_CAUSES[kind]} ({reason})" if kind in _CAUSES else reason)
    return None
