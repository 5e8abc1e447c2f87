"""The schema on PostgreSQL: the same as the tables say, upgraded once by however many, never without being told to."""

import asyncio

import psycopg
import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext

from agent.ledger.base import Base
from agent.ledger.database import Database
from agent.ledger.engines import sync_engine
from agent.ledger.schema import SchemaError, revision, upgrade
from tests.support.ledgers import upgraded_at_once


def test_the_migrations_lead_to_what_the_tables_say(url: str) -> None:
    upgrade(url)
    with sync_engine(url).connect() as migrated:
        assert compare_metadata(MigrationContext.configure(migrated), Base.metadata) == []


def test_machines_that_upgrade_at_once_take_turns(url: str) -> None:
    upgraded_at_once(url)


async def test_a_server_does_not_upgrade_a_ledger_that_others_use(url: str) -> None:
    ledger = Database(url)
    with pytest.raises(SchemaError, match="run `desk db upgrade`"):
        await ledger.open()
    assert revision(url) is None
    await asyncio.to_thread(upgrade, url)
    await ledger.open()
    await ledger.close()


async def test_a_schema_newer_than_the_program_is_refused(url: str, ledger: Database) -> None:
    with psycopg.connect(url) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(SchemaError, match="9999, is newer"):
        await ledger.open()
    with pytest.raises(SchemaError, match="9999, is newer"):
        await asyncio.to_thread(upgrade, url)
