"""Stock of a variant: held for an order, given free again, gone, come back. Each is one guarded statement."""

from sqlalchemy import ColumnElement, update
from sqlalchemy.ext.asyncio import AsyncSession

from agent.commerce.policy import denied
from agent.ledger.tables import VariantRow


async def hold(session: AsyncSession, sku: str, quantity: int, rule: str = "STOCK-SHORT") -> None:
    """Hold pieces for an order. Raises `Denied` with `rule` when there are not enough free ones."""
    free = VariantRow.on_hand - VariantRow.reserved >= quantity
    if not await _change(session, sku, free, reserved=VariantRow.reserved + quantity):
        raise denied(rule, sku)


async def free(session: AsyncSession, sku: str, quantity: int) -> None:
    """Give held pieces free again."""
    await _change(session, sku, reserved=VariantRow.reserved - quantity)


async def hand_out(session: AsyncSession, sku: str, quantity: int) -> None:
    """Held pieces leave the house."""
    await _change(session, sku, on_hand=VariantRow.on_hand - quantity, reserved=VariantRow.reserved - quantity)


async def take_back(session: AsyncSession, sku: str, quantity: int) -> None:
    """Pieces come back, to be sold again."""
    await _change(session, sku, on_hand=VariantRow.on_hand + quantity)


async def _change(
    session: AsyncSession, sku: str, *conditions: ColumnElement[bool], **values: ColumnElement[int]
) -> bool:
    changed = await session.execute(
        update(VariantRow).where(VariantRow.sku == sku, *conditions).values(**values).returning(VariantRow.sku)
    )
    return changed.first() is not None
