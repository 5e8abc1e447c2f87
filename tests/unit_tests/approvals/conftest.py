"""Approvals over a ledger of their own; nothing else of the shop is needed."""

from collections.abc import AsyncIterator

import pytest

from agent.approvals.deadlines import Deadlines
from agent.approvals.requests import Approvals
from agent.approvals.trail import Trail
from agent.ledger.database import Database
from tests.support.clock import Clock


@pytest.fixture
async def database(ledger_url: str, clock: Clock) -> AsyncIterator[Database]:
    built = Database(ledger_url, clock)
    yield built
    await built.close()


@pytest.fixture
def trail() -> Trail:
    return Trail([b"a key of the tests"])


@pytest.fixture
def approvals(database: Database, trail: Trail) -> Approvals:
    return Approvals(database, trail)


@pytest.fixture
def deadlines(database: Database) -> Deadlines:
    return Deadlines(database)
