"""Quarantine: states that could not be true, kept as they were found for whoever looks into it."""

from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from agent.ledger.database import Database, digest, take_turn
from agent.ledger.tables import QuarantineRow
from agent.ledger.transactions import writes

LATEST: Final = 50
"""How many are listed."""


class Quarantine:
    """Where damaged states are kept."""

    def __init__(self, database: Database) -> None:
        self._db = database

    @writes
    def keep(  # noqa: PLR0917
        self, session: Session, thread_id: str, order_id: str | None, node: str, found: str, state: dict[str, Any]
    ) -> None:
        """Keep a state (JSON) that was found damaged at a node; the same one again is kept once."""
        key = digest([thread_id, node, state])[:40]
        take_turn(session, key)
        if session.get(QuarantineRow, key) is None:
            session.add(
                QuarantineRow(
                    id=key,
                    thread_id=thread_id,
                    order_id=order_id,
                    node=node,
                    found=found[:500],
                    state=state,
                    at=self._db.clock(),
                )
            )


def latest(session: Session) -> Sequence[QuarantineRow]:
    """The states that were kept, the latest first."""
    return session.scalars(select(QuarantineRow).order_by(QuarantineRow.at.desc()).limit(LATEST)).all()
