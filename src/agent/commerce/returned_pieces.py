"""What is on its way back, by line and quantity, and what of an exchange leaves for it.

A new piece is held from the request on. It leaves when the old one is back and the difference is captured
(PAYMENT-DUE). Each function is part of somebody else's transaction.
"""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final, Literal

from sqlalchemy import Select, delete, select, update
from sqlalchemy.orm import Session

from agent.commerce import stock
from agent.commerce.booking import give_back, refundable_of_order
from agent.commerce.locks import lines_of
from agent.ledger.database import emit_once_committed
from agent.ledger.tables import OrderLineRow, OrderRow, PaymentMethodRow, ReturnLineRow, ReturnRow, WaitingPieceRow

End = Literal["received", "withdrawn", "expired"]


REPLACEMENT: Final = "replace"
"""The kind of return whose pieces are faulty, and go out again as new ones."""


def open_return(session: Session, order_id: str) -> ReturnRow | None:
    """The order's return or exchange that is open."""
    return session.scalar(select(ReturnRow).where(ReturnRow.order_id == order_id, ReturnRow.state == "open"))


def lines_of_return(session: Session, return_id: str) -> Sequence[ReturnLineRow]:
    """Its lines, by number."""
    query = select(ReturnLineRow).where(ReturnLineRow.return_id == return_id).order_by(ReturnLineRow.number)
    return session.scalars(query).all()


def _returned(order_id: str) -> Select[ReturnLineRow, str, str]:
    """The lines of all returns of an order, each with the state and the kind of its return."""
    lines = select(ReturnLineRow, ReturnRow.state, ReturnRow.kind)
    return lines.join(ReturnRow, ReturnRow.id == ReturnLineRow.return_id).where(ReturnRow.order_id == order_id)


def left_with_customer(session: Session, order_id: str) -> list[tuple[OrderLineRow, int]]:
    """The lines that the customer got, and how many pieces of each are neither back nor on their way."""
    gone = defaultdict[int, int](int)
    for line, state, kind in session.execute(_returned(order_id)):
        gone[line.line] += line.quantity if state == "open" else line.received
        gone[line.line] -= line.sent if kind == REPLACEMENT else 0  # the same again, on the same line
    shipped = [line for line in lines_of(session, order_id) if line.reservation == "shipped"]
    return [(line, line.quantity - gone[line.number]) for line in shipped]


def worth_of_replacements(session: Session, order_id: str, more: Mapping[int, int] | None = None) -> int:
    """What the pieces cost, in minor units, of which new ones are about to leave, or have: no money goes back for
    them beside that. With `more`, by line, as if those were asked for as well. Each piece counts once, and none that is
    back for its money."""
    pieces = Counter(more or {})
    for line, state, kind in session.execute(_returned(order_id)):
        if kind == REPLACEMENT:
            pieces[line.line] += line.quantity if state == "open" else line.sent
        else:
            pieces[line.line] -= line.received
    kept = ((each, min(pieces[each.number], each.quantity)) for each in lines_of(session, order_id))
    return sum(max(0, number) * each.unit_price for each, number in kept)


def refundable_beside(session: Session, order_id: str) -> int:
    """What can be refunded of an order beside what it has had replaced, in minor units."""
    return max(0, refundable_of_order(session, order_id) - worth_of_replacements(session, order_id))


def leave(session: Session, lines: Mapping[int, ReturnLineRow], pieces: Mapping[int, int]) -> None:
    """New pieces leave the house, so many of each line of a return."""
    leaving = Counter[str]()
    for number, quantity in pieces.items():
        line = lines[number]
        if line.new_sku:
            leaving[line.new_sku] += quantity
            line.held -= quantity
            line.sent += quantity
    stock.hand_out(session, +leaving)


def wait_for(session: Session, returned: ReturnRow, pieces: Mapping[int, int], payment_key: str) -> None:
    """New pieces, so many of each line, stay until this payment is captured."""
    rows = [(number, quantity) for number, quantity in pieces.items() if quantity]
    session.add_all(
        WaitingPieceRow(return_id=returned.id, number=number, payment_key=payment_key, quantity=quantity)
        for number, quantity in rows
    )
    session.flush()


