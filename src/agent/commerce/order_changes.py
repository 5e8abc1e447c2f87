"""What a customer may change on a pending order: its pieces, its address, its payment method.

Before the money is captured a change moves no money: it alters reservations and total, voids the approvals that were
given for the old order, and has it assessed anew. After that the difference is due or owed.
"""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from agent.commerce import changed_items, differences, stock
from agent.commerce.booking import demand, gift_balance, give_back, own_method, payments_of, refundable
from agent.commerce.commands import ChangeShipTo, ReplaceLines, Swap, SwapPayment, UndoChange
from agent.commerce.compensation import void_approvals
from agent.commerce.lifecycle import UNANSWERED
from agent.commerce.locks import lines_of, move, own
from agent.commerce.parcels import parcels_of
from agent.commerce.policy import PAYMENT_ATTEMPTS, pending, policy_denied
from agent.ledger.tables import OrderLineRow, OrderRow, PaymentRow, VariantRow
from agent.notifications.notify import notify

BUSY = ("placed", "approved", "parked")
"""Stages in which the order's process is about to act on what would change."""


def replace_lines(session: Session, command: ReplaceLines, now: datetime) -> OrderRow:
    """ReplaceLines. Raises `PolicyDenied` LINES-*, DIFFERENCE-*, ORDER-EXISTS, ORDER-BUSY."""
    order = own(session, command.order_id, command.subject)
    if order.status != "pending":
        raise policy_denied("LINES-STATUS", order.status)
    method = own_method(session, command.payment_method_id, command.subject)
    paid = _captured(session, order)
    lines = lines_of(session, order.id)
    check_swaps(session, [line for line in lines if line.reservation == "held"], command.swaps)
    old, new = pieces_of(command.swaps)
    stock.hold_all(session, new, "LINES-AVAILABLE")
    replaced = [_replaced(session, order, lines, swap) for swap in command.swaps]
    difference = sum(each for _, each in replaced)
    check_price(command.expected, difference)
    order.total += difference
    order.status = "pending (item modified)"
    if not paid:
        _assess_again(session, order, now)
    elif difference > 0:
        payment = demand(session, order, method, difference, key=command.key, now=now, rule="DIFFERENCE-GIFT-COVERS")
        if payment.outcome != "captured":  # the way back stays open until it is
            changed_items.keep(session, order.id, [piece for pieces, _ in replaced for piece in pieces])
            return order
    elif difference < 0:
        given = give_back(session, order, method, -difference, key=command.key, now=now)
        if given < -difference:
            about = command.key
            notify(session, "difference.refunded", about, order=order, now=now, amount=given, value=-difference)
    stock.free(session, old)
    return order


def undo_change(session: Session, command: UndoChange, now: datetime) -> OrderRow:
    """UndoChange: items whose difference was declined are as they were. Raises `PolicyDenied` CHANGE-UNPAID,
    ORDER-EXISTS."""
    order = own(session, command.order_id, command.subject)
    owed = differences.declined_difference(session, order.id)
    if owed is None:
        raise policy_denied("CHANGE-UNPAID")
    differences.give_up(session, order, owed, by="customer", now=now)
    return order


def change_ship_to(session: Session, command: ChangeShipTo, now: datetime) -> OrderRow:
    """ChangeShipTo. Raises `PolicyDenied` ADDRESS-STATUS, ORDER-EXISTS, ORDER-BUSY."""
    order = own(session, command.order_id, command.subject)
    if not pending(order.status):
        raise policy_denied("ADDRESS-STATUS", order.status)
    paid = _captured(session, order)
    order.ship_to = command.ship_to.model_dump()
    if not paid:
        _assess_again(session, order, now)
    return order


