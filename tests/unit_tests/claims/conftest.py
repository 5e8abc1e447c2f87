"""Two workers, in processes of their own, on the ledger of each test."""

from collections.abc import Iterator

import pytest

from agent.services import Services
from agent.settings import Settings
from tests.support.clock import Clock
from tests.support.workers import Pair, Worker
from tests.unit_tests.commerce.conftest import config, imported

__all__ = ["config", "imported"]  # SQLite, or PostgreSQL by TEST_DATABASE_URL; parcels wait for the test's own van


@pytest.fixture(scope="session")
def started() -> Iterator[list[Worker]]:
    """Started once, since that takes seconds."""
    workers = [Worker(), Worker()]
    yield workers
    for worker in workers:
        worker.end()


@pytest.fixture
def workers(started: list[Worker], shop: Services, config: Settings, clock: Clock) -> Pair:
    """The two on this test's shop."""
    return Pair(started, config, clock)
