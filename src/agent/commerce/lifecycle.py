"""How far the work on an order is, where it may go from there, and who may cause it. The ledger refuses any other move.

`status` (what the customer is told) is another thing: see the retail policy.
"""

from typing import Final, Literal, cast

from agent.commerce.policy import policy_denied

Stage = Literal[
    "placed",
    "reserved",
    "awaiting_approval",
    "approved",
    "parked",
    "declined",
    "paid",
    "completed",
    "cancelling",
    "cancelled",
    "imported",
]

Cause = Literal["process", "people", "customer", "provider", "carrier", "clock"]
"""Who moves an order: its own graph, its approvers, its customer, an answer about its money, an answer about its
parcels, the time that is up."""

MOVES: Final[dict[Stage, dict[Stage, tuple[Cause, ...]]]] = {
    "placed": {"reserved": ("process",), "cancelling": ("process", "customer")},
    "reserved": {
        "awaiting_approval": ("process",),
        "approved": ("process",),
        "cancelling": ("process", "customer"),
    },
    "awaiting_approval": {
        "approved": ("people",),
        "reserved": ("customer",),
        "cancelling": ("people", "customer", "clock"),
    },
    "approved": {
        "parked": ("process",),
        "declined": ("provider",),
        "paid": ("provider",),
        "cancelling": ("process", "customer"),
    },
    "parked": {"declined": ("provider",), "paid": ("provider",), "cancelling": ("process", "customer")},
    "declined": {"reserved": ("customer",), "cancelling": ("process", "customer", "clock")},
    "paid": {"completed": ("process", "carrier"), "cancelling": ("process", "customer")},
    "completed": {},
    "cancelling": {
        "cancelled": ("process", "people", "customer", "provider", "carrier", "clock"),
        "completed": ("carrier",),
    },
    "cancelled": {},
    "imported": {"completed": ("carrier",), "cancelling": ("customer",)},
}

AT_REST: Final[frozenset[Stage]] = frozenset(("completed", "cancelled", "imported"))
"""Stages from which nothing drives an order on; `imported` ones are fulfilled by the system that they came from."""

AT_WORK: Final[tuple[Stage, ...]] = tuple(stage for stage in MOVES if stage not in AT_REST)
"""All other stages."""

CHARGEABLE: Final[frozenset[Stage]] = frozenset(("approved", "parked"))
"""Stages in which the customer's money may be taken."""

NOT_PAID_YET: Final[frozenset[Stage]] = frozenset(
    ("placed", "reserved", "awaiting_approval", "approved", "parked", "declined")
)
"""Stages before the customer's money was taken."""


def check_move(stage: str, to: Stage, by: Cause) -> None:
    """Whether an order may move from this stage; being there already is fine.

    Raises `PolicyDenied` ORDER-STAGE for what is not in the table.
    """
    if stage != to and by not in MOVES[cast(Stage, stage)].get(to, ()):
        raise policy_denied("ORDER-STAGE", f"{stage}, not {to}")
