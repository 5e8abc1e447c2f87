"""Notices as commands write them, and what became of them.

Nothing is sent here: the outbox does that, and its tests look at it.
"""

from typing import Any

from sqlalchemy import select

from agent.ledger.notices import NoticeEvent, notify
from agent.ledger.tables import NoticeRow, OrderRow
from agent.services import Services


async def note(shop: Services, event: NoticeEvent, about: str, *, order_id: str = "W-1001", **facts: Any) -> str:
    """Something happened to an order; the key of its notice. `about` tells several of a kind apart."""
    with shop.database.writing() as session:
        order = session.get_one(OrderRow, order_id)
        notify(session, event, about, order=order, now=shop.database.clock(), **facts)
    return f"{event}:{about}"


async def noted(shop: Services, key: str) -> NoticeRow:
    """A notice as it stands now."""
    with shop.database.reading() as session:
        return session.scalars(select(NoticeRow).where(NoticeRow.key == key)).one()
