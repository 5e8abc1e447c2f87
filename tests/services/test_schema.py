"""The schema on PostgreSQL: the same as the tables say, upgraded once by however many, never without being told to."""

import asyncio
import subprocess
import sys

import psycopg
import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext

from agent.ledger.base import Base
from agent.ledger.database import Database
from agent.ledger.engines import sync_engine
from agent.ledger.schema import SchemaError, check, newest, revision, upgrade


def test_the_migrations_lead_to_what_the_tables_say(url: str) -> None:
    upgrade(url)
    with sync_engine(url).connect() as migrated:
        assert compare_metadata(MigrationContext.configure(migrated), Base.metadata) == []


def test_machines_that_upgrade_at_once_take_turns(url: str) -> None:
    program = "import sys; from agent.ledger.schema import upgrade; print(upgrade(sys.argv[1])[0])"
    started = [
        subprocess.Popen([sys.executable, "-c", program, url], stdout=subprocess.PIPE, text=True) for _ in range(3)
    ]
    said = sorted(process.communicate()[0].strip() for process in started)
    assert said == sorted(["None", newest(), newest()])
    check(url)


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
