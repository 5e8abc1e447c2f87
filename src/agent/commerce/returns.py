"""What a customer may do with what was delivered: give it back or exchange it, by line and quantity; and what follows.

RETURN-STATUS, EXCHANGE-STATUS and REQUEST-WITHDRAW are kept here; what time does to a return is in `expiry`.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from agent.commerce import stock
from agent.commerce.booking import GIFT_CARD, gift_balance, give_back, own_method, refundable_of_order
from agent.commerce.commands import (
    LineQuantity,
    ReceiveReturn,
    RequestExchange,
    RequestReplacement,
    RequestReturn,
    Swap,
    WithdrawReturn,
)
from agent.commerce.differences import demand_later
from agent.commerce.locks import locked, own
from agent.commerce.order_changes import check_price, check_swaps, pieces_of
from agent.commerce.policy import policy_denied
from agent.commerce.returned_pieces import (
    REPLACEMENT,
    close,
    close_when_done,
    leave,
    left_with_customer,
    lines_of_return,
    open_return,
    wait_for,
    worth_of_replacements,
)
from agent.ledger.tables import OrderLineRow, OrderRow, PaymentMethodRow, ReturnLineRow, ReturnRow, VariantRow
from agent.notifications.notify import notify


def request_return(session: Session, command: RequestReturn, now: datetime) -> OrderRow:
    """RequestReturn: the refund is paid when the pieces are back.

    Raises `PolicyDenied` RETURN-STATUS, LINES-OWNED, RETURN-REFUND-TO, ORDER-EXISTS.
    """
    order = own(session, command.order_id, command.subject)
    if order.status not in ("delivered", "returned"):
        raise policy_denied("RETURN-STATUS", order.status)
    method = own_method(session, command.payment_method_id, command.subject, "RETURN-REFUND-TO")
    if method.kind != GIFT_CARD and method.id != order.payment_method_id:
        raise policy_denied("RETURN-REFUND-TO", method.id)
    there = left_with_customer(session, order.id)
    lines = [_of_line(there, asked) for asked in command.lines]
    for sku, quantity in Counter(command.skus).items():
        lines += [_line(line, taken) for line, taken in _taken(there, sku, quantity)]
    _expect(session, order, "return", method, lines, now=now)
    order.status = "return requested"
    return order


def request_exchange(session: Session, command: RequestExchange, now: datetime) -> OrderRow:
    """RequestExchange: the new pieces are held; the difference is recorded, and moves when the old ones are back.

    Raises `PolicyDenied` EXCHANGE-STATUS, LINES-*, DIFFERENCE-*, ORDER-EXISTS.
    """
    order = own(session, command.order_id, command.subject)
    exchanged = select(ReturnRow.id).where(
        ReturnRow.order_id == order.id, ReturnRow.kind == "exchange", ReturnRow.state != "withdrawn"
    )
    if order.status != "delivered" or session.scalar(exchanged.limit(1)):
        raise policy_denied("EXCHANGE-STATUS", order.status)
    method = own_method(session, command.payment_method_id, command.subject)
    there = left_with_customer(session, order.id)
    check_swaps(session, [line for line, _ in there], command.swaps)
    stock.hold_all(session, pieces_of(command.swaps)[1], "LINES-AVAILABLE")
    lines = [line for swap in command.swaps for line in _swapped(session, there, swap)]
    difference = _difference((line, line.quantity) for line in lines)
    check_price(command.expected, difference)
    if method.kind == GIFT_CARD and gift_balance(session, method.id) < difference:
        raise policy_denied("DIFFERENCE-GIFT-COVERS")
    _expect(session, order, "exchange", method, lines, now=now)
    order.status = "exchange requested"
    return order


def request_replacement(session: Session, command: RequestReplacement, now: datetime) -> OrderRow:
    """RequestReplacement: new pieces of the same are held, and leave when the faulty ones are back.

    Raises `PolicyDenied` RETURN-STATUS, LINES-OWNED, REFUND-AMOUNT, LINES-AVAILABLE, ORDER-EXISTS.
    """
    order = own(session, command.order_id, command.subject)
    if order.status not in ("delivered", "returned"):
        raise policy_denied("RETURN-STATUS", order.status)
    there = left_with_customer(session, order.id)
    line = _of_line(there, LineQuantity(line=command.line, quantity=command.quantity))
    if refundable_of_order(session, order.id) < worth_of_replacements(session, order.id, {line.line: line.quantity}):
        raise policy_denied("REFUND-AMOUNT", "it was refunded")
    stock.hold_all(session, Counter({line.sku: line.quantity}), "LINES-AVAILABLE")
    line.new_sku, line.new_price, line.held = line.sku, line.unit_price, line.quantity
    _expect(session, order, REPLACEMENT, session.get_one(PaymentMethodRow, order.payment_method_id), [line], now=now)
    order.status = "exchange requested"
    return order


def withdraw_return(session: Session, command: WithdrawReturn, now: datetime) -> OrderRow:
    """WithdrawReturn: nothing is to come back any more, and what was held is free (REQUEST-WITHDRAW).

    Raises `PolicyDenied` REQUEST-WITHDRAW, ORDER-EXISTS.
    """
    order = own(session, command.order_id, command.subject)
    returned = open_return(session, order.id)
    lines = lines_of_return(session, returned.id) if returned else ()
    if returned is None or any(line.received for line in lines):
        raise policy_denied("REQUEST-WITHDRAW")
    close(session, order, returned, "withdrawn", now=now)
    return order


def receive_return(session: Session, command: ReceiveReturn, now: datetime) -> OrderRow:
    """ReceiveReturn: the pieces are sold again, the money moves, new pieces leave; what did not come stays open.

    Raises `PolicyDenied` RETURN-RECEIVED, ORDER-EXISTS.
    """
    order = locked(session, command.order_id)
    returned = open_return(session, order.id)
    if returned is None:
        raise policy_denied("RETURN-RECEIVED", order.status)
    lines = lines_of_return(session, returned.id)
    arrived = _arrived(lines, command.lines)
    for line in lines:
        line.received += arrived[line.number]
    order.touched_at = now
    back = Counter[str]()
    for line in lines:
        back[line.sku] += arrived[line.number]
    if returned.kind != REPLACEMENT:  # what is faulty is not sold again
        stock.take_back(session, +back)
    method = session.get_one(PaymentMethodRow, returned.method_id, with_for_update=True)
    amount = _difference((line, arrived[line.number]) for line in lines)
    if arrived == {line.number: line.quantity for line in lines}:
        amount = returned.amount  # as it was agreed
    session.flush()
    settled = True
    if amount > 0:
        payment = demand_later(session, order, method, amount, key=command.key, now=now)
        settled = payment.outcome == "captured"
    elif amount < 0:
        given = give_back(session, order, method, -amount, key=command.key, now=now)
        notify(session, "return.received", command.key, order=order, now=now, amount=given, value=-amount)
    if settled:
        leave(session, {line.number: line for line in lines}, arrived)
    else:
        wait_for(session, returned, {line.number: arrived[line.number] for line in lines if line.new_sku}, command.key)
    close_when_done(session, order, returned, now=now)
    return order


def _expect(
    session: Session,
    order: OrderRow,
    kind: str,
    method: PaymentMethodRow,
    lines: list[ReturnLineRow],
    *,
    now: datetime,
) -> None:
    """Note what is to come back, what for, and what is then to be paid (negative: given back) by which method."""
    earlier = session.scalar(select(func.count()).select_from(ReturnRow).where(ReturnRow.order_id == order.id)) or 0
    returned = ReturnRow(
        id=f"{order.id}/r{earlier + 1}",
        order_id=order.id,
        kind=kind,
        method_id=method.id,
        amount=_difference((line, line.quantity) for line in lines),
        state="open",
        at=now,
    )
    session.add(returned)
    session.flush()
    for number, line in enumerate(lines, 1):
        line.return_id, line.number = returned.id, number
    session.add_all(lines)


def _difference(pieces: Iterable[tuple[ReturnLineRow, int]]) -> int:
    """What is to be paid for so many pieces of each line; negative: given back."""
    return sum(quantity * ((line.new_price or 0) - line.unit_price) for line, quantity in pieces)


def _line(line: OrderLineRow, quantity: int) -> ReturnLineRow:
    return ReturnLineRow(line=line.number, sku=line.sku, quantity=quantity, unit_price=line.unit_price, received=0)


def _swapped(session: Session, there: list[tuple[OrderLineRow, int]], swap: Swap) -> list[ReturnLineRow]:
    """The lines that a swap takes its pieces from, each at the price that was paid for it."""
    price, lines = session.get_one(VariantRow, swap.new).price, []
    for line, taken in _taken(there, swap.old, swap.quantity):
        found = _line(line, taken)
        found.new_sku, found.new_price, found.held = swap.new, price, taken
        lines.append(found)
    return lines


def _of_line(there: list[tuple[OrderLineRow, int]], asked: LineQuantity) -> ReturnLineRow:
    """Take pieces of one line off what is there. Raises `PolicyDenied` LINES-OWNED for more than that."""
    for n, (line, left) in enumerate(there):
        if line.number == asked.line and left >= asked.quantity:
            there[n] = (line, left - asked.quantity)
            return _line(line, asked.quantity)
    raise policy_denied("LINES-OWNED", f"line {asked.line}")


def _taken(there: list[tuple[OrderLineRow, int]], sku: str, quantity: int) -> list[tuple[OrderLineRow, int]]:
    """Take pieces of an option off its first lines. Raises `PolicyDenied` LINES-OWNED for more than there are."""
    taken = []
    for n, (line, left) in enumerate(there):
        if line.sku == sku and (part := min(left, quantity)):
            there[n] = (line, left - part)
            taken.append((line, part))
            quantity -= part
    if quantity:
        raise policy_denied("LINES-OWNED", sku)
    return taken


def _arrived(lines: Sequence[ReturnLineRow], told: Sequence[LineQuantity]) -> dict[int, int]:
    """How many pieces of each return line have arrived: all that are expected, or as the warehouse tells by order line.

    Raises `PolicyDenied` RETURN-RECEIVED for more than are expected.
    """
    expected = {line.number: line.quantity - line.received for line in lines}
    if not told:
        return expected
    arrived = dict.fromkeys(expected, 0)
    for each in told:
        left = each.quantity
        for line in lines:
            taken = min(left, expected[line.number] - arrived[line.number]) if line.line == each.line else 0
            arrived[line.number] += taken
            left -= taken
        if left:
            raise policy_denied("RETURN-RECEIVED", f"line {each.line}: {left} more than are expected")
    return arrived
