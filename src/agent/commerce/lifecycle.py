"""How far the work on an order is, and where it may go from there. One table: the ledger refuses any other move.

`status` (what the customer is told) is another thing: see the retail policy.
"""

from typing import Final, Literal

Stage = Literal[
    "placed",
    "reserved",
    "awaiting_approval",
    "approved",
    "parked",
    "paid",
    "completed",
    "cancelling",
    "cancelled",
    "imported",
]

MOVES: Final[dict[Stage, tuple[Stage, ...]]] = {
    "placed": ("reserved", "cancelling"),
    "reserved": ("awaiting_approval", "approved", "cancelling"),
    "awaiting_approval": ("approved", "reserved", "cancelling"),
    "approved": ("parked", "paid", "cancelling"),
    "parked": ("paid", "cancelling"),
    "paid": ("completed", "cancelling"),
    "completed": (),
    "cancelling": ("cancelled",),
    "cancelled": (),
    "imported": ("completed", "cancelling"),
}

AT_REST: Final[frozenset[Stage]] = frozenset(("completed", "cancelled", "imported"))
"""Stages from which nothing drives an order on; `imported` ones are fulfilled by the system that they came from."""

CHARGEABLE: Final[frozenset[Stage]] = frozenset(("approved", "parked"))
"""Stages in which the customer's money may be taken."""
