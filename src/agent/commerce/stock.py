"""Stock of variants: held for an order, given free again, gone, come back. One statement, however many variants.

Rows are touched in the order of their SKUs, so that two transactions never wait for each other crosswise.
"""

from collections.abc import Collection, Mapping
from typing import Any, Final

from sqlalchemy import Update, bindparam, select, update
from sqlalchemy.orm import Session

from agent.commerce.policy import policy_denied
from agent.ledger.statements import table_of
from agent.ledger.tables import VariantRow

Pieces = Mapping[str, int]
"""How many pieces of which SKU."""

_VARIANTS: Final = table_of(VariantRow)
_ON_HAND, _RESERVED = _VARIANTS.c.on_hand, _VARIANTS.c.reserved
_PIECES: Final[Any] = bindparam("pieces")


def _of_each(**values: Any) -> Update:
    return update(_VARIANTS).where(_VARIANTS.c.sku == bindparam("of_sku")).values(values)


_HOLD: Final = _of_each(reserved=_RESERVED + _PIECES)
_FREE: Final = _of_each(reserved=_RESERVED - _PIECES)
_HAND_OUT: Final = _of_each(on_hand=_ON_HAND - _PIECES, reserved=_RESERVED - _PIECES)
_TAKE_BACK: Final = _of_each(on_hand=_ON_HAND + _PIECES)


_AVAILABLE: Final = (
    select(_VARIANTS.c.sku, _ON_HAND, _RESERVED)
    .where(_VARIANTS.c.sku.in_(bindparam("skus", expanding=True)))
    .order_by(_VARIANTS.c.sku)
    .with_for_update()
)


def available(session: Session, skus: Collection[str]) -> dict[str, int]:
    """How many pieces of each can be held; nobody else holds any before this transaction ends."""
    rows = session.connection().execute(_AVAILABLE, {"skus": sorted(skus)})
    return {row.sku: row.on_hand - row.reserved for row in rows}


def hold(session: Session, pieces: Pieces) -> None:
    """Hold pieces that are `available`."""
    _change(session, _HOLD, pieces)


def hold_all(session: Session, pieces: Pieces, rule: str) -> None:
    """Hold pieces for an order. Raises `PolicyDenied` with `rule` when there are not enough free ones of some SKU."""
    there = available(session, pieces)
    if short := sorted(sku for sku, number in pieces.items() if there.get(sku, 0) < number):
        raise policy_denied(rule, ", ".join(short))
    hold(session, pieces)


def free(session: Session, pieces: Pieces) -> None:
    """Give held pieces free again."""
    _change(session, _FREE, pieces)


def hand_out(session: Session, pieces: Pieces) -> None:
    """Held pieces leave the house."""
    _change(session, _HAND_OUT, pieces)


def take_back(session: Session, pieces: Pieces) -> None:
    """Pieces come back, to be sold again."""
    _change(session, _TAKE_BACK, pieces)


def _change(session: Session, statement: Update, pieces: Pieces) -> None:
    if pieces:
        session.connection().execute(statement, [{"of_sku": sku, "pieces": pieces[sku]} for sku in sorted(pieces)])
