"""What a customer may do with a delivered order: give pieces back, or exchange them; and what happens when they are back."""

from collections import Counter
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from agent.commerce import stock
from agent.commerce.booking import demand, gift_balance, give_back, own_method
from agent.commerce.changes import check_owned, check_swaps, lines_of
from agent.commerce.commands import ReceiveReturn, RequestExchange, RequestReturn
from agent.commerce.orders import locked, own
from agent.commerce.policy import denied
from agent.ledger.tables import OrderLineRow, OrderRow, PaymentMethodRow, ReturnRow, VariantRow


async def request_return(session: AsyncSession, command: RequestReturn, now: datetime) -> OrderRow:
    """RequestReturn: the refund is paid when the pieces are back.

    Raises `Denied` RETURN-STATUS, LINES-OWNED, RETURN-REFUND-TO, ORDER-EXISTS.
    """
    order = await own(session, command.order_id, command.subject)
    if order.status != "delivered":
        raise denied("RETURN-STATUS", order.status)
    method = await own_method(session, command.payment_method_id, command.subject, "RETURN-REFUND-TO")
    if method.kind != "gift_card" and method.id != order.payment_method_id:
        raise denied("RETURN-REFUND-TO", method.id)
    lines = await lines_of(session, order.id)
    check_owned(lines, list(command.skus))
    amount = sum(price for _, price in _pieces(lines, list(command.skus)))
    session.add(
        ReturnRow(
            order_id=order.id,
            skus=sorted(command.skus),
            new_skus=[],
            method_id=method.id,
            amount=-amount,
            at=now,
        )
    )
    order.status = "return requested"
    return order


async def request_exchange(session: AsyncSession, command: RequestExchange, now: datetime) -> OrderRow:
    """RequestExchange: the new pieces are held; the difference is recorded, and moves when the old ones are back.

    Raises `Denied` EXCHANGE-STATUS, LINES-*, DIFFERENCE-*, ORDER-EXISTS.
    """
    order = await own(session, command.order_id, command.subject)
    if order.status != "delivered":
        raise denied("EXCHANGE-STATUS", order.status)
    method = await own_method(session, command.payment_method_id, command.subject)
    lines = await lines_of(session, order.id)
    await check_swaps(session, lines, command.swaps)
    old = [swap.old for swap in command.swaps]
    difference = -sum(price for _, price in _pieces(lines, old))
    for swap in command.swaps:
        await stock.hold(session, swap.new, 1, "LINES-AVAILABLE")
        difference += (await session.get_one(VariantRow, swap.new)).price
    if method.kind == "gift_card" and await gift_balance(session, method.id) < difference:
        raise denied("DIFFERENCE-GIFT-COVERS")
    session.add(
        ReturnRow(
            order_id=order.id,
            skus=sorted(old),
            new_skus=sorted(swap.new for swap in command.swaps),
            method_id=method.id,
            amount=difference,
            at=now,
        )
    )
    order.status = "exchange requested"
    return order


async def receive_return(session: AsyncSession, command: ReceiveReturn, now: datetime) -> OrderRow:
    """ReceiveReturn: the pieces go back to stock, the money moves, new pieces leave. Raises `Denied` RETURN-RECEIVED."""
    order = await locked(session, command.order_id)
    returned = await session.get(ReturnRow, order.id)
    if returned is None or order.status not in ("return requested", "exchange requested"):
        raise denied("RETURN-RECEIVED", order.status)
    for sku, quantity in Counter(returned.skus).items():
        await stock.take_back(session, sku, quantity)
    for sku, quantity in Counter(returned.new_skus).items():
        await stock.hand_out(session, sku, quantity)
    method = await session.get_one(PaymentMethodRow, returned.method_id)
    if returned.amount > 0:
        await demand(session, order, method, returned.amount, command.key, now, "DIFFERENCE-GIFT-COVERS")
    else:
        await give_back(session, order, method, -returned.amount, command.key, now)
    order.status = "returned"
    return order


def _pieces(lines: list[OrderLineRow], skus: list[str]) -> list[tuple[str, int]]:
    """(sku, price) of each piece named, as it was bought: the same option may stand on lines of different price."""
    bought = [(line.sku, line.unit_price) for line in lines for _ in range(line.quantity)]
    found = []
    for sku in skus:
        piece = next(piece for piece in bought if piece[0] == sku)
        bought.remove(piece)
        found.append(piece)
    return found
