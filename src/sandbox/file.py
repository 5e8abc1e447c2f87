"""What both rooms of the sandbox stand on: effects by idempotency key in one SQLite file, and work in the background.

The file may be shared by several processes. No card and no parcel is known here.
"""

import asyncio
import sqlite3
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel
from starlette.exceptions import HTTPException

_Result = TypeVar("_Result")


class SandboxFile:
    """One connection to `database`, opened when it is first needed, and the one thread that uses it.

    `tables` are statements that create what is missing. Close it when its event loop ends at the latest.
    """

    def __init__(self, database: Path, tables: tuple[str, ...]) -> None:
        self.closed = False
        self._database = database
        self._tables = tables
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="sandbox")
        self._connection: sqlite3.Connection | None = None

    async def transaction(self, work: Callable[[sqlite3.Connection], _Result]) -> _Result:
        """Run `work` as one transaction, and give back what it returns; nothing stays of one that raises."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, self._transaction, work)

    async def close(self) -> None:
        """Close the connection, after what is under way."""
        if not self.closed:
            self.closed = True
            await asyncio.get_running_loop().run_in_executor(self._thread, self._disconnect)
            self._thread.shutdown(wait=False)

    def _transaction(self, work: Callable[[sqlite3.Connection], _Result]) -> _Result:
        try:
            connection = self._connection or self._connect()
            connection.execute("BEGIN IMMEDIATE")  # everyone takes the write lock first and waits for it
            try:
                result = work(connection)
                connection.execute("COMMIT")
            except BaseException:
                connection.rollback()
                raise
        except sqlite3.Error:
            self._disconnect()  # the next one begins with a new connection
            raise
        return result

    def _connect(self) -> sqlite3.Connection:
        """Not WAL: switching a new file to it fails with "database is locked" when two first requests race.

        What was committed outlives a killed process, and need not outlive a machine that loses power.
        """
        self._database.parent.mkdir(parents=True, exist_ok=True)
        self._connection = connection = sqlite3.connect(self._database, timeout=15, isolation_level=None)
        connection.row_factory = sqlite3.Row
        connection.execute("PRAGMA synchronous = OFF")
        connection.execute("BEGIN IMMEDIATE")
        for table in self._tables:
            connection.execute(table)
        connection.execute("COMMIT")
        return connection

    def _disconnect(self) -> None:
        if self._connection:
            self._connection.close()
            self._connection = None


def row(db: sqlite3.Connection, query: str, value: str) -> dict[str, Any] | None:
    """The first row of a query with one parameter."""
    found = db.execute(query, (value,)).fetchone()
    return dict(found) if found else None


def same_parameters(key: str, known: dict[str, Any], asked: BaseModel) -> None:
    """409 when the key was used before with other parameters."""
    if differing := [name for name, value in asked.model_dump().items() if known[name] != value]:
        raise HTTPException(409, f"idempotency key {key!r} was used before with another {', '.join(differing)}")


_running: set[asyncio.Task[None]] = set()


def in_background(work: Coroutine[Any, Any, None]) -> None:
    """Start work for which no request waits. The loop knows tasks weakly only, so they are held here."""
    task = asyncio.create_task(work)
    _running.add(task)
    task.add_done_callback(_running.discard)
