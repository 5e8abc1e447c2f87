"""Orders: the commands that place and cancel one, and the steps of its process: reserving, moving on, undoing.

Money is in `payments` and `debts`, parcels in `fulfilment`, what a customer may change in `order_changes`.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import bindparam, exists, select, update
from sqlalchemy.orm import Session

from agent.commerce import changed_items
from agent.commerce.commands import CancelOrder, NewLine, PlaceOrder
from agent.commerce.compensation import compensate
from agent.commerce.lifecycle import MOVES, Cause, Stage, check_move
from agent.commerce.locks import OrderRef, locked, move, moved, open_case, own
from agent.commerce.policy import cancel_denied, policy_denied
from agent.commerce.reservations import Reservations
from agent.commerce.types import LARGEST_AMOUNT
from agent.commerce.views import LineView, OrderView, new_order_view, order_view
from agent.identity import owner_by
from agent.ledger.database import Database, emit_once_committed
from agent.ledger.statements import add, change, table_of
from agent.ledger.tables import CustomerRow, OrderLineRow, OrderRow, PaymentMethodRow, ProductRow, VariantRow
from agent.ledger.times import is_in_future
from agent.ledger.transactions import writes
from agent.observability import tracing
from agent.platform import order_thread
from agent.shop import SHOP

GIVE_UPS: Final = 5
"""Threads of one order that may fail before a person is asked to look into it."""


def place(session: Session, command: PlaceOrder, now: datetime) -> OrderView:
    """PlaceOrder. Raises `PolicyDenied` ORDER-CUSTOMER, ORDER-METHOD, ORDER-SKU, ORDER-ID-TAKEN, ORDER-TOTAL,
    ACCOUNT-FROZEN."""
    order = command.order
    given = {"of_customer": command.subject, "by_method": order.payment_method_id, "of_order": order.order_id}
    known = session.connection().execute(_CUSTOMER, given).one_or_none()
    if known is None or order.customer_id != command.subject:
        raise policy_denied("ORDER-CUSTOMER", order.customer_id)
    address, method_id, taken, frozen_at = known
    if frozen_at:
        raise policy_denied("ACCOUNT-FROZEN")
    if method_id is None:
        raise policy_denied("ORDER-METHOD", order.payment_method_id)
    lines = _priced(session, order.lines)
    if taken:
        raise policy_denied("ORDER-ID-TAKEN", order.order_id)
    total = sum(line["quantity"] * line["unit_price"] for line in lines)
    if total > LARGEST_AMOUNT:
        raise policy_denied("ORDER-TOTAL")
    placed = {
        "id": order.order_id,
        "customer_id": command.subject,
        "status": "pending",
        "stage": "placed",
        "generation": 0,
        "revision": 0,
        "total": total,
        "currency": SHOP.currency,
        "payment_method_id": method_id,
        "thread_id": order_thread(order.order_id, owner_by(command.actor, command.subject)),
        "allow_partial": order.allow_partial,
        "ship_to": order.ship_to.model_dump() if order.ship_to else address,
        "traceparent": tracing.traceparent(),
        "placed_by": command.actor,
        "placed_at": now,
        "touched_at": now,
    }
    add(session, OrderRow, placed)
    emit_once_committed(session, "order.placed", order_id=order.order_id, amount=total)
    columns = ("number", "sku", "quantity", "unit_price", "reservation")
    of_order = {"order_id": order.order_id}
    add(session, OrderLineRow, *(of_order | {name: line[name] for name in columns} for line in lines))  # type: ignore[literal-required]
    return new_order_view(OrderRow(**placed), lines)


def cancel(session: Session, command: CancelOrder, now: datetime) -> OrderRow:
    """CancelOrder: stock is released, money owed back. Raises `PolicyDenied` ORDER-EXISTS, CANCEL-STATUS,
    CANCEL-REASON."""
    order = own(session, command.order_id, command.subject)
    unpaid = order.status != "pending" and bool(changed_items.unpaid_pieces(session, order.id))
    if rule := cancel_denied(order.status, command.reason, change_unpaid=unpaid):
        raise policy_denied(rule)
    order.cancel_reason = command.reason
    compensate(session, order, "CUSTOMER-CANCELLED", by="customer", now=now)
    return order


def leave_out(session: Session, order: OrderRow, short: Sequence[int]) -> None:
    """All lines of an order are held but the `short` ones: it goes on without those, when it allows that.

    One that is past this stays as it is. Raises `PolicyDenied` STOCK-SHORT when it does not, or nothing would be left;
    ORDER-STAGE when a line was never asked for.
    """
    if order.stage != "placed":
        return
    lines = session.connection().execute(_LINES, {"of_order": order.id}).all()
    missing = [line for line in lines if line.reservation == "none"]
    if not {line.number for line in missing} <= set(short):
        raise policy_denied("ORDER-STAGE", "a line was never asked for")
    if missing and (not order.allow_partial or len(missing) == len(lines)):
        raise policy_denied("STOCK-SHORT")
    if missing:  # it is another order then
        numbers = [line.number for line in missing]
        of_order = (OrderLineRow.order_id == order.id, OrderLineRow.number.in_(numbers))
        session.execute(update(OrderLineRow).where(*of_order).values(reservation="short"))
        left_out = sum(line.quantity * line.unit_price for line in missing)
        change(session, order, total=order.total - left_out, revision=order.revision + 1)


def move_on(session: Session, order: OrderRow, to: Stage, by: Cause, now: datetime) -> None:
    """Move an order's stage; one whose lines are all held passes `reserved`. Raises `PolicyDenied` ORDER-STAGE for a
    move not in the table."""
    if order.stage == "placed" and to in MOVES["reserved"]:
        check_move(order.stage, "reserved", by)
        check_move("reserved", to, by)
        moved(session, order, to, touched_at=now)
    else:
        move(session, order, to, by, touched_at=now)


def compensate_order(session: Session, order: OrderRow, rule: str, by: Cause, now: datetime) -> None:
    """Undo an order that can't be fulfilled, in reverse, as far as is known; `rule` says why (see `compensation`)."""
    compensate(session, order, rule, by=by, now=now)


