"""Heartbeats: when what must go on by itself last did. Who is alarmed by a silence is not said here."""

from datetime import datetime

from agent.ledger.database import Database
from agent.ledger.tables import HeartbeatRow


class Heartbeat:
    """The heartbeat of one thing, for all processes that use the ledger."""

    def __init__(self, database: Database, name: str) -> None:
        self._db = database
        self._name = name

    async def beat(self) -> None:
        """It goes on, now."""
        async with self._db.write() as session:
            await session.merge(HeartbeatRow(name=self._name, at=self._db.clock()))

    async def last(self) -> datetime | None:
        """When it last did; None: never."""
        async with self._db.read() as session:
            row = await session.get(HeartbeatRow, self._name)
        return row.at if row else None
