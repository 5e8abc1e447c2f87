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


class DatabaseAwayError(TransientError):
    """The database can't be used now: unreachable, frozen, restarting, full, or all our connections are busy.

    What was being committed at that moment may have happened: ask again with the same key.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(f"the ledger's database can't be used now: {reason}")


class DatabaseConflictError(TransientError):
    """Another transaction was in the way, and this one was undone: a deadlock, a lock not given in time."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"another transaction was in the way: {reason}")


# https://www.postgresql.org/docs/current/errcodes-appendix.html
_CONFLICT_STATES: Final = {"40001", "40P01", "55P03"}  # serialization_failure, deadlock_detected, lock_not_available
_CONFLICT_CODES: Final = {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}


@contextmanager
def explained() -> Iterator[None]:
    """Raise the driver's errors as ours where they are about the database and not about what was asked of it."""
    try:
        yield
    except PoolTimeoutError as error:
        raise DatabaseAwayError("all of this process's connections are in use") from error
    except DBAPIError as error:
        if meant := _meaning(error):
            raise meant from error
        raise


def _meaning(error: DBAPIError) -> TransientError | None:
    reason = str(error.orig).partition("\n")[0]
    code = getattr(error.orig, "sqlite_errorcode", None)
    if getattr(error.orig, "sqlstate", None) in _CONFLICT_STATES or (code and code & 0xFF in _CONFLICT_CODES):
        return DatabaseConflictError(reason)
    statement_at_fault = code == sqlite3.SQLITE_ERROR
    if error.connection_invalidated or (isinstance(error, OperationalError) and not statement_at_fault):
        return DatabaseAwayError(reason)
    return None
