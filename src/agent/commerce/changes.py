"""What a customer may change on a pending order: its pieces, its address, its payment method.

Before the money is captured a change moves no money: it alters reservations and total, voids the approvals that were
given for the old order, and has it assessed anew. After that the difference is due or owed.
"""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime

from sqlalchemy.orm import Session

from agent.commerce import stock
from agent.commerce.booking import UNDECIDED, demand, gift_balance, give_back, owe, own_method, payments_of, refundable
from agent.commerce.commands import ChangeShipTo, ReplaceLines, Swap, SwapPayment
from agent.commerce.parcels import parcels_of
from agent.commerce.policy import denied, pending
from agent.commerce.rows import lines_of, move, own
from agent.commerce.undoing import void_approvals
from agent.ledger.tables import OrderLineRow, OrderRow, PaymentMethodRow, PaymentRow, VariantRow

BUSY = ("placed", "approved", "parked")
"""Stages in which the order's process is about to act on what would change."""


def replace_lines(session: Session, command: ReplaceLines, now: datetime) -> OrderRow:
    """ReplaceLines. Raises `Denied` LINES-*, DIFFERENCE-*, ORDER-EXISTS, ORDER-BUSY."""
    order = own(session, command.order_id, command.subject)
    if order.status != "pending":
        raise denied("LINES-STATUS", order.status)
    method = own_method(session, command.payment_method_id, command.subject)
    paid = _captured(session, order)
    lines = lines_of(session, order.id)
    check_swaps(session, [line for line in lines if line.reservation == "held"], command.swaps)
    stock.hold_all(session, Counter(swap.new for swap in command.swaps), "LINES-AVAILABLE")
    stock.free(session, Counter(swap.old for swap in command.swaps))
    difference = sum([_replace_piece(session, order, lines, swap) for swap in command.swaps])
    order.total += difference
    order.status = "pending (item modified)"
    if not paid:
        _assess_again(session, order, now)
    elif difference > 0:
        demand(session, order, method, difference, key=command.key, now=now, rule="DIFFERENCE-GIFT-COVERS")
    elif difference < 0:
        give_back(session, order, method, -difference, key=command.key, now=now)
    return order


def change_ship_to(session: Session, command: ChangeShipTo, now: datetime) -> OrderRow:
    """ChangeShipTo. Raises `Denied` ADDRESS-STATUS, ORDER-EXISTS, ORDER-BUSY."""
    order = own(session, command.order_id, command.subject)
    if not pending(order.status):
        raise denied("ADDRESS-STATUS", order.status)
    paid = _captured(session, order)
    order.ship_to = command.ship_to.model_dump()
    if not paid:
        _assess_again(session, order, now)
    return order


def swap_payment(session: Session, command: SwapPayment, now: datetime) -> OrderRow:
    """SwapPayment. Raises `Denied` PAYMENT-STATUS, PAYMENT-DIFFERENT, PAYMENT-GIFT-COVERS, ORDER-EXISTS, ORDER-BUSY."""
    order = own(session, command.order_id, command.subject)
    if not pending(order.status):
        raise denied("PAYMENT-STATUS", order.status)
    new = own_method(session, command.payment_method_id, command.subject, "PAYMENT-DIFFERENT")
    paid = _captured(session, order)
    if paid and (order.status != "pending" or len(paid) > 1 or refundable(session, paid[0]) != paid[0].amount):
        raise denied("PAYMENT-STATUS", "more than one payment was made for it")
    if new.id == order.payment_method_id:
        raise denied("PAYMENT-DIFFERENT", new.id)
    if paid:
        demand(session, order, new, paid[0].amount, key=command.key, now=now, rule="PAYMENT-GIFT-COVERS")
        old = session.get_one(PaymentMethodRow, paid[0].method_id)
        owe(session, order, paid[0], old, paid[0].amount, key=f"{command.key}:back", now=now)
    else:
        if new.kind == "gift_card" and gift_balance(session, new.id) < order.total:
            raise denied("PAYMENT-GIFT-COVERS")
        _assess_again(session, order, now)
    order.payment_method_id = new.id
    return order


def check_swaps(session: Session, lines: list[OrderLineRow], swaps: tuple[Swap, ...]) -> None:
    """Each old piece is on the order, as often as it is named; each new one is another option of the same product."""
    check_owned(lines, [swap.old for swap in swaps])
    for swap in swaps:
        old, new = session.get(VariantRow, swap.old), session.get(VariantRow, swap.new)
        if old is None or new is None or old.product_id != new.product_id:
            raise denied("LINES-PRODUCT", swap.new)
        if swap.old == swap.new:
            raise denied("LINES-DIFFERENT", swap.new)


def check_owned(lines: list[OrderLineRow], skus: Sequence[str]) -> None:
    """Each piece named is on the order, at most as often as it was bought. Raises `Denied` LINES-OWNED."""
    bought = Counter[str]()
    for line in lines:
        bought[line.sku] += line.quantity
    if missing := Counter(skus) - bought:
        raise denied("LINES-OWNED", ", ".join(sorted(missing)))


def _replace_piece(session: Session, order: OrderRow, lines: list[OrderLineRow], swap: Swap) -> int:
    """Put one new piece, held already, in the place of an old one; returns the difference in price, in minor units."""
    line = next(line for line in lines if line.sku == swap.old and line.reservation == "held")
    price = session.get_one(VariantRow, swap.new).price
    difference = price - line.unit_price
    if line.quantity == 1:
        line.sku, line.unit_price = swap.new, price
        return difference
    line.quantity -= 1
    new = OrderLineRow(
        order_id=order.id,
        number=max(each.number for each in lines) + 1,
        sku=swap.new,
        quantity=1,
        unit_price=price,
        reservation=line.reservation,
    )
    session.add(new)
    lines.append(new)
    for parcel in parcels_of(session, order.id):
        if line.number in parcel.lines:
            parcel.lines = [*parcel.lines, new.number]
    return difference


def _captured(session: Session, order: OrderRow) -> list[PaymentRow]:
    """The captured payments; none before the money is taken. Raises `Denied` ORDER-BUSY while it is about to be, and
    while the carrier has been asked to come: it was told what to take, and where."""
    booked = [parcel for parcel in parcels_of(session, order.id) if parcel.state == "booked"]
    if booked or order.stage in BUSY or payments_of(session, order.id, "due", *UNDECIDED):
        raise denied("ORDER-BUSY")
    return list(payments_of(session, order.id, "captured"))


def _assess_again(session: Session, order: OrderRow, now: datetime) -> None:
    """What was approved was another order: it is assessed, and asked, anew (law 6)."""
    order.revision += 1
    void_approvals(session, order.id)
    if order.stage in ("awaiting_approval", "declined"):
        move(session, order, "reserved", "customer")
    order.touched_at = now
