"""Changed items whose difference is not paid yet: the pieces that they replaced stay held, so that there is a way back.

Each function is part of somebody else's transaction.
"""

from collections import Counter
from collections.abc import Sequence

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from agent.commerce import stock
from agent.commerce.locks import lines_of
from agent.commerce.parcels import parcels_of
from agent.ledger.tables import ChangedPieceRow, OrderLineRow, OrderRow


def unpaid_pieces(session: Session, order_id: str) -> Sequence[ChangedPieceRow]:
    """The pieces that were replaced by a change that is not paid."""
    query = select(ChangedPieceRow).where(ChangedPieceRow.order_id == order_id).order_by(ChangedPieceRow.number)
    return session.scalars(query).all()


def keep(session: Session, order_id: str, replaced: Sequence[tuple[str, str, int, int]]) -> None:
    """Keep the replaced pieces (old SKU, new SKU, quantity, old unit price) held until the change is paid."""
    session.add_all(
        ChangedPieceRow(
            order_id=order_id, number=number, sku=sku, new_sku=new_sku, quantity=quantity, unit_price=unit_price
        )
        for number, (sku, new_sku, quantity, unit_price) in enumerate(replaced, 1)
    )


def let_go(session: Session, order_id: str) -> None:
    """There is no way back any more, or none is needed: what was replaced is free."""
    pieces = Counter[str]()
    for piece in unpaid_pieces(session, order_id):
        pieces[piece.sku] += piece.quantity
    if pieces:
        stock.free(session, pieces)
        session.execute(delete(ChangedPieceRow).where(ChangedPieceRow.order_id == order_id))


def take_back(session: Session, order: OrderRow) -> None:
    """Put the replaced pieces back in their places, at their price; the order is as if nothing had been changed."""
    pieces, lines = unpaid_pieces(session, order.id), lines_of(session, order.id)
    new = Counter[str]()
    for piece in pieces:
        order.total += replace_pieces(
            session, order, lines, old=piece.new_sku, new=piece.sku, price=piece.unit_price, quantity=piece.quantity
        )
        new[piece.new_sku] += piece.quantity
    order.status = "pending"
    stock.free(session, new)
    session.execute(delete(ChangedPieceRow).where(ChangedPieceRow.order_id == order.id))


def replace_pieces(
    session: Session, order: OrderRow, lines: list[OrderLineRow], *, old: str, new: str, price: int, quantity: int
) -> int:
    """Put new pieces, held already, in the place of old ones; returns the difference in price, in minor units."""
    difference = 0
    while quantity:
        line = next(line for line in lines if line.sku == old and line.reservation == "held")
        number = min(quantity, line.quantity)
        difference += number * (price - line.unit_price)
        quantity -= number
        if number == line.quantity:
            line.sku, line.unit_price = new, price
            continue
        line.quantity -= number
        added = OrderLineRow(
            order_id=order.id,
            number=max(each.number for each in lines) + 1,
            sku=new,
            quantity=number,
            unit_price=price,
            reservation=line.reservation,
        )
        session.add(added)
        lines.append(added)
        for parcel in parcels_of(session, order.id):
            if line.number in parcel.lines:
                parcel.lines = [*parcel.lines, added.number]
    return difference
