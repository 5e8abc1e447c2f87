"""Backups of a ledger on PostgreSQL: of one moment, under load, put back whole or not at all."""

import asyncio
import dataclasses
import shutil
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from sqlalchemy import text

from agent import services as composition
from agent.ledger import backup_postgres
from agent.ledger.backup import backup, restore
from agent.ledger.contents import BackupError
from agent.ledger.database import Database
from agent.ledger.engines import sync_engine
from agent.ledger.invariants import CHECKS, violations
from agent.ledger.objects import strangers
from agent.ledger.schema import check, newest, upgrade
from agent.services import Services
from agent.settings import Settings
from tests.services.ledgers import add, eventually, products
from tests.support.clock import Clock
from tests.support.ledgers import postgres_database
from tests.support.postgres_server import Postgres


def say(_: str) -> None:
    """Nobody watches."""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "backup"


@pytest.fixture
def other(postgres: Postgres) -> Iterator[str]:
    """Where to restore: an empty database."""
    with postgres_database(postgres.url) as made:
        yield made


@pytest.fixture
async def shop(url: str, tmp_path: Path, clock: Clock) -> AsyncIterator[Services]:
    """The demo shop."""
    upgrade(url)
    built = await composition.build(Settings(data_dir=tmp_path / "data", database_url=url), clock)
    yield built
    await built.close()


async def products_at(url: str) -> list[str]:
    database = Database(url)
    try:
        return await products(database)
    finally:
        await database.close()


async def test_the_shop_comes_back_to_the_cent(url: str, other: str, file: Path, shop: Services) -> None:
    taken = await asyncio.to_thread(backup, url, file, force=False, say=say)
    assert taken.rows["orders"] == 15
    assert taken.money["orders.total"] > 0
    assert await asyncio.to_thread(restore, other, file, force=False, say=say) == taken
    check(other)
    database = Database(other)
    with database.reading() as session:
        assert [broken for each in CHECKS for broken in violations(session, each)] == []
    await database.close()


async def test_a_backup_under_load_is_of_one_moment(url: str, other: str, file: Path, ledger: Database) -> None:
    async def work() -> None:
        for number in range(100_000):
            await add(ledger, f"{number:05}")

    async def under_way() -> bool:
        return len(await products(ledger)) > 20

    working = asyncio.create_task(work())
    await eventually(under_way)
    before = await products(ledger)
    await asyncio.to_thread(backup, url, file, force=False, say=say)
    assert not working.done()
    working.cancel()
    await asyncio.wait([working])
    kept = await asyncio.to_thread(restore, other, file, force=False, say=say)
    assert kept.rows["products"] == kept.rows["effects"]  # they are written together
    assert set(before) <= set(await products_at(other)) <= set(await products(ledger))


async def test_a_ledger_that_is_not_empty_is_not_overwritten_unless_told(
    url: str, file: Path, ledger: Database
) -> None:
    await add(ledger, "lamp")
    await asyncio.to_thread(backup, url, file, force=False, say=say)
    await add(ledger, "rug")
    with pytest.raises(BackupError, match="not empty"):
        await asyncio.to_thread(restore, url, file, force=False, say=say)
    assert await products(ledger) == ["lamp", "rug"]
    await asyncio.to_thread(restore, url, file, force=True, say=say)
    assert await products(ledger) == ["lamp"]
    assert await add(ledger, "rug") == {"added": "rug"}


async def test_what_does_not_add_up_is_not_committed(url: str, file: Path, ledger: Database) -> None:
    await add(ledger, "lamp")
    taken = await asyncio.to_thread(backup, url, file, force=False, say=say)
    await add(ledger, "rug")
    wrong = dataclasses.replace(taken, rows=taken.rows | {"products": 7})
    with pytest.raises(BackupError, match="products"):
        await asyncio.to_thread(backup_postgres.load, url, file, wrong, say)
    assert await products(ledger) == ["lamp", "rug"]


@pytest.mark.parametrize("damage", ["cut short", "no backup"])
async def test_a_broken_backup_is_refused(url: str, file: Path, ledger: Database, damage: str) -> None:
    await add(ledger, "lamp")
    await asyncio.to_thread(backup, url, file, force=False, say=say)
    whole = await asyncio.to_thread(file.read_bytes)
    await asyncio.to_thread(file.write_bytes, whole[: len(whole) // 2] if damage == "cut short" else b"lamp, rug")
    with pytest.raises(BackupError):
        await asyncio.to_thread(restore, url, file, force=True, say=say)
    assert await products(ledger) == ["lamp"]


def test_no_ledger_no_backup(url: str, file: Path) -> None:
    with pytest.raises(BackupError, match="no ledger"):
        backup(url, file, force=False, say=say)
    assert not file.exists()


async def test_without_the_tools_it_says_what_to_install(
    url: str, file: Path, ledger: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "which", lambda _: None)
    with pytest.raises(BackupError, match="pg_dump is not installed"):
        await asyncio.to_thread(backup, url, file, force=False, say=say)


async def test_an_archive_with_a_trigger_in_it_is_refused(url: str, other: str, file: Path, shop: Services) -> None:
    with sync_engine(url).begin() as connection:
        connection.execute(text("CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'"))
        connection.execute(text("CREATE TRIGGER t BEFORE INSERT ON products FOR EACH ROW EXECUTE FUNCTION f()"))
        assert strangers(connection, newest()) == ["function f", "trigger t of products"]
    await asyncio.to_thread(backup, url, file, force=False, say=say)
    with pytest.raises(BackupError, match="trigger products t"):
        await asyncio.to_thread(restore, other, file, force=False, say=say)
