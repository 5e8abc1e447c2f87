"""The retail policy as data and pure functions; every refusal carries its rule id. No I/O.

Amounts are integer minor units. Source of rules and numbers: docs/architecture.md, "Retail policy".
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Literal, get_args

from agent.ledger.database import PolicyDenied
from agent.shop import SHOP

CancelReason = Literal["no longer needed", "ordered by mistake"]
CANCEL_REASONS: Final[tuple[str, ...]] = get_args(CancelReason)

RULES: Final[dict[str, str]] = {
    "CUSTOMER-IDENTIFIED": "I first need to know who you are: please sign in.",
    "CUSTOMER-ONE": "This conversation is about another customer's account. Please start a new one.",
    "ORDER-EXISTS": "I can't find that order among your orders.",
    "ORDER-INPUT": "The order can't be read.",
    "ORDER-CUSTOMER": "There is no such customer.",
    "ORDER-SKU": "There is no such item.",
    "ORDER-METHOD": "There is no such payment method on this account.",
    "ORDER-ID-TAKEN": "This order id was used before for another order.",
    "ORDER-TOTAL": "An order this large can't be paid at once; please split it.",
    "ORDER-STAGE": "The order is past that step.",
    "ORDER-CALLER": "You can't place or continue this order.",
    "ORDER-REJECTED": "The order was not approved.",
    "CUSTOMER-CANCELLED": "The order was cancelled by the customer.",
    "STOCK-SHORT": "Not enough of this item is in stock.",
    "PAYMENT-DECLINED": "The payment was declined.",
    "PAYMENT-REJECTED": "This payment method can't be used for this amount any more.",
    "SHIPPING-REFUSED": "No carrier takes the parcel to this address.",
    "PAYMENT-GIFT-COVERS": "The gift card does not cover the whole amount.",
    "CANCEL-STATUS": "An order can be cancelled only while it is pending.",
    "CANCEL-REASON": "An order can be cancelled when it is no longer needed or was ordered by mistake.",
    "ADDRESS-STATUS": "The address of an order can be changed only while it is pending.",
    "PAYMENT-STATUS": "The payment method can be changed only on a pending order that has exactly one payment.",
    "PAYMENT-DIFFERENT": "The new payment method must be another one of your own.",
    "PAYMENT-DUE": "Not all of the order is paid yet.",
    "LINES-STATUS": "Items can be changed once, and only while the order is pending.",
    "LINES-OWNED": "That item is not on the order, or not that often.",
    "LINES-PRODUCT": "An item can be changed only for another option of the same product.",
    "LINES-DIFFERENT": "The new item must be another one than the old.",
    "LINES-AVAILABLE": "The new item is not available.",
    "DIFFERENCE-METHOD": "A difference in price needs one payment method of your own.",
    "DIFFERENCE-GIFT-COVERS": "The gift card does not cover the difference in price.",
    "CHANGE-UNPAID": "Only a change of items that is not paid yet can be undone.",
    "RETURN-STATUS": "What was delivered can be returned, when no other return or exchange of the order is open.",
    "RETURN-REFUND-TO": "A return is refunded to the method that you paid with, or to a gift card of your own.",
    "RETURN-RECEIVED": "No return of this order is expected.",
    "EXCHANGE-STATUS": "Items can be exchanged once, all in one request, and only when the order was delivered.",
    "REQUEST-OPEN": "That request is not open any more.",
    "PRICE-CHANGED": "The price is not what you agreed to any more. Please ask again.",
    "CHANGE-UNKNOWN": "This can't be done that way any more. Please ask again.",
    "ACCOUNT-FROZEN": "This account is frozen until our security staff frees it. Please ask again then.",
    "EMAIL-USABLE": "This e-mail address can't be used for your account.",
    "REQUEST-WITHDRAW": "Only a return or an exchange of which nothing has arrived can be withdrawn.",
    "PARCEL-EXISTS": "There is no such parcel.",
    "PARCEL-STATE": "The parcel is not on its way.",
    "ORDER-BUSY": "The order is being worked on right now; please try again in a moment.",
    "REFUND-AMOUNT": "A refund must be more than nothing and at most what was paid and not yet refunded.",
    "TICKET-EXISTS": "There is no such ticket.",
    "TICKET-ROLE": "This ticket is not for your role.",
    "TICKET-TAKER": "Only who has taken a ticket works on it.",
    "TICKET-STATUS": "That can't be done with this ticket now.",
    "TICKET-CUSTOMER": "This ticket has no customer who could hear an answer: close it with a note.",
    "MESSAGE-EMPTY": "The message is empty.",
    "MESSAGE-LONG": "The message is too long for me to read; please shorten it.",
    "MESSAGE-FORM": "I can read one text message from you at a time.",
    "MESSAGE-ID": "Another message has this id already.",
}
"""Rule ids with a sentence fit for a customer."""

PAYMENT_ATTEMPTS: Final = 3
"""Payment methods that a customer may name for one thing that is to be paid, before it is undone."""

RETURN_REMINDER: Final = timedelta(days=30)
"""RETURN-STATUS: after so long the customer is reminded of what has not come back."""

RETURN_LIMIT: Final = timedelta(days=45)
"""RETURN-STATUS: after so long the rest of a return or exchange is closed, and what is held for it is released."""

_MUCH_BY_GIFT_CARD: Final = SHOP.minor(SHOP.amounts.gift_card_risk)

REFUND_TIME: Final = "in 5 to 7 business days"
"""CANCEL-REFUND: how long a refund takes unless it goes to a gift card, which is at once."""


def policy_denied(rule: str, detail: str = "") -> PolicyDenied:
    """A denial in the policy's words, with a detail where one helps."""
    return PolicyDenied(rule, f"{RULES[rule]} ({detail})" if detail else RULES[rule])


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