class Orders:
    """The steps of an order's process. Each is safe to repeat."""

    def __init__(self, database: Database) -> None:
        self._db = database
        self._reservations = Reservations(database)

    async def reserve_line(self, order: OrderRef, number: int) -> None:
        """Hold the stock of one line, once (see `Reservations.hold`)."""
        await self._reservations.hold(order, number)

    @writes
    def compensate(self, session: Session, order_ref: OrderRef, rule: str, *, by: Cause = "process") -> OrderView:
        """Undo an order (see `compensate_order`)."""
        order = locked(session, order_ref)
        compensate_order(session, order, rule, by, self._db.clock())
        session.flush()
        return order_view(session, order)

    @writes
    def give_up_thread(self, session: Session, order_id: str, wait: timedelta) -> str | None:
        """The order's thread can't go on: it gets a new one, whose id is returned.

        Each new one has to wait longer, from `wait` doubled up to GIVE_UPS times; None until then. From there on it is
        the order that can't go on, and a ticket asks a person to look into it.
        """
        order, now = locked(session, order_id), self._db.clock()
        waited = timedelta.max if is_in_future(order.touched_at, now) else now - order.touched_at
        if order.generation and waited < wait * 2 ** min(order.generation - 1, GIVE_UPS):
            return None
        order.generation += 1
        owner = owner_by(order.placed_by, order.customer_id)
        order.thread_id = order_thread(order_id, owner, order.generation)
        order.touched_at = now
        if order.generation == GIVE_UPS:
            text = f"{GIVE_UPS} threads of the order ended in an error: it can't go on by itself"
            open_case(session, order, f"{order_id}:threads", topic="order", text=text, now=now)
        emit_once_committed(session, "order.thread_given_up", order_id=order_id, generation=order.generation)
        return order.thread_id


def _priced(session: Session, lines: Sequence[NewLine]) -> list[LineView]:
    """The lines at catalogue prices. Raises `PolicyDenied` ORDER-SKU."""
    skus = {"skus": sorted({line.sku for line in lines})}
    catalogue = {row.sku: row for row in session.connection().execute(_CATALOGUE, skus)}
    if unknown := sorted({line.sku for line in lines} - set(catalogue)):
        raise policy_denied("ORDER-SKU", ", ".join(unknown))
    return [
        LineView(
            number=number,
            sku=line.sku,
            name=catalogue[line.sku].name,
            quantity=line.quantity,
            unit_price=catalogue[line.sku].price,
            reservation="none",
        )
        for number, line in enumerate(lines, 1)
    ]


_T_ORDERS, _T_LINES = table_of(OrderRow), table_of(OrderLineRow)
_T_CUSTOMERS, _T_METHODS, _T_VARIANTS, _T_PRODUCTS = map(
    table_of, (CustomerRow, PaymentMethodRow, VariantRow, ProductRow)
)
_CUSTOMER: Final = (
    select(
        _T_CUSTOMERS.c.address,
        _T_METHODS.c.id.label("method_id"),
        exists().where(_T_ORDERS.c.id == bindparam("of_order")),
        _T_CUSTOMERS.c.frozen_at,
    )
    .outerjoin_from(
        _T_CUSTOMERS,
        _T_METHODS,
        (_T_METHODS.c.customer_id == _T_CUSTOMERS.c.id) & (_T_METHODS.c.id == bindparam("by_method")),
    )
    .where(_T_CUSTOMERS.c.id == bindparam("of_customer"), _T_CUSTOMERS.c.forgotten_at.is_(None))
)
_CATALOGUE: Final = (
    select(_T_VARIANTS.c.sku, _T_VARIANTS.c.price, _T_PRODUCTS.c.name)
    .join(_T_PRODUCTS, _T_PRODUCTS.c.id == _T_VARIANTS.c.product_id)
    .where(_T_VARIANTS.c.sku.in_(bindparam("skus", expanding=True)))
)
_LINES: Final = select(_T_LINES.c.number, _T_LINES.c.quantity, _T_LINES.c.unit_price, _T_LINES.c.reservation).where(
    _T_LINES.c.order_id == bindparam("of_order")
)
