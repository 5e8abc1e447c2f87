"""Notifications as commands write them, and what became of them."""

from typing import Any

from sqlalchemy import select

from agent.ledger.tables import NotificationRow, OrderRow
from agent.notifications.notify import CustomerEvent, notify
from agent.services import Services
from tests.support.goods import W1001


async def note(shop: Services, event: CustomerEvent, about: str, *, order_id: str = W1001, **facts: Any) -> str:
    """Something happened to an order; the key of its notification. `about` tells several of a kind apart."""
    with shop.database.writing() as session:
        order = session.get_one(OrderRow, order_id)
        notify(session, event, about, order=order, now=shop.database.clock(), **facts)
    return f"{event}:{about}"


async def noted(shop: Services, key: str) -> NotificationRow:
    """A notification as it stands now."""
    with shop.database.reading() as session:
        return session.scalars(select(NotificationRow).where(NotificationRow.key == key)).one()
