"""Who is asked about what, and who next when they are slow: role chains by topic, of approvals and tickets. No I/O.

A business person can review it. Source: retail policy, "Staff approval" (docs/architecture.md).
"""

from collections.abc import Sequence
from typing import Final, Literal, TypedDict

from agent.identity import Role

Topic = Literal["technical", "billing", "security", "general"]

HOUR: Final = 3600.0

LAST_RESORT: Final[Role] = "duty_manager"
"""Who is asked when the last role of a chain is slow."""


class Step(TypedDict):
    """One person's turn: past `reminder_seconds` they are reminded, past `due_seconds` it is escalated, past
    `expiry_seconds` the clock ends it."""

    role: Role
    reminder_seconds: float
    due_seconds: float
    expiry_seconds: float


def chain(*roles: Role, due_hours: float = 4, expiry_hours: float = 48) -> tuple[Step, ...]:
    """A step for each role, each with the same times."""
    due, expiry = due_hours * HOUR, expiry_hours * HOUR
    return tuple(Step(role=role, reminder_seconds=due / 2, due_seconds=due, expiry_seconds=expiry) for role in roles)


BY_TOPIC: Final[dict[Topic, tuple[Step, ...]]] = {
    "technical": chain("tech_support", "senior_tech"),
    "billing": chain("billing_agent", "billing_manager"),
    "security": chain("security_analyst", "security_manager", "compliance_officer", due_hours=1),
    "general": chain("general_agent"),
}


def asked_now(steps: Sequence[Step], step: int, *, is_escalated: bool) -> list[str]:
    """Who may answer `step`: its role, and once it is escalated the next one as well."""
    return [steps[step]["role"], *([escalation_of(steps, step)] if is_escalated else [])]


def escalation_of(steps: Sequence[Step], step: int) -> Role:
    """Who may answer as well when the person of `step` is slow: the next role, or the duty manager at the end."""
    return steps[step + 1]["role"] if step + 1 < len(steps) else LAST_RESORT
