"""Ways out: for each state in which something is held, owed or waited for, who can move it on, when somebody is told,
and what happens in the end. `docs/architecture.md` shows it, drawn from here.

What an order's stages allow is taken from `lifecycle.MOVES`; the times are those by which the code acts.
"""

from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from agent.commerce import debt_outcomes, expiry, payment_attempts
from agent.commerce.lifecycle import MOVES, Stage
from agent.commerce.policy import PAYMENT_ATTEMPTS, RETURN_LIMIT, RETURN_REMINDER
from agent.escalation import BY_TOPIC, HOUR


@dataclass(frozen=True)
class WayOut:
    """`state` of a kind of thing; by whom it goes on, who is told when, and its end when nobody does anything."""

    what: str
    state: str
    by: str
    notified: str
    end: str


def _days(span: timedelta) -> str:
    return f"{span.days} days"


_STUCK: Final = f"staff by ticket, after {_days(expiry.STUCK)}"
_METHODS: Final = f"after {PAYMENT_ATTEMPTS} methods or `PAYMENT_WAIT_SECONDS`"
_AGAIN: Final = "the reconciler takes it on again"
_REMINDED: Final = f"the customer, after {_days(RETURN_REMINDER)}"

_STAGES: Final[dict[Stage, tuple[str, str]]] = {
    "placed": (_STUCK, _AGAIN),
    "reserved": (_STUCK, _AGAIN),
    "awaiting_approval": (f"the next role, when a step is overdue; {_STUCK}", "the clock rejects, and it is undone"),
    "approved": (_STUCK, _AGAIN),
    "parked": (f"the customer, at once; {_STUCK}", "asked again each time that the reconciler runs"),
    "declined": (f"the customer, at once; {_STUCK}", f"{_METHODS} it is undone"),
    "paid": (_STUCK, "the reconciler has its parcels taken again"),
    "completed": (f"staff by ticket, {_days(expiry.UNDELIVERED)} after it left and nobody confirmed it", "at rest"),
    "cancelling": (_STUCK, "its debts are settled, or people decide on them"),
    "cancelled": ("the customer, at once", "at rest"),
    "imported": ("nobody: the system that it came from ships it", "at rest"),
}

_OTHERS: Final = (
    WayOut(
        "payment",
        "due, open or unknown",
        "provider; customer: cancel",
        f"staff by ticket, after {_days(payment_attempts.NO_ANSWER_LIMIT)}",
        "asked again with backoff; of an order that is undone it is made void",
    ),
    WayOut("payment", "declined, or rejected, of the order's price", "as its order", "as its order", "as its order"),
    WayOut(
        "payment",
        "declined, or rejected, of changed items",
        "customer: another method, undo, cancel; clock",
        "the customer, at once",
        f"{_METHODS} the items are as they were",
    ),
    WayOut(
        "payment",
        "declined, or rejected, of an exchange",
        "customer: another method, undo; clock",
        "the customer, at once",
        f"{_METHODS} the exchange is a return, and refunded",
    ),
    WayOut(
        "payment",
        "declined, or rejected, of a change of method",
        "customer: another method",
        "the customer, at once",
        "the order stays paid as it was",
    ),
    WayOut("payment", "captured after it was given up", "provider", "the customer, when refunded", "all is owed back"),
    WayOut(
        "return",
        "open",
        "warehouse: receive; customer: withdraw; clock",
        _REMINDED,
        f"after {_days(RETURN_LIMIT)} the rest is closed",
    ),
    WayOut(
        "exchange",
        "open",
        "warehouse: receive; customer: withdraw; clock",
        _REMINDED,
        f"after {_days(RETURN_LIMIT)} the rest is closed, and what was held for it is free",
    ),
    WayOut("exchange", "back, not paid", "as its payment", "as its payment", "as its payment"),
    WayOut(
        "request",
        "open",
        "people; customer: change or cancel the order; clock",
        "staff, past half of a step's time; the next role, when it is overdue",
        "the clock rejects",
    ),
    WayOut(
        "ticket",
        "open",
        "people: take",
        "its role, at once; the next role, when it is overdue",
        "the last of the chain is told again each time that it is overdue",
    ),
    WayOut(
        "ticket",
        "taken",
        "people: answer, close; clock",
        f"the next role, after {round(BY_TOPIC['general'][0]['expiry_seconds'] / HOUR)} hours of silence",
        "open again",
    ),
    WayOut(
        "debt",
        "owed",
        "provider, carrier, people",
        f"a finance_director, after {debt_outcomes.ATTEMPTS} attempts",
        "tried again, and asked about again, until it is settled",
    ),
    WayOut(
        "debt",
        "pending",
        "provider",
        f"the customer, at once; staff by ticket, after {_days(debt_outcomes.PENDING_LIMIT)}",
        "booked when it has succeeded, owed again when it has failed",
    ),
)


def ways_out() -> list[WayOut]:
    """Every state with its way out: stages first, in the order of an order's life."""
    stages = [WayOut("order", stage, _causes(stage), *_STAGES[stage]) for stage in MOVES]
    return [*stages, *_OTHERS]


def table() -> str:
    """The ways out as a Markdown table."""
    rows = [f"| {way.what} | {way.state} | {way.by} | {way.notified} | {way.end} |" for way in ways_out()]
    return "\n".join(["| what | state | goes on by | who is told, when | in the end |", "|---|---|---|---|---|", *rows])


def _causes(stage: Stage) -> str:
    causes = dict.fromkeys(cause for ways in MOVES[stage].values() for cause in ways)
    return ", ".join(causes) or "–"
