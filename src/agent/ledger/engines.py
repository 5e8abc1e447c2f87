"""How a database is reached: its URL, its driver, how many connections, and how long anything may take.

SQLite and PostgreSQL differ here and in `pg_dump`; what a transaction does is in `database`.
"""

import sqlite3
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Self

from sqlalchemy import URL, Engine, ExceptionContext, NullPool, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError, DisconnectionError

from agent.ledger.database_errors import DatabaseUnavailableError
from agent.settings import Settings

_DRIVERS = {
    "sqlite": "sqlite",
    "postgresql": "postgresql+psycopg",
    "postgres": "postgresql+psycopg",
}


@dataclass(frozen=True)
class Limits:
    """How many connections a process holds, and for how many seconds it waits: for one of them that is free, for the
    server to take one, and for a statement (its locks included)."""

    connections: int = 10
    free: float = 10.0
    connect: int = 3
    statement: float = 15.0

    @classmethod
    def of(cls, config: Settings) -> Self:
        """What the settings say."""
        return cls(
            connections=config.database_pool_size,
            free=config.database_pool_timeout_seconds,
            connect=config.database_connect_timeout_seconds,
            statement=config.database_statement_timeout_seconds,
        )


DEFAULT_LIMITS: Final = Limits()

_READ_ONLY: Final = "25006"
"""read_only_sql_transaction (https://www.postgresql.org/docs/current/errcodes-appendix.html)."""

MADE_READY_SECONDS: Final = 5.0
"""How long processes that start at once wait for the first to have made the ledger's file."""


def driver_url(url: str) -> URL:
    """The URL with the async driver that we use for it. Raises ValueError when there is none."""
    try:
        made = make_url(url)
    except (ArgumentError, ValueError):
        raise ValueError("the ledger's URL can't be read: sqlite:///FILE or postgresql://USER@HOST/NAME") from None
    backend = made.get_backend_name()
    if backend not in _DRIVERS:
        raise ValueError(f"the ledger can be in sqlite or postgresql, not in {backend}")
    return made.set(drivername=_DRIVERS[backend])


def is_embedded(url: str) -> bool:
    """Whether the ledger is a file of ours (SQLite) rather than a server's."""
    return driver_url(url).get_backend_name() == "sqlite"


def ledger_file(url: str) -> Path | None:
    """The file of an embedded ledger; None for a server's, or one in memory."""
    name = driver_url(url).database
    return Path(name) if is_embedded(url) and name and name != ":memory:" else None


def pooled_engine(url: str, limits: Limits) -> Engine:
    """The engine that the graphs work with, in threads. Nothing is connected yet."""
    embedded, file = is_embedded(url), ledger_file(url)
    creator = _connector(url, limits) if not embedded else _opener(file) if file else None
    engine = create_engine(
        driver_url(url),
        pool_size=limits.connections + embedded,  # the writer's own comes on top
        max_overflow=0,
        pool_timeout=limits.free,
        pool_pre_ping=not embedded,  # finds connections that a restart of the server has cut
        hide_parameters=True,
        **({"creator": creator} if creator else {}),
    )
    if embedded:
        _prepare_sqlite(engine, limits)
        if file:
            _keep_to(file, engine)
    else:
        _leave_a_standby(engine)
    return engine


def sync_engine(url: str, limits: Limits = DEFAULT_LIMITS) -> Engine:
    """An engine for what is done once, in a thread or a command: schema and backup. It keeps no connection.

    On SQLite each transaction is a writer's, and foreign keys are off: a migration makes tables anew.
    """
    if not is_embedded(url):
        connect_args = {"connect_timeout": limits.connect, "options": "-c TimeZone=UTC"}
        return create_engine(driver_url(url), poolclass=NullPool, hide_parameters=True, connect_args=connect_args)
    engine = create_engine(
        driver_url(url),
        poolclass=NullPool,
        hide_parameters=True,
        execution_options={"begin": "IMMEDIATE"},
    )
    _prepare_sqlite(engine, limits, foreign_keys="OFF")
    return engine


