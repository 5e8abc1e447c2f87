"""Writes the embedded ledger's file anew. SQLite leaves what was changed in its free space."""

import sqlite3
from contextlib import closing

from agent.ledger.database_errors import DatabaseUnavailableError
from agent.ledger.engines import is_embedded, sync_engine


def compact(url: str) -> None:
    """Leave nothing of erased words in the file, nor in its log, also while it is in use; writers wait meanwhile.

    A PostgreSQL server does this by itself in time (autovacuum). Raises `DatabaseUnavailableError` when others do not
    let go of it; to be repeated then.
    """
    if not is_embedded(url):
        return
    with closing(sync_engine(url).raw_connection()) as connection, closing(connection.cursor()) as cursor:
        try:
            cursor.execute("VACUUM")
            busy, *_ = cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
            if busy:
                raise DatabaseUnavailableError("its log is in use; give the command again")
        except sqlite3.OperationalError as error:
            raise DatabaseUnavailableError(f"its file could not be written anew ({error})") from error
