"""Events: whatever an operator may later ask about is recorded here, once, by name (law 13).

An event is a count, a line in the log and a mark on the current trace: `desk_events_total` and what `metrics` counts of
it; those in `LABELS` are also counted by a field. What may be said of one is `vocabulary.Fields` (law 14).
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any, Final, Unpack, cast

import structlog
from langsmith import get_current_run_tree
from prometheus_client import Counter

from agent.observability import tracing
from agent.observability.metrics import COUNTED, EVENTS, Series
from agent.observability.redaction import scrub
from agent.observability.vocabulary import WORDS, EventName, Fields

__all__ = ["LABELS", "EventName", "Fields", "emit"]

LABELS: Final[dict[EventName, str]] = {"request.denied": "rule"}
"""Events that are counted by one of their fields as well, as `desk_request_denied_total{rule="ORDER-EXISTS"}`. Each
value is a series of its own, up to `MOST_VALUES`: the field must have few."""
MOST_VALUES: Final = 200
COUNT_BY: Final = {
    event: Series(Counter(f"desk_{event.replace('.', '_')}", f"{event} by {field}", [field]), (), most=MOST_VALUES)
    for event, field in LABELS.items()
}

Listener = Callable[[EventName, Mapping[str, Any]], None]

_kept: structlog.stdlib.BoundLogger | None = None
_listeners: list[Listener] = []


@contextmanager
def listening(listener: Listener) -> Iterator[None]:
    """Tell `listener` of every event of this process meanwhile, with its fields."""
    _listeners.append(listener)
    try:
        yield
    finally:
        _listeners.remove(listener)


def emit(event: EventName, **fields: Unpack[Fields]) -> None:
    """Record that something happened."""
    for listener in _listeners:
        listener(event, fields)
    EVENTS.of(event).inc()
    if count := COUNTED.get(event):
        count(fields)
    if event in LABELS:
        COUNT_BY[event].of(str(cast(dict[str, object], fields).get(LABELS[event], ""))).inc()
    if WORDS & fields.keys():
        fields = cast(Fields, {key: scrub(str(said)) if key in WORDS else said for key, said in fields.items()})
    _logger().info(event, **fields)
    tracing.mark(event, fields)
    if tree := get_current_run_tree():
        tree.add_event({"name": event, "time": datetime.now(UTC).isoformat(), "kwargs": dict(fields), "desk": True})


def _logger() -> structlog.stdlib.BoundLogger:
    """The logger, kept once logging is configured: to bind it at each event took a third of the event's time."""
    global _kept  # noqa: PLW0603
    if _kept is not None:
        return _kept
    bound: structlog.stdlib.BoundLogger = structlog.stdlib.get_logger("desk").bind()
    if structlog.is_configured():
        _kept = bound
    return bound
