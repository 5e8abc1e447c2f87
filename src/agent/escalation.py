"""Who is asked about what, and who next when they are slow: role chains by topic, of approvals and tickets. No I/O.

The chains themselves are data of the shop's (`shop.toml`, chains), where a business person can review them.
"""

from collections.abc import Sequence
from typing import Final, Literal, TypedDict, get_args

from agent.identity import APPROVER_ROLES, Role, is_role
from agent.shop import SHOP, Case

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


def chain(case: Case) -> tuple[Step, ...]:
    """The shop's chain for a case: a step for each role, each with the same times.

    Raises ValueError for a role that nobody can have, or for one that is there twice: nobody acts twice in one chain.
    """
    wanted = SHOP.chains[case]
    due, expiry = wanted.due_hours * HOUR, wanted.expiry_hours * HOUR
    steps = tuple(
        Step(role=role, reminder_seconds=due / 2, due_seconds=due, expiry_seconds=expiry)
        for role in wanted.roles
        if is_role(role) and role in APPROVER_ROLES
    )
    if unknown := sorted(set(wanted.roles) - {step["role"] for step in steps}):
        known = ", ".join(sorted(APPROVER_ROLES))
        raise ValueError(f"{SHOP.folder}/shop.toml: chains.{case}: {', '.join(unknown)}: there are {known}")
    if len(set(wanted.roles)) != len(wanted.roles) or not expiry > due:
        raise ValueError(f"{SHOP.folder}/shop.toml: chains.{case}: each role once, and expiry_hours after due_hours")
    return steps


BY_TOPIC: Final[dict[Topic, tuple[Step, ...]]] = {topic: chain(topic) for topic in get_args(Topic)}


def asked_now(steps: Sequence[Step], step: int, *, is_escalated: bool) -> list[str]:
    """Who may answer `step`: its role, and once it is escalated the next one as well."""
    return [steps[step]["role"], *([escalation_of(steps, step)] if is_escalated else [])]


def escalation_of(steps: Sequence[Step], step: int) -> Role:
    """Who may answer as well when the person of `step` is slow: the next role, or the duty manager at the end."""
    return steps[step + 1]["role"] if step + 1 < len(steps) else LAST_RESORT
