"""The schema's way: from nothing to what the tables say, once, whoever starts at the same time, and never backwards."""

import asyncio
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection, create_engine, inspect

from agent.ledger.base import Base
from agent.ledger.database import Database
from agent.ledger.engines import sync_engine
from agent.ledger.failures import DatabaseAwayError
from agent.ledger.schema import SchemaError, check, newest, revision, upgrade


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "ledger.db"


@pytest.fixture
def url(file: Path) -> str:
    return f"sqlite:///{file}"


def at_revision(file: Path, other: str) -> None:
    with closing(sqlite3.connect(file)) as connection, connection:
        connection.execute("UPDATE alembic_version SET version_num = ?", (other,))


def constraints(connection: Connection) -> dict[str, set[tuple[str | None, str]]]:
    """The CHECKs by table, at which alembic does not look."""
    looked_at = inspect(connection)
    return {
        table: {(check["name"], check["sqltext"]) for check in looked_at.get_check_constraints(table)}
        for table in Base.metadata.tables
    }


def test_the_migrations_lead_to_what_the_tables_say(url: str) -> None:
    """When this fails, tables were changed without a revision: `make migration NAME=what_changed`."""
    upgrade(url)
    plain = create_engine("sqlite://")
    with sync_engine(url).connect() as migrated, plain.connect() as declared:
        Base.metadata.create_all(declared)
        assert compare_metadata(MigrationContext.configure(migrated), Base.metadata) == []
        assert constraints(migrated) == constraints(declared)
    plain.dispose()


def test_an_upgrade_says_from_where_to_where_and_may_be_repeated(url: str) -> None:
    assert upgrade(url) == (None, newest())
    assert upgrade(url) == (newest(), newest())
    check(url)


def test_processes_that_start_at_once_take_turns(url: str) -> None:
    program = "import sys; from agent.ledger.schema import upgrade; print(upgrade(sys.argv[1])[0])"
    started = [
        subprocess.Popen([sys.executable, "-c", program, url], stdout=subprocess.PIPE, text=True) for _ in range(3)
    ]
    said = sorted(process.communicate()[0].strip() for process in started)
    assert said == sorted(["None", newest(), newest()])
    check(url)


async def test_starts_within_one_process_take_turns(url: str) -> None:
    ledgers = [Database(url) for _ in range(3)]
    await asyncio.gather(*(ledger.open() for ledger in ledgers))
    for ledger in ledgers:
        await ledger.close()
    check(url)


async def test_the_embedded_ledger_is_upgraded_when_it_is_opened(url: str) -> None:
    ledger = Database(url)
    await ledger.open()
    await ledger.close()
    assert revision(url) == newest()


@pytest.mark.parametrize("go", [check, upgrade])
def test_a_schema_newer_than_the_program_is_refused(url: str, file: Path, go: object) -> None:
    upgrade(url)
    at_revision(file, "9999")
    assert callable(go)
    with pytest.raises(SchemaError, match="9999, is newer"):
        go(url)
    assert revision(url) == "9999"


def test_a_ledger_without_schema_is_refused_with_what_to_do(url: str) -> None:
    with pytest.raises(SchemaError, match="run `desk db upgrade`"):
        check(url)


def test_a_database_of_somebody_else_is_left_alone(url: str, file: Path) -> None:
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("CREATE TABLE theirs (id)")
    with pytest.raises(SchemaError, match="theirs"):
        upgrade(url)
    assert revision(url) is None


def test_an_upgrade_that_fails_changes_nothing(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def breaks_off(*_: object) -> None:
        raise RuntimeError("power cut")

    monkeypatch.setattr("agent.ledger.schema._refuse_broken_references", breaks_off)
    with pytest.raises(RuntimeError, match="power cut"):
        upgrade(url)
    monkeypatch.undo()
    assert upgrade(url) == (None, newest())


def test_a_folder_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(DatabaseAwayError, match="unable to open"):
        upgrade(f"sqlite:///{tmp_path / 'nowhere' / 'ledger.db'}")