def _postgres(limits: Limits) -> dict[str, Any]:
    """The server ends what takes too long: statements, and transactions of a process that hangs with locks in hand."""
    milliseconds = int(limits.statement * 1000)
    session = {
        "TimeZone": "UTC",
        "statement_timeout": milliseconds,
        "idle_in_transaction_session_timeout": milliseconds,
    }
    return {
        "connect_timeout": limits.connect,
        "options": " ".join(f"-c {name}={value}" for name, value in session.items()),
    }


def _connector(url: str, limits: Limits) -> Callable[[], Any]:
    """Connects to a PostgreSQL server, with a connection that hangs up on one that says nothing: a frozen server does
    not end its statements itself."""
    import psycopg  # noqa: PLC0415  (only who has a server needs its driver)
    from psycopg.errors import _WaitTimeout  # noqa: PLC0415

    class Line(psycopg.Connection[Any]):
        def wait(self, gen: Any, interval: float = 0.1, timeout: float | None = None) -> Any:
            try:
                return super().wait(gen, interval, limits.statement + 1 if timeout is None else timeout)
            except _WaitTimeout as error:
                self.close()
                raise psycopg.OperationalError("the server says nothing") from error

    dialect = driver_url(url).get_dialect()()
    given = dialect.create_connect_args(driver_url(url))
    return lambda: Line.connect(*given[0], **{**given[1], **_postgres(limits)})


def _leave_a_standby(engine: Engine) -> None:
    """After a failover an address may lead to a server that only reads, and would be asked for ever: its connections
    are given up, and the next asks where the address leads."""

    @event.listens_for(engine, "handle_error")
    def on_error(context: ExceptionContext) -> None:
        asked = context.connection
        if getattr(context.original_exception, "sqlstate", None) == _READ_ONLY and asked is not None:
            context.is_disconnect = not asked.get_execution_options().get("postgresql_readonly")


def _use_wal(cursor: sqlite3.Cursor) -> None:
    """Write ahead. SQLite's own waiting does not cover who makes a new file ready at the same moment."""
    end = time.monotonic() + MADE_READY_SECONDS
    while True:
        try:
            cursor.execute("PRAGMA journal_mode=WAL")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() > end:
                raise
            time.sleep(0.01)
        else:
            return


def _opener(file: Path) -> Callable[[], sqlite3.Connection]:
    """Opens the file that is there; SQLite would make an empty one where there is none."""

    def connect() -> sqlite3.Connection:
        if not file.exists():
            raise DatabaseUnavailableError(
                f"its file {file.name} is not in its folder: put it back, or stop the server and restore a "
                "backup (`desk db restore`)"
            )
        return sqlite3.connect(file, check_same_thread=False)

    return connect


def _keep_to(file: Path, engine: Engine) -> None:
    """A connection is used while its file is in its place: one that was moved or deleted would still take what is
    written, and nobody would find it again."""

    def identity() -> tuple[int, int] | None:
        try:
            found = file.stat()
        except OSError:
            return None
        return found.st_dev, found.st_ino

    @event.listens_for(engine, "connect")
    def on_connect(_: Any, record: Any) -> None:
        record.info["file"] = identity()

    @event.listens_for(engine, "checkout")
    def on_checkout(_: Any, record: Any, __: Any) -> None:
        if record.info["file"] != identity():
            raise DisconnectionError  # the pool connects anew


def _prepare_sqlite(engine: Engine, limits: Limits, foreign_keys: str = "ON") -> None:
    """WAL, foreign keys, and transactions that we begin: a writer takes its lock at once and never has to upgrade."""

    @event.listens_for(engine, "connect")
    def on_connect(connection: Any, _: Any) -> None:
        connection.isolation_level = None
        cursor = connection.cursor()
        cursor.execute(f"PRAGMA busy_timeout={int(limits.statement * 1000)}")
        _use_wal(cursor)
        cursor.execute("PRAGMA synchronous=FULL")
        cursor.execute(f"PRAGMA foreign_keys={foreign_keys}")
        cursor.close()

    @event.listens_for(engine, "begin")
    def on_begin(connection: Any) -> None:
        mode = connection.get_execution_options().get("begin", "DEFERRED")
        connection.exec_driver_sql(f"BEGIN {mode}")
