"""Events: whatever an operator may later ask about is emitted here, once, by name (law 13).

An event is a log line, a count in `desk_events_total` and metadata on the current trace; those in `LABELS` are also
counted by a field. Fields hold ids, amounts and rule ids only: no names, addresses, messages or secrets (law 14).
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Final, Literal, get_args

import structlog
from langsmith import get_current_run_tree
from prometheus_client import Counter

EventName = Literal[
    "order.placed",
    "order.refused",
    "order.stage",
    "order.stuck",
    "order.redriven",
    "payment.captured",
    "payment.declined",
    "payment.rejected",
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
    "request.limited",
    "stream.ended",
    "cache.hit",
    "reconciler.failed",
    "reconciler.late",
    "cron.ready",
    "cron.waits",
]

_COUNT = Counter("desk_events", "Events by name", ["event"])
for _name in get_args(EventName):
    _COUNT.labels(_name)  # a counter that is born at 1 never shows in increase()

LABELS: Final[dict[EventName, str]] = {"request.denied": "rule"}
"""Events that are counted by one of their fields as well, as `desk_request_denied_total{rule="ORDER-EXISTS"}`. Each
value is a series of its own: the field must have few."""
_COUNT_BY: Final = {
    event: Counter(f"desk_{event.replace('.', '_')}", f"{event} by {field}", [field]) for event, field in LABELS.items()
}

Field = str | int | float | bool | None
Listener = Callable[[EventName, Mapping[str, Field]], None]

_log = structlog.stdlib.get_logger("desk")
_listeners: list[Listener] = []


@contextmanager
def listening(listener: Listener) -> Iterator[None]:
    """Tell `listener` of every event of this process meanwhile, with its fields."""
    _listeners.append(listener)
    try:
        yield
    finally:
        _listeners.remove(listener)


def emit(event: EventName, **fields: Field) -> None:
    """Record that something happened."""
    for listener in _listeners:
        listener(event, fields)
    _COUNT.labels(event).inc()
    if event in LABELS:
        _COUNT_BY[event].labels(str(fields.get(LABELS[event], ""))).inc()
    _log.info(event, **fields)
    if tree := get_current_run_tree():
        tree.add_metadata({f"{event}.{key}": value for key, value in fields.items()} or {event: True})
