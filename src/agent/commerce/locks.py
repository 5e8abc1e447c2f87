"""An order's rows, for a transaction that is about to change them; or a case for a person, when it can't."""

from collections import Counter
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any, Final, TypeVar

from sqlalchemy import bindparam, select, update
from sqlalchemy.orm import Session

from agent.commerce.lifecycle import Cause, Outcome, Stage, check_move, check_payment_move
from agent.commerce.policy import policy_denied
from agent.commerce.precondition import OrderMovedOnError, Precondition, StateDamagedError
from agent.commerce.tickets import add_ticket
from agent.ledger.database import PolicyDenied, digest, emit_once_committed, take_turn
from agent.ledger.statements import change, table_of
from agent.ledger.tables import OrderLineRow, OrderRow, PaymentRow, TicketRow

A = TypeVar("A")
T = TypeVar("T")
OrderRef = str | Precondition
"""An order by its id; or by its id and what must be true of it."""


def id_of(order: OrderRef) -> str:
    """The order's id."""
    return order if isinstance(order, str) else order.order_id


def checked(order: OrderRef, row: OrderRow | None) -> OrderRow:
    """The order's row as it was read, held against what must be true of it.

    Raises `PolicyDenied` ORDER-EXISTS for none, `StateDamagedError` and `OrderMovedOnError` by a precondition.
    """
    if row is None:
        if isinstance(order, Precondition):
            raise StateDamagedError("order_id: not in the ledger")
        raise policy_denied("ORDER-EXISTS", order)
    if isinstance(order, Precondition):
        order.check(row)
    return row


def locked(session: Session, order: OrderRef) -> OrderRow:
    """The order's row, locked for this transaction (see `checked`)."""
    return checked(order, session.scalar(_LOCKED, {"of_order": id_of(order)}))


def locked_all(session: Session, orders: Sequence[OrderRef]) -> dict[str, OrderRow]:
    """The rows of the orders that there are, locked in the order of their ids; hold each against `checked`."""
    ids = sorted({id_of(order) for order in orders})
    return {row.id: row for row in session.scalars(_LOCKED_ALL, {"of_orders": ids})}


def attempt(act: Callable[[A], T], asked: A) -> T | Exception:
    """What comes of one thing that was asked for in a group: its answer, or the refusal of it alone."""
    try:
        return act(asked)
    except (PolicyDenied, StateDamagedError, OrderMovedOnError) as error:
        return error


def seen(session: Session, order: OrderRef) -> OrderRow:
    """The order's row, in a read (see `checked`)."""
    return checked(order, session.get(OrderRow, id_of(order)))


def move(session: Session, order: OrderRow, to: Stage, by: Cause, **columns: Any) -> None:
    """Move an order's stage, and change these columns with it. Raises `PolicyDenied` ORDER-STAGE (see `check_move`)."""
    check_move(order.stage, to, by)
    moved(session, order, to, **columns)


def moved(session: Session, order: OrderRow, to: Stage, **columns: Any) -> None:
    """Write a stage that was checked; what is new is an event."""
    if order.stage != to:
        emit_once_committed(session, "order.stage", order_id=order.id, stage=to)
    change(session, order, stage=to, **columns)


def move_payment(session: Session, payment: PaymentRow, to: Outcome, by: Cause, **columns: Any) -> None:
    """Move an attempt's outcome, and change these columns with it. Raises `PaymentMoveError`."""
    check_payment_move(payment.key, payment.outcome, to, by)
    change(session, payment, outcome=to, **columns)


def own(session: Session, order_id: str, customer_id: str) -> OrderRow:
    """The customer's own order, locked. Raises `PolicyDenied` ORDER-EXISTS, the same for another's as for none."""
    order = session.get(OrderRow, order_id, with_for_update=True)
    if order is None or order.customer_id != customer_id:
        raise policy_denied("ORDER-EXISTS", order_id)
    return order


def lines_of(session: Session, order_id: str) -> list[OrderLineRow]:
    """The order's lines, by number."""
    query = select(OrderLineRow).where(OrderLineRow.order_id == order_id).order_by(OrderLineRow.number)
    return list(session.scalars(query).all())


def unhold(session: Session, order_id: str, reservation: str, numbers: Sequence[int] | None = None) -> Counter[str]:
    """The order's held lines, or those of these numbers, are `released` or `shipped`; the pieces that they held."""
    session.flush()
    given = {"of_order": order_id, "to_reservation": reservation}
    some = {} if numbers is None else {"numbers": list(numbers)}
    pieces = Counter[str]()
    for sku, quantity in session.connection().execute(_UNHOLD_SOME if some else _UNHOLD, given | some):
        pieces[sku] += quantity
    return pieces


def open_case(session: Session, order: OrderRow, about: str, *, topic: str, text: str, now: datetime) -> None:
    """Have a person look into an order (see `open_ticket`)."""
    open_ticket(session, order, about, topic=topic, text=text, now=now)


def open_ticket(session: Session, order: OrderRow | None, about: str, *, topic: str, text: str, now: datetime) -> None:
    """Have a person look into something: one ticket for each thing that it is `about`. Without an order it may be of
    one that the ledger does not know."""
    ticket_id = f"tic-{digest(about)[:12]}"
    take_turn(session, ticket_id)
    if session.get(TicketRow, ticket_id) is None:
        about_whom = {"customer_id": order.customer_id, "order_id": order.id} if order else {}
        add_ticket(session, ticket_id, topic=topic, text=text, now=now, **about_whom)


_LOCKED: Final = (
    select(OrderRow)
    .where(OrderRow.id == bindparam("of_order"))
    .with_for_update()
    .execution_options(populate_existing=True)  # it may have been read before it was locked
)
_LOCKED_ALL: Final = (
    select(OrderRow)
    .where(OrderRow.id.in_(bindparam("of_orders", expanding=True)))
    .order_by(OrderRow.id)
    .with_for_update()
    .execution_options(populate_existing=True)
)
_LINES: Final = table_of(OrderLineRow)
_UNHOLD: Final = (
    update(_LINES)
    .where(_LINES.c.order_id == bindparam("of_order"), _LINES.c.reservation == "held")
    .values(reservation=bindparam("to_reservation"))
    .returning(_LINES.c.sku, _LINES.c.quantity)
)
_UNHOLD_SOME: Final = _UNHOLD.where(_LINES.c.number.in_(bindparam("numbers", expanding=True)))
