"""The vocabulary of events: what may be recorded, and what may be said of it: ids, enums and amounts.

What each means and what to do about it is in docs/operations.md; what is counted of it, in `metrics`.
"""

from typing import Final, Literal, TypedDict

EventName = Literal[
    "order.placed",
    "order.refused",
    "order.stage",
    "order.stuck",
    "order.redriven",
    "payment.captured",
    "payment.declined",
    "payment.rejected",
    "payment.unknown",
    "order.parked",
    "payment.late",
    "payment.disputed",
    "change.undone",
    "return.closed",
    "refund.owed",
    "refund.pending",
    "refund.settled",
    "debt.failed",
    "debt.settled_by_hand",
    "payment.fallback",
    "parcel.refused",
    "order.thread_given_up",
    "order.driven_later",
    "webhook.refused",
    "state.quarantined",
    "notification.shown",
    "notification.delivered",
    "notification.failed",
    "notification.undelivered",
    "conversation.handed_over",
    "ticket.opened",
    "ticket.heard",
    "ticket.taken",
    "ticket.answered",
    "ticket.closed",
    "ticket.escalated",
    "ticket.overdue",
    "approval.requested",
    "approval.decided",
    "approval.answer_refused",
    "approval.question_asked",
    "approval.question_answered",
    "approval.reminded",
    "approval.escalated",
    "approval.expired",
    "approval.withdrawn",
    "approval.forged",
    "trail.broken",
    "index.failed",
    "feedback.failed",
    "breaker.moved",
    "breaker.operated",
    "breaker.store_moved",
    "replica.skipped",
    "ledger.unusable",
    "clock.went_back",
    "node.failed",
    "node.retried",
    "retry.refused",
    "assistant.fallback",
    "model.call",
    "request.denied",
    "customer.claimed",
    "customer.exported",
    "customer.forgotten",
    "request.limited",
    "stream.ended",
    "cache.hit",
    "cache.failed",
    "reconciler.failed",
    "reconciler.late",
    "cron.ready",
    "worker.draining",
    "worker.drained",
    "cron.waits",
]


class Fields(TypedDict, total=False):
    """What may be said of an event. Amounts are minor units, times ISO 8601."""

    # ids
    customer_id: str
    orders: int
    order_id: str | None
    thread_id: str
    request_id: str
    ticket_id: str
    cron_id: str
    generation: int

    # enums: each has its few values in the code
    action: str
    before: str
    after: str
    cache: str
    case: str
    chain: str
    claimed_role: str
    command: str
    decision: str
    dependency: str
    end: str
    error: str | None  # an exception's type, never its text
    failed: str
    job: str
    kind: str | None
    link: str
    name: str
    next_step: str
    node: str
    notification: str
    outcome: str
    payment: str
    provider: str | None
    purpose: str
    queue: str
    reason: str
    role: str | None
    rule: str
    schedule: str
    seen: str
    source: str
    stage: str
    status: int | str
    to: str
    topic: str

    # numbers
    amount: int
    attempts: int
    number: int
    seconds: float
    step: int
    tokens: int
    held: bool
    reachable: bool
    last_run: str | None

    # words of ours, which may quote: they are scrubbed
    by: str
    found: str
    where: str
    why: str


WORDS: Final = frozenset(("by", "found", "where", "why"))
"""Fields that may quote what somebody else wrote."""
