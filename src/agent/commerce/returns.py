"""What a customer may do with a delivered order: give pieces back or exchange them; and what follows on that."""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from agent.commerce import stock
from agent.commerce.booking import GIFT_CARD, demand, gift_balance, give_back, own_method
from agent.commerce.changes import check_owned, check_swaps
from agent.commerce.commands import ReceiveReturn, RequestExchange, RequestReturn
from agent.commerce.policy import denied
from agent.commerce.rows import lines_of, locked, own
from agent.ledger.tables import OrderLineRow, OrderRow, PaymentMethodRow, ReturnedPieceRow, ReturnRow, VariantRow


def request_return(session: Session, command: RequestReturn, now: datetime) -> OrderRow:
    """RequestReturn: the refund is paid when the pieces are back.

    Raises `Denied` RETURN-STATUS, LINES-OWNED, RETURN-REFUND-TO, ORDER-EXISTS.
    """
    order = own(session, command.order_id, command.subject)
    if order.status != "delivered":
        raise denied("RETURN-STATUS", order.status)
    method = own_method(session, command.payment_method_id, command.subject, "RETURN-REFUND-TO")
    if method.kind != "gift_card" and method.id != order.payment_method_id:
        raise denied("RETURN-REFUND-TO", method.id)
    lines = _delivered(session, order)
    check_owned(lines, command.skus)
    _expect(session, order, method, -_price(lines, command.skus), [(sku, None) for sku in command.skus], now=now)
    order.status = "return requested"
    return order


def request_exchange(session: Session, command: RequestExchange, now: datetime) -> OrderRow:
    """RequestExchange: the new pieces are held; the difference is recorded, and moves when the old ones are back.

    Raises `Denied` EXCHANGE-STATUS, LINES-*, DIFFERENCE-*, ORDER-EXISTS.
    """
    order = own(session, command.order_id, command.subject)
    if order.status != "delivered":
        raise denied("EXCHANGE-STATUS", order.status)
    method = own_method(session, command.payment_method_id, command.subject)
    lines = _delivered(session, order)
    check_swaps(session, lines, command.swaps)
    difference = -_price(lines, [swap.old for swap in command.swaps])
    stock.hold_all(session, Counter(swap.new for swap in command.swaps), "LINES-AVAILABLE")
    for swap in command.swaps:
        difference += session.get_one(VariantRow, swap.new).price
    if method.kind == GIFT_CARD and gift_balance(session, method.id) < difference:
        raise denied("DIFFERENCE-GIFT-COVERS")
    _expect(session, order, method, difference, [(swap.old, swap.new) for swap in command.swaps], now=now)
    order.status = "exchange requested"
    return order


def receive_return(session: Session, command: ReceiveReturn, now: datetime) -> OrderRow:
    """ReceiveReturn: the pieces are sold again, the money moves, new pieces leave.

    Raises `Denied` RETURN-RECEIVED, DIFFERENCE-GIFT-COVERS, ORDER-EXISTS.
    """
    order = locked(session, command.order_id)
    returned = session.get(ReturnRow, order.id)
    if returned is None or order.status not in ("return requested", "exchange requested"):
        raise denied("RETURN-RECEIVED", order.status)
    query = select(ReturnedPieceRow.sku, ReturnedPieceRow.new_sku).where(ReturnedPieceRow.order_id == order.id)
    pieces = session.execute(query).all()
    stock.take_back(session, Counter(piece.sku for piece in pieces))
    stock.hand_out(session, Counter(piece.new_sku for piece in pieces if piece.new_sku))
    method = session.get_one(PaymentMethodRow, returned.method_id, with_for_update=True)
    if returned.amount > 0:
        demand(session, order, method, returned.amount, key=command.key, now=now, rule="DIFFERENCE-GIFT-COVERS")
    else:
        give_back(session, order, method, -returned.amount, key=command.key, now=now)
    order.status = "returned"
    return order


def _delivered(session: Session, order: OrderRow) -> list[OrderLineRow]:
    """The lines that the customer has: without those that were short, or that the carrier refused."""
    return [line for line in lines_of(session, order.id) if line.reservation == "shipped"]


def _expect(
    session: Session,
    order: OrderRow,
    method: PaymentMethodRow,
    amount: int,
    pieces: list[tuple[str, str | None]],
    *,
    now: datetime,
) -> None:
    """Note what is to come back, what for, and what is then to be paid (negative: given back) by which method."""
    session.add(ReturnRow(order_id=order.id, method_id=method.id, amount=amount, at=now))
    session.flush()
    session.add_all(
        ReturnedPieceRow(order_id=order.id, number=n, sku=sku, new_sku=new_sku)
        for n, (sku, new_sku) in enumerate(sorted(pieces, key=str), 1)
    )


def _price(lines: list[OrderLineRow], skus: Sequence[str]) -> int:
    """What the pieces were bought for: the same option may stand on lines of different price."""
    bought = [(line.sku, line.unit_price) for line in lines for _ in range(line.quantity)]
    total = 0
    for sku in skus:
        piece = next(piece for piece in bought if piece[0] == sku)
        bought.remove(piece)
        total += piece[1]
    return total