def wait_for_another(session: Session, payment_key: str, instead: str) -> None:
    """What waited for one payment waits for another."""
    waiting = WaitingPieceRow.payment_key == payment_key
    session.execute(update(WaitingPieceRow).where(waiting).values(payment_key=instead))


def let_leave(session: Session, order: OrderRow, payment_key: str, *, now: datetime) -> None:
    """The payment is captured: what waited for it leaves."""
    if found := _waiting(session, payment_key):
        returned, lines, pieces = found
        leave(session, lines, pieces)
        _waits_no_more(session, order, returned, payment_key, now)


def refund_instead(session: Session, order: OrderRow, payment_key: str, *, now: datetime) -> int:
    """The payment never comes: what waited for it is released, and the old pieces are refunded, as in a return.

    Returns how much, in minor units; it is as far as the order's money goes (`give_back`).
    """
    found = _waiting(session, payment_key)
    if not found:
        return 0
    returned, lines, pieces = found
    free, worth = Counter[str](), 0
    for number, quantity in pieces.items():
        line = lines[number]
        free[line.new_sku or ""] += quantity
        line.held -= quantity
        worth += quantity * line.unit_price
    stock.free(session, free)
    method = session.get_one(PaymentMethodRow, returned.method_id, with_for_update=True)
    given = give_back(session, order, method, worth, key=f"{payment_key}:instead", now=now)
    _waits_no_more(session, order, returned, payment_key, now)
    return given


def close_when_done(session: Session, order: OrderRow, returned: ReturnRow, *, now: datetime) -> None:
    """Close a return of which everything is back, and every new piece has left or was released."""
    session.flush()
    lines = lines_of_return(session, returned.id)
    if returned.state == "open" and all(line.received == line.quantity and not line.held for line in lines):
        close(session, order, returned, "received", now=now)
    _tell_status(session, order)


def close(session: Session, order: OrderRow, returned: ReturnRow, end: End, *, now: datetime) -> None:
    """End a return: what has not come back stays with the customer, and what was held for it is free."""
    free = Counter[str]()
    for line in lines_of_return(session, returned.id):
        if line.new_sku:
            missing = min(line.held, line.quantity - line.received)
            free[line.new_sku] += missing
            line.held -= missing
    stock.free(session, +free)
    returned.state, returned.closed_at = end, now
    session.flush()
    _tell_status(session, order)
    emit_once_committed(session, "return.closed", order_id=order.id, end=end)


def _waiting(session: Session, payment_key: str) -> tuple[ReturnRow, dict[int, ReturnLineRow], dict[int, int]] | None:
    """What waits for a payment: of which return, with its lines, and how many pieces of each."""
    rows = session.scalars(select(WaitingPieceRow).where(WaitingPieceRow.payment_key == payment_key)).all()
    if not rows:
        return None
    returned = session.get_one(ReturnRow, rows[0].return_id)
    lines = {line.number: line for line in lines_of_return(session, returned.id)}
    return returned, lines, {row.number: row.quantity for row in rows}


def _waits_no_more(session: Session, order: OrderRow, returned: ReturnRow, payment_key: str, now: datetime) -> None:
    session.execute(delete(WaitingPieceRow).where(WaitingPieceRow.payment_key == payment_key))
    close_when_done(session, order, returned, now=now)


def _tell_status(session: Session, order: OrderRow) -> None:
    """What the customer is told of an order some of which was to come back."""
    if open_return(session, order.id):
        return
    of_order = ReturnRow.order_id == order.id
    waiting = select(WaitingPieceRow.number).join(ReturnRow, ReturnRow.id == WaitingPieceRow.return_id)
    back = select(ReturnLineRow.number).join(ReturnRow, ReturnRow.id == ReturnLineRow.return_id)
    back = back.where(ReturnRow.kind != REPLACEMENT)
    if session.scalar(waiting.where(of_order).limit(1)):
        order.status = "exchange requested"
    elif session.scalar(back.where(of_order, ReturnLineRow.received > 0).limit(1)):
        order.status = "returned"
    else:
        order.status = "delivered"
