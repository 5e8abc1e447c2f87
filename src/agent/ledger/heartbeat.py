"""Heartbeats: when what must go on by itself last did. Who is alarmed by a silence is not said here."""

from datetime import datetime
from importlib import import_module
from typing import Any

from sqlalchemy import delete
from sqlalchemy.orm import Session

from agent.ledger.database import Database
from agent.ledger.tables import HeartbeatRow
from agent.ledger.transactions import reads, writes


def beat(session: Session, name: str, at: datetime) -> None:
    """Write a heartbeat; whoever else writes the first one at the same time is in nobody's way."""
    dialect = session.get_bind().dialect.name
    insert: Any = import_module(f"sqlalchemy.dialects.{dialect}").insert  # loads no other dialect: that takes 0.1 s
    first = insert(HeartbeatRow).values(name=name, at=at)
    session.execute(first.on_conflict_do_update(index_elements=["name"], set_={"at": at}))


class Heartbeat:
    """The heartbeat of one thing, for all processes that use the ledger."""

    def __init__(self, database: Database, name: str) -> None:
        self._db = database
        self._name = name

    @writes
    def record(self, session: Session) -> None:
        """It goes on, now."""
        beat(session, self._name, self._db.clock())

    @writes
    def forget(self, session: Session) -> None:
        """There is nothing to be heard of any more."""
        session.execute(delete(HeartbeatRow).where(HeartbeatRow.name == self._name))

    @reads
    def last(self, session: Session) -> datetime | None:
        """When it last did; None: never."""
        row = session.get(HeartbeatRow, self._name)
        return row.at if row else None
