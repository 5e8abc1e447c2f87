"""How risky a new order is, from what the ledger knows of its customer. How the points are given is in `policy`."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from sqlalchemy import bindparam, exists, select
from sqlalchemy.orm import Session

from agent.commerce.policy import RiskFacts, risk_reasons
from agent.ledger.base import UtcDateTime
from agent.ledger.statements import table_of
from agent.ledger.tables import ApprovalRow, CustomerRow, OrderRow, PaymentMethodRow

PAST_ORDERS: Final = 100
"""How many of a customer's latest orders the risk of a new one is measured by."""


@dataclass(frozen=True)
class OrderRisk:
    """How risky an order is and why, and the sum, in minor units, of its customer's other `unapproved` orders."""

    score: int
    reasons: tuple[str, ...]
    unapproved: int
    """Of the 24 hours before it, what was undone left out: a limit is looked at over time, or it is split (law 23)."""


def risk_of(session: Session, order: OrderRow, sum_hours: float = 24.0) -> OrderRisk:
    """The risk of an order, from what the ledger knows of its customer: profile, method, latest PAST_ORDERS.

    What nobody approved of the last `sum_hours` is summed up.
    """
    now = order.placed_at
    given = {"of_customer": order.customer_id, "of_order": order.id, "by_method": order.payment_method_id, "until": now}
    customer = session.connection().execute(_CUSTOMER, given).one()
    others = session.connection().execute(_PAST_ORDERS, given).all()
    lately = [row for row in others if row.placed_at >= now - timedelta(hours=24)]
    reasons = risk_reasons(
        RiskFacts(
            total=order.total,
            past_totals=[row.total for row in others],
            orders_in_24_hours=1 + len(lately),
            ships_elsewhere=order.ship_to != customer.address,
            paid_by_gift_card=customer.kind == "gift_card",
            profile_changed_at=customer.profile_changed_at,
            now=now,
        )
    )
    return OrderRisk(
        score=sum(points for points, _ in reasons),
        reasons=tuple(why for _, why in reasons),
        unapproved=sum(
            row.total
            for row in others
            if row.placed_at > now - timedelta(hours=sum_hours)
            and not row.approved
            and row.stage not in ("cancelling", "cancelled")
        ),
    )


_ORDERS, _CUSTOMERS, _METHODS = table_of(OrderRow), table_of(CustomerRow), table_of(PaymentMethodRow)
_CUSTOMER: Final = (
    select(_CUSTOMERS.c.address, _CUSTOMERS.c.profile_changed_at, _METHODS.c.kind)
    .join(_METHODS, _METHODS.c.id == bindparam("by_method"))
    .where(_CUSTOMERS.c.id == bindparam("of_customer"))
)
_APPROVALS = table_of(ApprovalRow)
_PAST_ORDERS: Final = (
    select(
        _ORDERS.c.total,
        _ORDERS.c.placed_at,
        _ORDERS.c.stage,
        exists()
        .where(
            _APPROVALS.c.order_id == _ORDERS.c.id,
            _APPROVALS.c.key == "order:" + _ORDERS.c.id,
            _APPROVALS.c.status == "approved",
        )
        .label("approved"),
    )
    .where(
        _ORDERS.c.customer_id == bindparam("of_customer"),
        _ORDERS.c.id != bindparam("of_order"),
        _ORDERS.c.placed_at <= bindparam("until", type_=UtcDateTime()),
    )
    .order_by(_ORDERS.c.placed_at.desc())
    .limit(PAST_ORDERS)
)
