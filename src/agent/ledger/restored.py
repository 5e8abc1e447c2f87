"""The mark of a restored ledger: money may have moved since its backup was taken, and it knows nothing of that.

It stays in the ledger, as a heartbeat at the time of its latest movement of money, until it was held against the
providers.
"""

from typing import Final

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from agent.ledger.database import utc_now
from agent.ledger.engines import sync_engine
from agent.ledger.tables import HeartbeatRow, MoneyEntryRow

RESTORED: Final = "restored"


def mark_restored(url: str) -> None:
    """Note that the ledger at `url` comes from a backup. Raises the driver's errors."""
    with Session(sync_engine(url)) as session, session.begin():
        latest = session.scalar(select(func.max(MoneyEntryRow.at)))
        session.merge(HeartbeatRow(name=RESTORED, at=min(latest, utc_now()) if latest else utc_now()))
