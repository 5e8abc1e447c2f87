"""Who is asked in which case, and until when: by the shop's own chains, whatever shop it is."""

from typing import Final

from agent.approvals.chains import CHAINS
from agent.escalation import LAST_RESORT, escalation_of
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


def next_role(case: Case) -> Role:
    """Who may answer as well when the first is slow."""
    return escalation_of(CHAINS[case], 0)


def due_seconds(case: Case) -> float:
    """After so long a step is escalated."""
    return CHAINS[case][0]["due_seconds"]


def expiry_seconds(case: Case) -> float:
    """After so long the clock ends a step."""
    return CHAINS[case][0]["expiry_seconds"]


def outsider(*cases: Case) -> Role:
    """A role that none of these cases asks."""
    return min(APPROVER_ROLES - {LAST_RESORT, *(role for case in cases for role in roles(case))})
