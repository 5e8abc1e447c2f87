"""An order's rows, for a transaction that is about to change them."""

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from agent.commerce.policy import denied
from agent.ledger.tables import OrderLineRow, OrderRow


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
