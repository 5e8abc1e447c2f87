"""How a database is reached: which URLs are understood, and that settings and defaults say the same."""

import asyncio
import socket
import time
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from agent.ledger.database import Database, utc_now
from agent.ledger.database_errors import DatabaseConflictError, DatabaseUnavailableError, LedgerDamagedError
from agent.ledger.engines import DEFAULT_LIMITS, Limits, driver_url
from agent.resilience import is_transient
from agent.settings import Settings

SECRET = "correct-horse"


def test_the_limits_are_those_of_the_settings() -> None:
    assert Limits.of(Settings()) == DEFAULT_LIMITS


@pytest.mark.parametrize(
    ("given", "driver"),
    [
        ("postgresql://desk@db/ledger", "postgresql+psycopg"),
        ("postgres://desk@db/ledger", "postgresql+psycopg"),
        ("postgresql+psycopg://desk@db/ledger", "postgresql+psycopg"),
        ("sqlite:///ledger.db", "sqlite"),
        ("sqlite+aiosqlite:///ledger.db", "sqlite"),
    ],
)
def test_a_url_gets_the_driver_that_we_use(given: str, driver: str) -> None:
    assert driver_url(given).drivername == driver


@pytest.mark.parametrize("given", ["mysql://db/ledger", "ledger.db", f"postgresql://desk:{SECRET}@db:port/ledger"])
def test_another_database_is_refused_without_its_url(given: str) -> None:
    with pytest.raises(ValueError, match="ledger") as refused:
        driver_url(given)
    assert SECRET not in str(refused.value)


def test_settings_do_not_show_their_urls() -> None:
    shown = repr(
        Settings(database_url=f"postgresql://:{SECRET}@db/", database_replica_url=f"postgresql://:{SECRET}@r/")
    )
    assert SECRET not in shown


async def test_a_server_that_refuses_is_away() -> None:
    with socket.socket() as taken:  # bound, and nobody listens
        taken.bind(("127.0.0.1", 0))
        ledger = Database(f"postgresql://desk:{SECRET}@127.0.0.1:{taken.getsockname()[1]}/ledger")
        with pytest.raises(DatabaseUnavailableError, match="refused") as away, ledger.reading() as session:
            session.execute(text("SELECT 1"))
    assert is_transient(away.value)
    assert SECRET not in str(away.value)
    await ledger.close()


async def test_a_server_that_says_nothing_is_away_in_time() -> None:
    with socket.socket() as mute:
        mute.bind(("127.0.0.1", 0))
        mute.listen()
        url = f"postgresql://desk@127.0.0.1:{mute.getsockname()[1]}/ledger"
        ledger = Database(url, utc_now, Limits(connect=2))
        started = time.monotonic()
        with pytest.raises(DatabaseUnavailableError, match="timeout"), ledger.writing() as session:
            session.execute(text("SELECT 1"))
        assert time.monotonic() - started < 4
    await ledger.close()


async def test_who_writes_too_long_makes_the_others_try_again(tmp_path: Path) -> None:
    ledger = Database(f"sqlite:///{tmp_path / 'ledger.db'}", utc_now, Limits(statement=0.1))
    await ledger.open()
    with ledger.writing() as session:
        session.execute(text("SELECT 1"))
        with pytest.raises(DatabaseConflictError, match="locked") as conflict, ledger.writing() as other:
            other.execute(text("SELECT 1"))
    assert is_transient(conflict.value)
    await ledger.close()


async def test_a_statement_that_is_wrong_is_not_transient(tmp_path: Path) -> None:
    ledger = Database(f"sqlite:///{tmp_path / 'ledger.db'}")
    await ledger.open()
    with pytest.raises(OperationalError, match="no such function") as wrong, ledger.reading() as session:
        session.execute(text("SELECT no_such()"))
    assert not is_transient(wrong.value)
    await ledger.close()


async def test_a_ledger_without_one_of_its_tables_is_damaged(tmp_path: Path) -> None:
    ledger = Database(f"sqlite:///{tmp_path / 'ledger.db'}")
    (tmp_path / "ledger.db").touch()
    with pytest.raises(LedgerDamagedError, match="no such table: orders") as damaged, ledger.reading() as session:
        session.execute(text("SELECT * FROM orders"))
    assert not is_transient(damaged.value)
    await ledger.close()


def test_no_file_is_made_where_the_ledgers_is_gone(tmp_path: Path) -> None:
    ledger = Database(f"sqlite:///{tmp_path / 'ledger.db'}")
    with pytest.raises(DatabaseUnavailableError, match=r"its file ledger\.db is not in its folder: put it back"):
        ledger._write(lambda session: session.execute(text("SELECT 1")))
    assert list(tmp_path.iterdir()) == []
    ledger.close_blocking()


async def test_a_reader_does_not_wait_for_a_writer(tmp_path: Path) -> None:
    ledger = Database(f"sqlite:///{tmp_path / 'ledger.db'}")
    await ledger.open()
    with ledger.writing() as writer:
        writer.execute(text("DELETE FROM products"))
        async with asyncio.timeout(5):
            assert await ledger.read(lambda reader: reader.execute(text("SELECT * FROM products")).all()) == []
    await ledger.close()
