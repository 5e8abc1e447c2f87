"""Backups of the embedded ledger: whole, true to one moment, never over something that was not to be lost."""

import asyncio
import re
import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy.orm import Session

from agent.ledger.backup import backup, restore
from agent.ledger.contents import BackupError
from agent.ledger.database import Database, Effect, Json
from agent.ledger.schema import SchemaError, newest
from agent.ledger.tables import ProductRow
from tests.support.ledgers import new_ledger


def say(_: str) -> None:
    """Nobody watches."""


@pytest.fixture
def url(tmp_path: Path) -> str:
    """A ledger with a lamp in it."""
    made = new_ledger(tmp_path)
    put(made, "lamp")
    return made


@pytest.fixture
def other(tmp_path: Path) -> str:
    """Where to restore: an empty ledger on another machine."""
    return f"sqlite:///{tmp_path / 'other.db'}"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "backup"


@pytest.fixture
async def ledger(url: str) -> AsyncIterator[Database]:
    """The ledger, in use."""
    database = Database(url)
    yield database
    await database.close()


async def add(database: Database, product: str) -> Json:
    def act(session: Session) -> Json:
        session.add(ProductRow(id=product, name="Lamp"))
        return {"added": product}

    return await database.once(Effect(f"add:{product}", "Add", "ada", "ada_park"), act)


def put(url: str, product: str) -> None:
    with closing(sqlite3.connect(url.removeprefix("sqlite:///"))) as connection, connection:
        connection.execute("INSERT INTO products VALUES (?, 'Lamp')", (product,))


def products(of: Path | str) -> list[str]:
    with closing(sqlite3.connect(str(of).removeprefix("sqlite:///"))) as connection:
        return [name for (name,) in connection.execute("SELECT id FROM products ORDER BY id")]


def test_what_was_backed_up_is_restored(url: str, other: str, file: Path) -> None:
    taken = backup(url, file, force=False, say=say)
    assert (taken.revision, taken.rows["products"], taken.money["orders.total"]) == (newest(), 1, 0)
    assert restore(other, file, force=False, say=say) == taken
    assert products(other) == ["lamp"]


def test_a_backup_is_one_file_that_only_we_can_read(url: str, file: Path) -> None:
    backup(url, file, force=False, say=say)
    assert file.stat().st_mode & 0o777 == 0o600
    assert sorted(path.name for path in file.parent.glob("*backup*")) == ["backup"]


async def test_a_backup_under_load_is_of_one_moment(url: str, other: str, file: Path, ledger: Database) -> None:
    """Product and effect are written together: a torn copy would have one without the other."""
    working = asyncio.create_task(_work(ledger))
    await _written(url, 20)
    before = products(url)
    await asyncio.to_thread(backup, url, file, force=False, say=say)
    assert not working.done()
    working.cancel()
    await asyncio.wait([working])
    kept = restore(other, file, force=False, say=say)
    assert kept.rows["products"] == kept.rows["effects"] + 1  # the lamp had none
    assert set(before) <= set(products(other)) <= set(products(url))


async def _work(ledger: Database) -> None:
    for number in range(10_000):
        await add(ledger, f"{number:05}")


async def _written(url: str, many: int) -> None:
    async with asyncio.timeout(30):
        while len(products(url)) < many:  # noqa: ASYNC110  (the database is asked, as anybody would)
            await asyncio.sleep(0.01)


def test_a_file_that_is_there_is_not_overwritten_unless_told(url: str, file: Path) -> None:
    file.write_text("precious")
    with pytest.raises(BackupError, match="--force"):
        backup(url, file, force=False, say=say)
    assert file.read_text() == "precious"
    backup(url, file, force=True, say=say)
    assert products(file) == ["lamp"]


def test_a_backup_that_fails_leaves_no_file(url: str, file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    taken = backup(url, file, force=False, say=say)
    file.unlink()
    monkeypatch.setattr("agent.ledger.backup_sqlite.read", lambda _: taken)
    put(url, "rug")
    with pytest.raises(BackupError, match="not what was copied"):
        backup(url, file, force=False, say=say)
    assert list(file.parent.glob("*backup*")) == []


def test_a_ledger_that_is_not_empty_is_not_overwritten_unless_told(url: str, file: Path) -> None:
    backup(url, file, force=False, say=say)
    put(url, "rug")
    with pytest.raises(BackupError, match="not empty"):
        restore(url, file, force=False, say=say)
    assert products(url) == ["lamp", "rug"]
    restore(url, file, force=True, say=say)
    assert products(url) == ["lamp"]


async def test_a_ledger_in_use_goes_on_with_what_was_restored(url: str, file: Path, ledger: Database) -> None:
    backup(url, file, force=False, say=say)
    await add(ledger, "rug")
    await asyncio.to_thread(restore, url, file, force=True, say=say)
    assert await add(ledger, "vase") == {"added": "vase"}
    assert products(url) == ["lamp", "vase"]


@pytest.mark.parametrize("damage", ["nothing in it", "cut short", "a page overwritten", "no ledger", "not there"])
def test_a_broken_backup_is_refused(url: str, other: str, file: Path, damage: str) -> None:
    backup(url, file, force=False, say=say)
    whole = file.read_bytes()
    match damage:
        case "nothing in it":
            file.write_bytes(b"")
        case "cut short":
            file.write_bytes(whole[: len(whole) // 2])
        case "a page overwritten":
            file.write_bytes(whole[:8192] + b"\xff" * 4096 + whole[12288:])
        case "no ledger":
            file.write_text("lamp, rug, vase")
        case "not there":
            file.unlink()
    with pytest.raises(BackupError, match="backup"):
        restore(url, file, force=True, say=say)
    assert products(url) == ["lamp"]


def test_a_backup_newer_than_the_program_is_refused(url: str, other: str, file: Path) -> None:
    backup(url, file, force=False, say=say)
    with closing(sqlite3.connect(file)) as connection, connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(SchemaError, match="newer"):
        restore(other, file, force=False, say=say)


@pytest.mark.parametrize(
    ("strange", "named"),
    [
        ("CREATE TRIGGER t AFTER INSERT ON products BEGIN DELETE FROM products; END", "trigger t of products"),
        ("CREATE VIEW v AS SELECT * FROM products", "view v of v"),
        ("CREATE TABLE notes (x)", "table notes of notes"),
        ("CREATE INDEX i ON products (name)", "index i of products"),
        (
            "ALTER TABLE products ADD COLUMN x INTEGER GENERATED ALWAYS AS (1) VIRTUAL",
            "column x (generated) of products",
        ),
    ],
)
def test_a_backup_with_more_in_it_than_a_ledger_is_refused(
    url: str, other: str, file: Path, strange: str, named: str
) -> None:
    backup(url, file, force=False, say=say)
    with closing(sqlite3.connect(file)) as connection, connection:
        connection.execute(strange)
    with pytest.raises(BackupError, match=re.escape(named)):
        restore(other, file, force=False, say=say)
    assert not Path(other.removeprefix("sqlite:///")).exists()


def test_no_ledger_no_backup(other: str, file: Path) -> None:
    with pytest.raises(BackupError, match="no ledger"):
        backup(other, file, force=False, say=say)
    assert not Path(other.removeprefix("sqlite:///")).exists()
