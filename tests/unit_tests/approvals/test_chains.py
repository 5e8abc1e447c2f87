"""The chains against the retail policy, "Staff approval"."""

import pytest

from agent.approvals.chains import CHAINS, case_for_order, case_for_refund, chain_of
from agent.escalation import HOUR, Step, escalation_of
from agent.identity import APPROVER_ROLES
from agent.shop import Case

POLICY: dict[Case, list[str]] = {
    "technical": ["tech_support", "senior_tech"],
    "billing": ["billing_agent", "billing_manager"],
    "security": ["security_analyst", "security_manager", "compliance_officer"],
    "large_order": ["order_manager"],
    "very_large_order": ["order_manager", "finance_director"],
    "general": ["general_agent"],
    "debt": ["finance_director"],
}


def test_every_case_is_asked_of_the_roles_of_the_policy_in_order() -> None:
    assert {case: [step["role"] for step in chain] for case, chain in CHAINS.items()} == POLICY


def test_only_people_who_can_approve_stand_in_a_chain() -> None:
    assert {step["role"] for chain in CHAINS.values() for step in chain} < APPROVER_ROLES


def test_every_step_is_overdue_before_it_expires() -> None:
    assert all(0 < step["due_seconds"] < step["expiry_seconds"] for chain in CHAINS.values() for step in chain)


def test_security_is_due_sooner_than_anything_else() -> None:
    assert {step["due_seconds"] for step in CHAINS["security"]} == {HOUR}
    assert min(step["due_seconds"] for step in CHAINS["billing"]) > HOUR


@pytest.mark.parametrize(
    ("total", "risk", "case"),
    [
        (0, 0, None),
        (999_99, 69, None),
        (1_000_00, 0, "large_order"),
        (4_999_99, 69, "large_order"),
        (5_000_00, 0, "very_large_order"),
        (1, 69, None),
        (1, 70, "very_large_order"),
        (1_000_00, 70, "very_large_order"),
    ],
)
def test_an_order_needs_the_chain_of_its_total_or_its_risk(total: int, risk: int, case: Case | None) -> None:
    assert case_for_order(total, risk) == case


@pytest.mark.parametrize(("amount", "case"), [(1, "general"), (50_00, "general"), (50_01, "billing")])
def test_a_refund_above_50_needs_two_people_of_billing(amount: int, case: Case) -> None:
    assert case_for_refund(amount) == case


def test_a_slow_step_goes_to_the_next_role_and_the_last_one_to_the_duty_manager() -> None:
    chain: list[Step] = list(CHAINS["security"])

    assert [escalation_of(chain, n) for n in range(3)] == ["security_manager", "compliance_officer", "duty_manager"]


def test_who_is_asked_is_reminded_after_half_of_their_time() -> None:
    assert all(step["reminder_seconds"] == step["due_seconds"] / 2 for chain in CHAINS.values() for step in chain)


def test_a_drill_scales_all_times_of_a_chain() -> None:
    assert chain_of("billing", 1 / HOUR)[1] == Step(
        role="billing_manager", reminder_seconds=2.0, due_seconds=4.0, expiry_seconds=48.0
    )
