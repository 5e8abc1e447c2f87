"""A heartbeat is one row, whoever writes it, and however many at once."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from agent.ledger.database import Database
from agent.ledger.heartbeat import Heartbeat


@pytest.fixture
async def ledger(ledger_url: str) -> AsyncIterator[Database]:
    database = Database(ledger_url)
    yield database
    await database.close()


async def test_first_heartbeats_at_the_same_time_are_one(ledger: Database) -> None:
    one, other = Heartbeat(ledger, "something"), Heartbeat(ledger, "something")
    await asyncio.gather(*(each.record() for each in (one, other) * 8))
    assert await one.last() is not None
    await other.forget()
    assert await one.last() is None
