"""How an order's own price stands, whatever its changes made due: the latest attempt at it, and what came of that."""

from typing import Final

from sqlalchemy import ScalarSelect, SQLColumnExpression, bindparam, func, select
from sqlalchemy.orm import Session

from agent.ledger.tables import PaymentMethodRow, PaymentRow

_LATEST: Final = (
    select(func.max(PaymentRow.attempt)).where(PaymentRow.order_id == bindparam("of_order")).scalar_subquery()
)
_METHOD_AND_LATEST: Final = (
    select(PaymentMethodRow, PaymentRow)
    .outerjoin(PaymentRow, (PaymentRow.order_id == bindparam("of_order")) & (PaymentRow.attempt == _LATEST))
    .where(PaymentMethodRow.id == bindparam("by"))
)


def latest(session: Session, order_id: str) -> PaymentRow | None:
    """The latest attempt at the order's own price."""
    query = select(PaymentRow).where(PaymentRow.order_id == order_id, PaymentRow.attempt.is_not(None))
    return session.scalar(query.order_by(PaymentRow.attempt.desc()).limit(1))


def method_and_latest(session: Session, order_id: str, method_id: str) -> tuple[PaymentMethodRow, PaymentRow | None]:
    """A payment method, and the latest attempt at the order's own price, by whatever method; as one statement."""
    method, payment = session.execute(_METHOD_AND_LATEST, {"of_order": order_id, "by": method_id}).one()
    return method, payment


def price_outcome(order_id: str | SQLColumnExpression[str]) -> ScalarSelect[str]:
    """The outcome of the latest attempt at the order's own price, for a query; read it by `outcome_of`."""
    query = select(PaymentRow.outcome).where(PaymentRow.order_id == order_id, PaymentRow.attempt.is_not(None))
    return query.order_by(PaymentRow.attempt.desc()).limit(1).scalar_subquery()


def outcome_of(latest: str | None) -> str:
    """`none`, `deferred` (nothing was sent), `unknown`, `captured`, `declined` or `void`: how the order's own price
    stands, whatever its changes made due."""
    return {"open": "deferred", None: "none"}.get(latest, latest or "")