def risk_reasons(facts: RiskFacts) -> list[tuple[int, str]]:
    """What makes a new order risky: points, whose sum is its risk (`approvals.chains.HIGH_RISK`), and why."""
    past = sorted(facts.past_totals)
    median = (past[(len(past) - 1) // 2] + past[len(past) // 2]) / 2 if past else None
    recently = facts.profile_changed_at is not None and facts.now - facts.profile_changed_at <= timedelta(days=7)
    return [
        (points, why)
        for points, why, applies in (
            (20, "ships elsewhere than to the customer's address", facts.ships_elsewhere),
            (15, "first order", not past),
            (25, f"{facts.orders_in_24_hours} orders in 24 hours", facts.orders_in_24_hours > 3),
            (25, "at least 5 times the usual total", median is not None and facts.total >= 5 * median),
            (20, "much of it by gift card", facts.paid_by_gift_card and facts.total > _MUCH_BY_GIFT_CARD),
            (30, "profile changed within 7 days", recently),
        )
        if applies
    ]


def pending(status: str) -> bool:
    """Whether nothing of the order has been handed over, its items changed or not."""
    return status in ("pending", "pending (item modified)")


def cancel_denied(status: str, reason: str | None, *, change_unpaid: bool = False) -> str | None:
    """The rule that forbids cancelling an order of this status for this reason, if any; one whose change of items is
    not paid can be cancelled still."""
    if status != "pending" and not change_unpaid:
        return "CANCEL-STATUS"
    return None if reason in CANCEL_REASONS else "CANCEL-REASON"


def refund_denied(amount: int, refundable: int) -> str | None:
    """The rule that forbids refunding `amount`, if any; `refundable` is what was captured and not yet refunded."""
    return None if 0 < amount <= refundable else "REFUND-AMOUNT"


def read_money(text: object) -> int:
    """An amount that somebody wrote, in minor units of the shop's currency. Raises ValueError with what is expected."""
    return SHOP.read_money(text)


def money(amount: int) -> str:
    """An amount of minor units of the shop's currency as people write it."""
    return SHOP.money(amount)
