"""The chains are those of the shop's folder, and what comes of its amounts."""

import pytest

from agent.approvals.chains import (
    CHAINS,
    HIGH_RISK,
    LARGE_ORDER,
    REFUND_BY_BILLING,
    VERY_LARGE_ORDER,
    case_for_order,
    case_for_refund,
    chain_of,
)
from agent.escalation import HOUR, LAST_RESORT, escalation_of
from agent.identity import APPROVER_ROLES
from agent.shop import SHOP, Case


@pytest.mark.parametrize("case", CHAINS)
def test_every_case_is_asked_of_the_roles_that_the_shop_names_in_order_and_in_its_times(case: Case) -> None:
    wanted = SHOP.chains[case]
    assert [step["role"] for step in CHAINS[case]] == list(wanted.roles)
    assert {step["due_seconds"] for step in CHAINS[case]} == {wanted.due_hours * HOUR}
    assert {step["expiry_seconds"] for step in CHAINS[case]} == {wanted.expiry_hours * HOUR}


def test_only_people_who_can_approve_stand_in_a_chain() -> None:
    assert {step["role"] for chain in CHAINS.values() for step in chain} < APPROVER_ROLES


def test_every_step_is_overdue_before_it_expires() -> None:
    assert all(0 < step["due_seconds"] < step["expiry_seconds"] for chain in CHAINS.values() for step in chain)


@pytest.mark.parametrize(
    ("total", "risk", "case"),
    [
        (0, 0, None),
        (LARGE_ORDER - 1, HIGH_RISK - 1, None),
        (LARGE_ORDER, 0, "large_order"),
        (VERY_LARGE_ORDER - 1, HIGH_RISK - 1, "large_order"),
        (VERY_LARGE_ORDER, 0, "very_large_order"),
        (1, HIGH_RISK - 1, None),
        (1, HIGH_RISK, "very_large_order"),
        (LARGE_ORDER, HIGH_RISK, "very_large_order"),
    ],
)
def test_an_order_needs_the_chain_of_its_total_or_its_risk(total: int, risk: int, case: Case | None) -> None:
    assert case_for_order(total, risk) == case


@pytest.mark.parametrize(
    ("amount", "case"), [(1, "general"), (REFUND_BY_BILLING, "general"), (REFUND_BY_BILLING + 1, "billing")]
)
def test_a_refund_above_the_shops_amount_needs_the_chain_of_billing(amount: int, case: Case) -> None:
    assert case_for_refund(amount) == case


@pytest.mark.parametrize("case", CHAINS)
def test_a_slow_step_goes_to_the_next_role_and_the_last_one_to_the_duty_manager(case: Case) -> None:
    steps = CHAINS[case]

    slow = [escalation_of(steps, number) for number in range(len(steps))]
    assert slow == [*(step["role"] for step in steps[1:]), LAST_RESORT]


def test_who_is_asked_is_reminded_after_half_of_their_time() -> None:
    assert all(step["reminder_seconds"] == step["due_seconds"] / 2 for chain in CHAINS.values() for step in chain)


@pytest.mark.parametrize("case", CHAINS)
def test_a_drill_scales_all_times_of_a_chain(case: Case) -> None:
    times = ("reminder_seconds", "due_seconds", "expiry_seconds")
    scaled = chain_of(case, 1 / HOUR)
    assert [step["role"] for step in scaled] == [step["role"] for step in CHAINS[case]]
    assert [[step[time] * HOUR for time in times] for step in scaled] == [  # type: ignore[literal-required]
        [pytest.approx(step[time]) for time in times]  # type: ignore[literal-required]
        for step in CHAINS[case]
    ]
