"""The rules that are pure: the risk score, who may cancel, how much may be refunded, how money is written."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from agent.commerce.policy import RULES, RiskFacts, cancel_denied, policy_denied, refund_denied, risk_reasons
from agent.shop import SHOP

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
MUCH = SHOP.minor(SHOP.amounts.gift_card_risk)

USUAL = RiskFacts(
    total=100_00,
    past_totals=[100_00],
    orders_in_24_hours=1,
    ships_elsewhere=False,
    paid_by_gift_card=False,
    profile_changed_at=None,
    now=NOW,
)


@pytest.mark.parametrize(
    ("facts", "score"),
    [
        ({}, 0),
        ({"ships_elsewhere": True}, 20),
        ({"past_totals": []}, 15),
        ({"orders_in_24_hours": 3}, 0),
        ({"orders_in_24_hours": 4}, 25),
        ({"total": 499_99}, 0),
        ({"total": 500_00}, 25),
        ({"past_totals": [300_00, 10_00, 20_00]}, 25),  # the median is 20.00, in any order
        ({"past_totals": [300_00, 10_00, 21_00]}, 0),
        ({"past_totals": [30_00, 10_00]}, 25),  # halfway between the two
        ({"past_totals": [31_00, 10_00]}, 0),
        ({"paid_by_gift_card": True, "total": MUCH, "past_totals": [MUCH]}, 0),
        ({"paid_by_gift_card": True, "total": MUCH + 1, "past_totals": [MUCH]}, 20),
        ({"total": MUCH + 1, "past_totals": [MUCH]}, 0),
        ({"profile_changed_at": NOW - timedelta(days=7)}, 30),
        ({"profile_changed_at": NOW - timedelta(days=7, seconds=1)}, 0),
        ({"past_totals": [], "total": 9_000_00}, 15),  # a first order has no median
        (
            {
                "ships_elsewhere": True,
                "orders_in_24_hours": 9,
                "total": 500_00 + MUCH,
                "paid_by_gift_card": True,
                "profile_changed_at": NOW,
            },
            120,
        ),
    ],
)
def test_the_risk_of_an_order_is_the_sum_of_what_is_unusual(facts: dict[str, Any], score: int) -> None:
    assert sum(points for points, _ in risk_reasons(replace(USUAL, **facts))) == score


@pytest.mark.parametrize(
    ("status", "reason", "rule"),
    [
        ("pending", "no longer needed", None),
        ("pending", "ordered by mistake", None),
        ("pending", None, "CANCEL-REASON"),
        ("pending", "", "CANCEL-REASON"),
        ("pending", "No longer needed", "CANCEL-REASON"),
        ("pending (item modified)", "no longer needed", "CANCEL-STATUS"),
        ("processed", "no longer needed", "CANCEL-STATUS"),
        ("delivered", "too late", "CANCEL-STATUS"),
        ("cancelled", "no longer needed", "CANCEL-STATUS"),
    ],
)
def test_an_order_is_cancelled_only_while_pending_and_for_a_known_reason(
    status: str, reason: str | None, rule: str | None
) -> None:
    assert cancel_denied(status, reason) == rule


@pytest.mark.parametrize(
    ("amount", "left", "rule"),
    [
        (1, 1, None),
        (10_00, 10_00, None),
        (10_01, 10_00, "REFUND-AMOUNT"),
        (0, 10_00, "REFUND-AMOUNT"),
        (-1, 10_00, "REFUND-AMOUNT"),
        (1, 0, "REFUND-AMOUNT"),
    ],
)
def test_a_refund_is_more_than_nothing_and_at_most_what_is_left(amount: int, left: int, rule: str | None) -> None:
    assert refund_denied(amount, left) == rule


def test_a_denial_says_its_rule_in_the_policys_words() -> None:
    denial = policy_denied("STOCK-SHORT", "LAMP-OAK")
    assert (denial.rule, denial.sentence) == ("STOCK-SHORT", f"{RULES['STOCK-SHORT']} (LAMP-OAK)")
    assert policy_denied("STOCK-SHORT").sentence == RULES["STOCK-SHORT"]