def swap_payment(session: Session, command: SwapPayment, now: datetime) -> OrderRow:
    """SwapPayment: of what was declined, else of the order; the old method is refunded when the new one has paid.

    Raises `PolicyDenied` PAYMENT-STATUS, PAYMENT-DIFFERENT, PAYMENT-GIFT-COVERS, ORDER-EXISTS, ORDER-BUSY.
    """
    order = own(session, command.order_id, command.subject)
    if owed := differences.declined_difference(session, order.id):
        differences.pay_otherwise(session, order, owed, command.payment_method_id, key=command.key, now=now)
        return order
    if not pending(order.status):
        raise policy_denied("PAYMENT-STATUS", order.status)
    new = own_method(session, command.payment_method_id, command.subject, "PAYMENT-DIFFERENT")
    paid = _captured(session, order)
    if paid and (order.status != "pending" or len(paid) > 1 or refundable(session, paid[0]) != paid[0].amount):
        raise policy_denied("PAYMENT-STATUS", "more than one payment was made for it")
    if new.id == order.payment_method_id:
        raise policy_denied("PAYMENT-DIFFERENT", new.id)
    if paid:
        tried = select(func.count()).select_from(PaymentRow).where(PaymentRow.replaces == paid[0].key)
        if (session.scalar(tried) or 0) >= PAYMENT_ATTEMPTS:
            raise policy_denied("PAYMENT-STATUS", f"{PAYMENT_ATTEMPTS} methods were tried")
        amount, old, rule = paid[0].amount, paid[0].key, "PAYMENT-GIFT-COVERS"
        payment = demand(session, order, new, amount, key=command.key, now=now, rule=rule, replaces=old)
        if payment.outcome == "captured":
            differences.captured(session, order, payment, now=now)
    else:
        if new.kind == "gift_card" and gift_balance(session, new.id) < order.total:
            raise policy_denied("PAYMENT-GIFT-COVERS")
        _assess_again(session, order, now)
        order.payment_method_id = new.id
    return order


def check_swaps(session: Session, lines: list[OrderLineRow], swaps: tuple[Swap, ...]) -> None:
    """Each old piece is on the order, as often as it is named; each new one is another option of the same product."""
    check_owned(lines, pieces_of(swaps)[0])
    for swap in swaps:
        old, new = session.get(VariantRow, swap.old), session.get(VariantRow, swap.new)
        if old is None or new is None or old.product_id != new.product_id:
            raise policy_denied("LINES-PRODUCT", swap.new)
        if swap.old == swap.new:
            raise policy_denied("LINES-DIFFERENT", swap.new)


def pieces_of(swaps: Sequence[Swap]) -> tuple[Counter[str], Counter[str]]:
    """How many pieces of which SKU are given, and taken instead."""
    old, new = Counter[str](), Counter[str]()
    for swap in swaps:
        old[swap.old] += swap.quantity
        new[swap.new] += swap.quantity
    return old, new


def check_price(expected: int | None, difference: int) -> None:
    """Raise `PolicyDenied` PRICE-CHANGED when another difference was agreed to (CONFIRM-FIRST)."""
    if expected not in (None, difference):
        raise policy_denied("PRICE-CHANGED")


def check_owned(lines: list[OrderLineRow], pieces: Counter[str]) -> None:
    """Each piece named is on the order, at most as often as it was bought. Raises `PolicyDenied` LINES-OWNED."""
    bought = Counter[str]()
    for line in lines:
        bought[line.sku] += line.quantity
    if missing := pieces - bought:
        raise policy_denied("LINES-OWNED", ", ".join(sorted(missing)))


def _replaced(
    session: Session, order: OrderRow, lines: list[OrderLineRow], swap: Swap
) -> tuple[list[tuple[str, str, int, int]], int]:
    """Put new pieces, held already, in the place of old ones; returns what they replaced, as `changed_items.keep` takes
    it, and the difference in price, in minor units."""
    price, left, replaced, difference = session.get_one(VariantRow, swap.new).price, swap.quantity, [], 0
    while left:
        line = next(line for line in lines if line.sku == swap.old and line.reservation == "held")
        number, paid = min(left, line.quantity), line.unit_price
        difference += changed_items.replace_pieces(
            session, order, lines, old=swap.old, new=swap.new, price=price, quantity=number
        )
        replaced.append((swap.old, swap.new, number, paid))
        left -= number
    return replaced, difference


def _captured(session: Session, order: OrderRow) -> list[PaymentRow]:
    """The captured payments; none before the money is taken. Raises `PolicyDenied` ORDER-BUSY while it is about to
    be, and while the carrier has been asked to come: it was told what to take, and where."""
    booked = [parcel for parcel in parcels_of(session, order.id) if parcel.state == "booked"]
    if booked or order.stage in BUSY or payments_of(session, order.id, *UNANSWERED):
        raise policy_denied("ORDER-BUSY")
    return [payment for payment in payments_of(session, order.id, "captured") if payment.reason != "PAYMENT-LATE"]


def _assess_again(session: Session, order: OrderRow, now: datetime) -> None:
    """What was approved was another order: it is assessed, and asked, anew (law 6)."""
    order.revision += 1
    void_approvals(session, order.id)
    if order.stage in ("awaiting_approval", "declined"):
        move(session, order, "reserved", "customer")
    order.touched_at = now
