"""An order's rows, for a transaction that is about to change them; or a case for a person, when it can't."""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from agent.commerce.policy import denied
from agent.ledger.database import digest
from agent.ledger.tables import OrderLineRow, OrderRow, TicketRow


async def locked(session: AsyncSession, order_id: str) -> OrderRow:
    """The order's row, locked for this transaction. Raises `Denied` ORDER-EXISTS."""
    order = await session.get(OrderRow, order_id, with_for_update=True)
    if order is None:
        raise denied("ORDER-EXISTS", order_id)
    return order


async def own(session: AsyncSession, order_id: str, customer_id: str) -> OrderRow:
    """The customer's own order, locked. Raises `Denied` ORDER-EXISTS, the same for another's as for none."""
    order = await session.get(OrderRow, order_id, with_for_update=True)
    if order is None or order.customer_id != customer_id:
        raise denied("ORDER-EXISTS", order_id)
    return order


async def lines_of(session: AsyncSession, order_id: str) -> list[OrderLineRow]:
    """The order's lines, by number."""
    query = select(OrderLineRow).where(OrderLineRow.order_id == order_id).order_by(OrderLineRow.number)
    return list((await session.scalars(query)).all())


async def open_case(
    session: AsyncSession, order: OrderRow, about: str, *, topic: str, text: str, now: datetime
) -> None:
    """Have a person look into an order: one ticket for each thing that it is `about`."""
    ticket_id = f"tic-{digest(about)[:12]}"
    if await session.get(TicketRow, ticket_id) is None:
        session.add(
            TicketRow(
                id=ticket_id,
                customer_id=order.customer_id,
                order_id=order.id,
                topic=topic,
                text=text,
                status="open",
                at=now,
            )
        )
