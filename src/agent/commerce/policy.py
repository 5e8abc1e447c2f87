"""The retail policy as data and pure functions; every refusal carries its rule id. No I/O.

Amounts are integer minor units. Source of rules and numbers: docs/architecture.md, "Retail policy".
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Literal, get_args

from agent.ledger.database import Denied

CancelReason = Literal["no longer needed", "ordered by mistake"]
CANCEL_REASONS: Final[tuple[str, ...]] = get_args(CancelReason)

RULES: Final[dict[str, str]] = {
    "CUSTOMER-IDENTIFIED": "I first need to know who you are: please tell me the e-mail address of your account.",
    "CUSTOMER-ONE": "This conversation is about another customer's account. Please start a new one.",
    "ORDER-EXISTS": "I can't find that order among your orders.",
    "ORDER-INPUT": "The order can't be read.",
    "ORDER-CUSTOMER": "There is no such customer.",
    "ORDER-SKU": "There is no such item.",
    "ORDER-METHOD": "There is no such payment method on this account.",
    "ORDER-ID-TAKEN": "This order id was used before for another order.",
    "ORDER-STAGE": "The order is past that step.",
    "ORDER-CALLER": "You can't place or continue this order.",
    "ORDER-REJECTED": "The order was not approved.",
    "CUSTOMER-CANCELLED": "The order was cancelled by the customer.",
    "STOCK-SHORT": "Not enough of this item is in stock.",
    "PAYMENT-DECLINED": "The payment was declined.",
    "PAYMENT-GIFT-COVERS": "The gift card does not cover the whole amount.",
    "CANCEL-STATUS": "An order can be cancelled only while it is pending.",
    "CANCEL-REASON": "An order can be cancelled when it is no longer needed or was ordered by mistake.",
    "REFUND-AMOUNT": "A refund must be more than nothing and at most what was paid and not yet refunded.",
    "MESSAGE-EMPTY": "The message is empty.",
    "MESSAGE-LONG": "The message is too long for me to read; please shorten it.",
    "MESSAGE-FORM": "I can read one text message from you at a time.",
}
"""Rule ids with a sentence fit for a customer."""

REFUND_TIME: Final = "in 5 to 7 business days"
"""CANCEL-REFUND: how long a refund takes unless it goes to a gift card, which is at once."""


def denied(rule: str, detail: str = "") -> Denied:
    """A denial in the policy's words, with a detail where one helps."""
    return Denied(rule, f"{RULES[rule]} ({detail})" if detail else RULES[rule])


@dataclass(frozen=True)
class RiskFacts:
    """What the risk score of a new order looks at. `past_totals` are the customer's earlier orders, minor units."""

    total: int
    past_totals: Sequence[int]
    orders_in_24_hours: int  # this one included
    ships_elsewhere: bool
    paid_by_gift_card: bool
    profile_changed_at: datetime | None
    now: datetime


def risk_score(facts: RiskFacts) -> int:
    """Risk of a new order; `approvals.chains.HIGH_RISK` or more is high."""
    past = sorted(facts.past_totals)
    median = (past[(len(past) - 1) // 2] + past[len(past) // 2]) / 2 if past else None
    recently = facts.profile_changed_at is not None and facts.now - facts.profile_changed_at <= timedelta(days=7)
    return sum(
        points
        for points, applies in (
            (20, facts.ships_elsewhere),
            (15, not past),
            (25, facts.orders_in_24_hours > 3),
            (25, median is not None and facts.total >= 5 * median),
            (20, facts.paid_by_gift_card and facts.total > 200_00),
            (30, recently),
        )
        if applies
    )


def cancel_denied(status: str, reason: str | None) -> str | None:
    """The rule that forbids cancelling an order of this status for this reason, if any."""
    if status != "pending":
        return "CANCEL-STATUS"
    return None if reason in CANCEL_REASONS else "CANCEL-REASON"


def refund_denied(amount: int, refundable: int) -> str | None:
    """The rule that forbids refunding `amount`, if any; `refundable` is what was captured and not yet refunded."""
    return None if 0 < amount <= refundable else "REFUND-AMOUNT"


def money(amount: int, currency: str = "USD") -> str:
    """An amount of minor units as people write it."""
    return f"{'-' if amount < 0 else ''}{abs(amount) // 100:,}.{abs(amount) % 100:02} {currency}"
