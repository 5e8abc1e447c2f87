"""Holding the stock of an order's lines: a branch a line, written together with those that come at the same time.

The line's own row says whether its stock is held, so a line that is asked for twice is held once.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import bindparam, select, tuple_, update
from sqlalchemy.orm import Session

from agent.commerce import stock
from agent.commerce.locks import OrderRef, attempt, checked, id_of, locked_all
from agent.commerce.policy import policy_denied
from agent.commerce.precondition import StateDamagedError
from agent.ledger.database import Database
from agent.ledger.grouping import Group
from agent.ledger.statements import table_of
from agent.ledger.tables import OrderLineRow, VariantRow

_LINES, _VARIANTS = table_of(OrderLineRow), table_of(VariantRow)
_FOUND = (
    select(_LINES.c.order_id, _LINES.c.number, _LINES.c.sku, _LINES.c.quantity, _LINES.c.reservation)
    .add_columns(_VARIANTS.c.on_hand, _VARIANTS.c.reserved)
    .join(_VARIANTS, _VARIANTS.c.sku == _LINES.c.sku)
    .where(tuple_(_LINES.c.order_id, _LINES.c.number).in_(bindparam("keys", expanding=True)))
    .order_by(_VARIANTS.c.sku)
    .with_for_update(of=_VARIANTS)
)
_HELD = (
    update(_LINES)
    .where(_LINES.c.order_id == bindparam("of_order"), _LINES.c.number == bindparam("of_number"))
    .values(reservation="held")
)


@dataclass(frozen=True)
class LineOf:
    """One line of an order."""

    order: OrderRef
    number: int


class Reservations:
    """Holds stock, line by line."""

    def __init__(self, database: Database) -> None:
        self._group = Group(database, hold_lines)

    async def hold(self, order: OrderRef, number: int) -> None:
        """Hold the stock of one line, once. Raises `PolicyDenied` STOCK-SHORT when there is not enough of it,
        ORDER-STAGE when its order is past that, and what `rows.checked` raises."""
        await self._group.ask(LineOf(order, number))


def hold_lines(session: Session, asked: Sequence[LineOf]) -> list[Exception | None]:
    """Hold what there is for each line, in the order of asking; an answer that is an exception says why not."""
    orders = locked_all(session, [each.order for each in asked])
    keys = {(id_of(each.order), each.number) for each in asked}
    found = session.connection().execute(_FOUND, {"keys": sorted(keys)})
    lines = {(row.order_id, row.number): row for row in found}
    there = {row.sku: row.on_hand - row.reserved for row in lines.values()}
    held: dict[tuple[str, int], Any] = {}

    def hold(each: LineOf) -> None:
        key = (id_of(each.order), each.number)
        order, line = checked(each.order, orders.get(key[0])), lines.get(key)
        if order.stage != "placed":
            raise policy_denied("ORDER-STAGE", order.stage)
        if line is None:
            raise StateDamagedError("line: not of the order")
        if line.reservation == "none" and key not in held:
            if there[line.sku] < line.quantity:
                raise policy_denied("STOCK-SHORT", line.sku)
            there[line.sku] -= line.quantity
            held[key] = line

    answers = [attempt(hold, each) for each in asked]
    pieces = Counter[str]()
    for line in held.values():
        pieces[line.sku] += line.quantity
    stock.hold(session, pieces)
    if held:
        session.connection().execute(_HELD, [{"of_order": order, "of_number": number} for order, number in held])
    return answers
