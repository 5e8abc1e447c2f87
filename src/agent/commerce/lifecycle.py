"""How far the work on an order is, and how an attempt to take its money stands; where each may go from there, and who
may cause it. The ledger refuses any other move.

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

Outcome = Literal["due", "open", "unknown", "captured", "declined", "void"]
"""How one attempt to take money stands.

`due`: nobody has been asked for it yet; `open`: written down, its provider is asked or is about to be; `unknown`: the
provider was asked, and the answer was lost (law 3); `captured`: the money is the shop's; `declined`: the provider said
no; `void`: given up, it shall never come.
"""

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

FIRST_OUTCOMES: Final[dict[Outcome, str]] = {
    "open": "an order's own price",
    "due": "the price of a change",
    "captured": "by gift card, or imported",
    "declined": "a gift card that does not cover it",
}
"""With what an attempt begins, and which one does."""

PAYMENT_MOVES: Final[dict[Outcome, dict[Outcome, tuple[Cause, ...]]]] = {
    "due": {
        "open": ("process",),
        "captured": ("provider",),  # a ledger that was restored may be behind its provider
        "declined": ("provider",),
        "void": ("process", "people", "customer", "provider", "carrier"),  # whoever ends the order that is undone
    },
    "open": {
        "unknown": ("process",),
        "captured": ("provider",),
        "declined": ("provider",),
        "void": ("provider", "people"),
    },
    "unknown": {"captured": ("provider",), "declined": ("provider",), "void": ("provider", "people")},
    "declined": {"captured": ("provider",), "void": ("customer", "clock")},
    "void": {"captured": ("provider",)},
    "captured": {},
}
"""A gift card is the shop's own: it answers as a provider does. What was captured stays so: what is given back of it is
another thing, a debt. Money that comes after it was given up counts, and is owed back."""

UNDECIDED: Final[tuple[Outcome, ...]] = ("open", "unknown")
"""Outcomes of an attempt whose fate only the provider knows."""

UNPAID: Final[tuple[Outcome, ...]] = ("due", *UNDECIDED)
"""Outcomes of an attempt that is yet to be paid."""

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


class PaymentMoveError(Exception):
    """An attempt was to make a move that is not in the table: a mistake in the code, and nothing is written."""


def check_move(stage: str, to: Stage, by: Cause) -> None:
    """Whether an order may move from this stage; being there already is fine.

    Raises `PolicyDenied` ORDER-STAGE for what is not in the table.
    """
    if stage != to and by not in MOVES[cast(Stage, stage)].get(to, ()):
        raise policy_denied("ORDER-STAGE", f"{stage}, not {to}")


def check_payment_move(key: str, outcome: str, to: Outcome, by: Cause) -> None:
    """Whether an attempt with this key may move from this outcome; being there already is fine.

    Raises `PaymentMoveError` for what is not in the table.
    """
    if outcome != to and by not in PAYMENT_MOVES[cast(Outcome, outcome)].get(to, ()):
        raise PaymentMoveError(f"payment {key} is {outcome}: {by} can not make it {to} (`lifecycle.PAYMENT_MOVES`)")
