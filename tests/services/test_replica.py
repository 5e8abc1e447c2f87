"""A streaming replica: serves what may be stale and nothing else, and its absence is hardly noticed."""

import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import psycopg
import pytest
from prometheus_client import REGISTRY

from agent import services as composition
from agent.ledger.database import Database
from agent.ledger.database_errors import DatabaseUnavailableError
from agent.ledger.schema import upgrade
from agent.services import Services
from agent.settings import Settings
from tests.services.ledgers import add, all_products, eventually, products
from tests.support.postgres_server import Postgres, folder_of_the_server

BOUND = 10.0
"""Seconds: the check of a connection that says nothing, a new one, and what a busy machine adds."""


@pytest.fixture
def replica(programs: Path, own_postgres: Postgres) -> Iterator[Postgres]:
    """A replica of the test's own server."""
    upgrade(own_postgres.url)
    with folder_of_the_server() as folder:
        server = Postgres(programs, folder)
        server.follow(own_postgres)
        server.start()
        try:
            yield server
        finally:
            server.stop()


@pytest.fixture
async def shop(own_postgres: Postgres, replica: Postgres, tmp_path: Path) -> AsyncIterator[Services]:
    """Services on both, put together from settings; no shop is in there."""
    config = Settings(
        data_dir=tmp_path,
        database_url=own_postgres.url,
        database_replica_url=replica.url,
        database_connect_timeout_seconds=2,
        seed_shop=False,
    )
    built = await composition.build(config)
    yield built
    await built.close()


@pytest.fixture
def ledger(shop: Services) -> Database:
    return shop.database


def replay(replica: Postgres, what: str) -> None:
    with psycopg.connect(replica.url, autocommit=True) as connection:
        connection.execute(f"SELECT pg_wal_replay_{what}()".encode())


async def caught_up(ledger: Database, product: str) -> None:
    async def there() -> bool:
        return product in await ledger.read_stale(all_products)

    await eventually(there)


def skipped() -> float:
    return REGISTRY.get_sample_value("desk_events_total", {"event": "replica.skipped"}) or 0.0


async def test_reads_that_may_be_stale_go_to_the_replica_and_no_others(ledger: Database, replica: Postgres) -> None:
    before = skipped()
    await add(ledger, "lamp")
    await caught_up(ledger, "lamp")
    replay(replica, "pause")
    await add(ledger, "rug")
    assert await ledger.read_stale(all_products) == ["lamp"]
    assert await products(ledger) == ["lamp", "rug"]
    assert await add(ledger, "rug") == {"added": "rug"}
    replay(replica, "resume")
    await caught_up(ledger, "rug")
    assert skipped() == before


async def test_a_paused_replica_breaks_neither_reads_nor_writes(ledger: Database, replica: Postgres) -> None:
    await add(ledger, "lamp")
    await caught_up(ledger, "lamp")
    before = skipped()
    with replica.paused():
        started = time.monotonic()
        assert await ledger.read_stale(all_products) == ["lamp"]
        assert time.monotonic() - started < BOUND
        started = time.monotonic()
        assert await add(ledger, "rug") == {"added": "rug"}
        assert await ledger.read_stale(all_products) == ["lamp", "rug"]  # it is left alone now
        assert time.monotonic() - started < 1.5
    assert skipped() == before + 2


async def test_a_replica_that_is_away_is_used_again_when_it_is_back(ledger: Database, replica: Postgres) -> None:
    await add(ledger, "lamp")
    await caught_up(ledger, "lamp")
    replica.stop()
    assert await ledger.read_stale(all_products) == ["lamp"]
    replica.start()
    replay(replica, "pause")
    await add(ledger, "rug")

    async def stale() -> bool:
        return await ledger.read_stale(all_products) == ["lamp"]

    await eventually(stale)


async def test_an_error_of_the_question_is_the_askers(ledger: Database) -> None:
    def wrong(_: object) -> None:
        raise LookupError("no such order")

    before = skipped()
    with pytest.raises(LookupError):
        await ledger.read_stale(wrong)
    assert skipped() == before


async def test_a_ledger_whose_address_leads_to_a_standby_is_away_until_that_one_is_promoted(replica: Postgres) -> None:
    database = Database(replica.url)
    with pytest.raises(DatabaseUnavailableError, match="read-only"):
        await add(database, "lamp")
    with psycopg.connect(replica.url, autocommit=True) as connection:

        async def nobody_holds_on_to_it() -> bool:
            others = "SELECT count(*) FROM pg_stat_activity WHERE usename = 'desk' AND pid <> pg_backend_pid()"
            return connection.execute(others + " AND backend_type = 'client backend'").fetchone() == (0,)

        await eventually(nobody_holds_on_to_it)
        connection.execute("SELECT pg_promote()")
    assert await add(database, "lamp") == {"added": "lamp"}
    await database.close()
