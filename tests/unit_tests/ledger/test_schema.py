"""The schema's way: from nothing to what the tables say, once, whoever starts at the same time, and never backwards."""

import asyncio
import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any
from uuid import NAMESPACE_URL, uuid5

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, create_engine, inspect

from agent.commerce.tickets import asked_in_turn
from agent.ledger.base import Base
from agent.ledger.database import Database
from agent.ledger.database_errors import DatabaseUnavailableError
from agent.ledger.engines import sync_engine
from agent.ledger.invariants import CHECKS, violations
from agent.ledger.schema import SchemaError, check, config, known, newest, revision, take_steps, upgrade
from tests import releases
from tests.support.ledgers import upgraded_at_once


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


@pytest.mark.thorough
def test_the_next_revision_holds_only_what_is_new(tmp_path: Path) -> None:
    """In a process of its own, as `make migration` runs: there only what it imports has made itself known."""
    shutil.copytree(Path(__file__).parents[3] / "src", tmp_path / "src")
    made = subprocess.run(
        [sys.executable, "-m", "agent.ledger.migrations", "nothing_new"],
        cwd=tmp_path / "src",
        env={**os.environ, "PYTHONPATH": str(tmp_path / "src")},
        capture_output=True,
        text=True,
        check=True,
    )
    [written] = (tmp_path / "src").glob("agent/ledger/migrations/versions/*_nothing_new.py")
    assert "op." not in written.read_text(), made.stdout


def test_the_migrations_lead_to_what_the_tables_say(url: str) -> None:
    """When this fails, tables were changed without a revision: `make migration NAME=what_changed`."""
    upgrade(url)
    plain = create_engine("sqlite://")
    with sync_engine(url).connect() as migrated, plain.connect() as declared:
        Base.metadata.create_all(declared)
        assert compare_metadata(MigrationContext.configure(migrated), Base.metadata) == []
        assert constraints(migrated) == constraints(declared)
    plain.dispose()


def test_the_steps_are_named_after_their_revisions() -> None:
    steps = ScriptDirectory.from_config(config())
    assert list(known()) == [step.revision for step in steps.walk_revisions()][::-1]
    assert steps.get_current_head() == newest()


def test_an_upgrade_says_from_where_to_where_and_may_be_repeated(url: str) -> None:
    assert upgrade(url) == (None, newest())
    assert upgrade(url) == (newest(), newest())
    check(url)


def test_tickets_of_before_are_for_the_first_role_of_their_topic(file: Path, url: str) -> None:
    with sync_engine(url).begin() as before:
        take_steps(before, "0009")
    topics = ("technical", "billing", "security", "order", "account", "question")
    with closing(sqlite3.connect(file)) as connection, connection:
        rows = [(topic, topic, "", "open", "2026-06-01") for topic in topics]
        connection.executemany("INSERT INTO tickets (id, topic, text, status, at) VALUES (?, ?, ?, ?, ?)", rows)

    upgrade(url)

    with closing(sqlite3.connect(file)) as connection:
        after = connection.execute("SELECT topic, role FROM tickets WHERE due_at IS NOT NULL").fetchall()
    assert dict(after) == {topic: asked_in_turn(topic)[0] for topic in topics}


def test_processes_that_start_at_once_take_turns(url: str) -> None:
    upgraded_at_once(url)


async def test_starts_within_one_process_take_turns(url: str) -> None:
    ledgers = [Database(url) for _ in range(12)]
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
    with pytest.raises(DatabaseUnavailableError, match="unable to open"):
        upgrade(f"sqlite:///{tmp_path / 'nowhere' / 'ledger.db'}")


@pytest.fixture
def upgraded(file: Path, url: str) -> Callable[[str], Any]:
    """Asks the ledger that release 0.1.0 left of a shop at work, after its upgrade: the rows of a query."""
    with closing(sqlite3.connect(file)) as connection:
        connection.executescript((Path(releases.__file__).parent / "0.1.0" / "ledger.sql").read_text())
    assert upgrade(url) == ("0001", newest())

    def ask(query: str) -> list[tuple[Any, ...]]:
        with closing(sqlite3.connect(file)) as connection:
            return connection.execute(query).fetchall()

    return ask


def test_payments_of_0_1_0_are_first_attempts_at_the_only_provider(upgraded: Callable[[str], Any]) -> None:
    rows = upgraded("SELECT method_id, attempt, provider, asks FROM payments")
    assert {(method == "ella_gift", *more) for method, *more in rows} == {(False, 1, "sandbox", 0), (True, 1, None, 0)}


def test_debts_of_0_1_0_are_refunds_that_are_due(upgraded: Callable[[str], Any]) -> None:
    rows = upgraded("SELECT kind, next_at = at, asked, parcel_id FROM debts")
    assert set(rows) == {("refund", 1, 0, None)}


def test_parcels_of_orders_that_0_1_0_cancelled_are_stopped(upgraded: Callable[[str], Any]) -> None:
    rows = upgraded("SELECT parcels.state FROM parcels JOIN orders ON orders.id = order_id WHERE status = 'cancelled'")
    assert set(rows) == {("stopped",)}


def test_orders_of_0_1_0_keep_the_threads_that_everyone_knows(upgraded: Callable[[str], Any]) -> None:
    rows = upgraded("SELECT id, generation, thread_id, allow_partial FROM orders")
    assert rows == [
        (order, generation, str(uuid5(NAMESPACE_URL, f"order:{order}:{generation}")), 0)
        for order, generation, *_ in rows
    ]


async def test_a_ledger_of_0_1_0_keeps_every_promise(upgraded: Callable[[str], Any], url: str) -> None:
    assert upgraded("PRAGMA foreign_key_check") == []
    ledger = Database(url)
    with ledger.reading() as session:
        assert [found for each in CHECKS for found in violations(session, each)] == []
    await ledger.close()


@pytest.mark.parametrize(
    ("status", "becomes"), [("exchange requested", ("open", 0, 1)), ("returned", ("received", 1, 0))]
)
def test_a_return_of_pieces_becomes_one_of_lines(
    file: Path, url: str, status: str, becomes: tuple[str, int, int]
) -> None:
    """An order had one, with its pieces one by one; those of the same line and price are gathered."""
    state, received, held = becomes
    with closing(sqlite3.connect(file)) as connection:
        connection.executescript((Path(releases.__file__).parent / "0.1.0" / "ledger.sql").read_text())
        connection.executescript(
            "INSERT INTO returns VALUES ('W-1001', 'ada_card', 2000, '2026-06-01 12:00:00');"
            "INSERT INTO returned_pieces VALUES ('W-1001', 1, 'LAMP-OAK', 'LAMP-BRASS');"
        )
        connection.execute("UPDATE orders SET status = ? WHERE id = 'W-1001'", (status,))
        connection.commit()
    upgrade(url)
    with closing(sqlite3.connect(file)) as connection:
        [found] = connection.execute("SELECT id, order_id, kind, amount, state FROM returns").fetchall()
        [line] = connection.execute(
            "SELECT return_id, sku, quantity, unit_price, received, new_sku, new_price, held, sent FROM return_lines"
        ).fetchall()
    assert found == ("W-1001/r1", "W-1001", "exchange", 20_00, state)
    assert line == ("W-1001/r1", "LAMP-OAK", 1, 69_00, received, "LAMP-BRASS", 89_00, held, received)
