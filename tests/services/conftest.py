"""Real services, started when a test first needs them. Without one its tests are skipped; under CI they fail."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from agent.ledger.database import Database
from agent.ledger.schema import upgrade
from tests.cluster.engine import NotInstalledError
from tests.cluster.workers import needed
from tests.services.needed import absent, without
from tests.support.clock import Clock
from tests.support.ledgers import postgres_database
from tests.support.postgres_server import Postgres, binaries, folder_of_the_server
from tests.support.redis_server import Redis, program

if TYPE_CHECKING:
    from playwright.sync_api import Browser


@pytest.fixture(scope="session")
def programs() -> Path:
    """PostgreSQL's programs."""
    return binaries() or absent("PostgreSQL")


@pytest.fixture(scope="session")
def postgres(programs: Path) -> Iterator[Postgres]:
    """A server for all tests that leave it as it is."""
    yield from _server(programs)


@pytest.fixture
def own_postgres(programs: Path) -> Iterator[Postgres]:
    """A server that the test may stop, freeze and crash."""
    yield from _server(programs)


def _server(programs: Path) -> Iterator[Postgres]:
    with folder_of_the_server() as folder, Postgres.running(programs, folder) as server:
        yield server


@pytest.fixture(scope="session")
def engine() -> None:
    """What two workers run on and in, for `tests.cluster`."""
    try:
        needed()
    except NotInstalledError as error:
        without(str(error))


@pytest.fixture
def redis() -> Iterator[Redis]:
    """A Redis that the test may freeze and kill."""
    server = Redis(program() or absent("Redis"))
    server.start()
    try:
        yield server
    finally:
        server.stop()


@pytest.fixture(scope="module")
def browser() -> Iterator["Browser"]:
    """Debian's Chromium."""
    from tests.support import browser as support  # whose library is an extra

    with support.chromium(support.program() or absent("Chromium")) as running:
        yield running


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def url(postgres: Postgres) -> Iterator[str]:
    """An empty database."""
    with postgres_database(postgres.url) as made:
        yield made


@pytest.fixture
async def ledger(url: str, clock: Clock) -> AsyncIterator[Database]:
    """A ledger without a shop."""
    await asyncio.to_thread(upgrade, url)
    database = Database(url, clock)
    yield database
    await database.close()
