"""Who must say yes to what, from what the shop's folder says (`shop.toml`, chains and amounts). No I/O.

Source: retail policy, "Staff approval" (docs/architecture.md).
"""

from typing import Final, get_args

from agent.escalation import Step, chain
from agent.shop import SHOP, Case

CHAINS: Final[dict[Case, tuple[Step, ...]]] = {case: chain(case) for case in get_args(Case)}
OF_ORDERS: Final[frozenset[Case]] = frozenset(("large_order", "very_large_order", "debt"))
"""Cases of an order's own process, which acts on the decision in its transaction."""

REFUND_BY_BILLING: Final = SHOP.minor(SHOP.amounts.refund_by_billing)
"""Refunds and credits that sum up to more than this need billing_agent → billing_manager; up to it, one general agent.
Summed up for a customer, over `approvals.sums.LATELY` (REFUND-SUM)."""
LARGE_ORDER: Final = SHOP.minor(SHOP.amounts.large_order)
VERY_LARGE_ORDER: Final = SHOP.minor(SHOP.amounts.very_large_order)
HIGH_RISK: Final = 70
"""Risk score from which an order needs the chain of a very large one."""


def case_for_order(total: int, risk: int) -> Case | None:
    """Which chain a new order needs, if any. `total` in minor units, of this order and of those of the last 24 hours
    that nobody has approved; `risk` from `commerce.policy.risk_reasons`."""
    if total >= VERY_LARGE_ORDER or risk >= HIGH_RISK:
        return "very_large_order"
    return "large_order" if total >= LARGE_ORDER else None


def case_for_refund(summed: int) -> Case:
    """Which chain a refund beyond policy needs. `summed` in minor units: this one, those paid to the customer lately,
    and those that wait (REFUND-SUM)."""
    return "billing" if summed > REFUND_BY_BILLING else "general"


def chain_of(case: Case, time_scale: float) -> list[Step]:
    """The steps of a new request, with all times multiplied by `time_scale`."""
    return [
        Step(
            role=step["role"],
            reminder_seconds=step["reminder_seconds"] * time_scale,
            due_seconds=step["due_seconds"] * time_scale,
            expiry_seconds=step["expiry_seconds"] * time_scale,
        )
        for step in CHAINS[case]
    ]
