"""Who is asked in which case, and until when: by the shop's own chains, whatever shop it is."""

from typing import Final

from agent.approvals.chains import CHAINS
from agent.escalation import escalation_of
from agent.identity import APPROVER_ROLES, Role
from agent.shop import Case


def roles(case: Case) -> list[Role]:
    """Who is asked, one after the other."""
    return [step["role"] for step in CHAINS[case]]


TECHNICAL: Final = roles("technical")
BILLING: Final = roles("billing")
SECURITY: Final = roles("security")
GENERAL: Final = roles("general")
OF_LARGE: Final = roles("large_order")
OF_VERY_LARGE: Final = roles("very_large_order")
DEBT: Final = roles("debt")


def next_role(case: Case, step: int = 0) -> Role:
    """Who may answer as well when the person of this step is slow."""
    return escalation_of(CHAINS[case], step)


def due_seconds(case: Case, step: int = 0) -> float:
    """After so long a step is escalated."""
    return CHAINS[case][step]["due_seconds"]


def expiry_seconds(case: Case) -> float:
    """After so long the clock ends a step."""
    return CHAINS[case][0]["expiry_seconds"]


def outsider(*cases: Case) -> Role:
    """A role that none of these cases asks."""
    asked = {role for case in cases for role in (*roles(case), next_role(case, len(roles(case)) - 1))}
    return min(APPROVER_ROLES - asked)
