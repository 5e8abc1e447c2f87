"""The metrics, by the names that alerts and dashboards know (docs/operations.md), and what is counted of which event.

Every series is there from the start, at 0: a counter that is born at 1 never shows in `increase()`. What the ledger
knows, such as how many orders are parked, is no metric of a process: `server.ledger_gauges` reads it.
"""

import time
from collections.abc import Callable, Iterable
from itertools import product
from typing import Final, Generic, TypeVar, get_args

from prometheus_client import Counter, Gauge, Histogram

from agent.observability.vocabulary import EventName, Fields

M = TypeVar("M", Counter, Gauge, Histogram)

OTHER: Final = "other"


class Series(Generic[M]):
    """The series of one metric, made beforehand and kept: to look one up by its labels costs more than to count.

    Args:
        metric: which has these labels, in this order.
        labels: the values of each that are known already.
        most: how many series may come by themselves; past that a value which nobody announced counts as `other`.
    """

    def __init__(self, metric: M, *labels: Iterable[str], most: int = 0) -> None:
        self._metric: M = metric
        self._values = [dict.fromkeys(values) for values in labels]
        self._most = most
        self._kept: dict[tuple[str, ...], M] = {}
        self.announce()

    def announce(self, *labels: Iterable[str]) -> None:
        """Make the series of more values, by label: such as names that only the settings tell."""
        for known, more in zip(self._values, labels, strict=False):
            known.update(dict.fromkeys(more))
        for values in product(*self._values):
            if values not in self._kept:
                self._kept[values] = self._metric.labels(*values)

    def keep(self, *values: str) -> None:
        """Make the series of just these values."""
        self._kept.setdefault(values, self._metric.labels(*values))

    def of(self, *values: str) -> M:
        """The series of these values."""
        return self._kept.get(values) or self._new(values)

    def _new(self, values: tuple[str, ...]) -> M:
        if len(self._kept) >= self._most:
            pairs = zip(values, self._values, strict=True)
            values = tuple(value if value in known else OTHER for value, known in pairs)
        return self._kept.setdefault(values, self._metric.labels(*values))


_SECONDS: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)
_PATIENCE: Final = (60, 300, 900, 3_600, 4 * 3_600, 8 * 3_600, 86_400, 2 * 86_400, 7 * 86_400)

NODE_OUTCOMES: Final = ("ok", "error", "interrupt")
CALL_OUTCOMES: Final = (
    "ok", "rejected", "neutral", "refused", "timeout", "connection", "server_error", "rate_limit", "overload", "auth",
    "client_error", "bad_response",
)  # fmt: skip
"""`rejected`: it answered, and refused this one request; `neutral`: says nothing about it, such as a call that was
cancelled; `refused`: by the breaker, nothing was sent; the others are `resilience.FailureKind`."""

EVENTS: Final = Series(Counter("desk_events", "Events by name", ["event"]), get_args(EventName))

NODE_SECONDS: Final = Series(
    Histogram("desk_node_seconds", "A node's attempts", ["graph", "node", "outcome"], buckets=_SECONDS), (), (), ()
)
CALLS: Final = Series(
    Counter("desk_dependency_calls", "Calls of what is outside, by its breaker", ["dependency", "outcome"]),
    (), CALL_OUTCOMES,
)  # fmt: skip
CALL_SECONDS: Final = Series(
    Histogram("desk_dependency_seconds", "Calls that were sent", ["dependency"], buckets=_SECONDS), ()
)
RETRIES: Final = Series(
    Counter("desk_retries", "Retries that were worth one, granted or not", ["dependency", "granted"]),
    (), ("true", "false"),
)  # fmt: skip
CACHE: Final = Series(Counter("desk_cache", "Look-ups", ["cache", "outcome"]), (), ("hit", "miss"))
FALLBACKS: Final = Series(Counter("desk_fallbacks", "Steps down a chain", ["chain", "to"]), (), ())
for _chain, _steps in {
    "assistant": ("secondary", "degraded", "person"),
    "specialist": ("secondary", "degraded"),
}.items():
    for _step in _steps:
        FALLBACKS.keep(_chain, _step)
DECISION_SECONDS: Final = Series(
    Histogram("desk_approval_decision_seconds", "From whose turn it was to what they said", ["role", "decision"],
              buckets=_PATIENCE),
    (), ("approve", "reject", "edit"),
)  # fmt: skip
PAYMENTS: Final = Series(
    Counter("desk_payments", "What came of attempts to take money", ["provider", "outcome"]),
    ("gift_card",), ("captured", "declined", "rejected", "unknown", "late"),
)  # fmt: skip
ENDED: Final = Series(Counter("desk_orders_ended", "Orders that came to rest", ["stage"]), ("completed", "cancelled"))
MODEL_CALLS: Final = Series(
    Counter("desk_model_calls", "Calls of models", ["purpose", "outcome"]),
    ("triage", "specialist", "translation"), ("answered", "failed", "late", "refused"),
)  # fmt: skip
MODEL_TOKENS: Final = Series(
    Counter("desk_model_tokens", "Tokens of models", ["purpose"]), ("triage", "specialist", "translation")
)
COMPENSATIONS: Final = Counter("desk_compensations", "Orders that began to be undone")
REDRIVEN: Final = Counter("desk_redriven", "Orders that were taken on again")
HANDOVERS: Final = Counter("desk_handovers", "Conversations that were handed to a person")
TRAIL_BROKEN: Final = Counter("desk_trail_broken", "Requests whose seals do not hold")

_STATES: Final = {"closed": 0, "half_open": 1, "open": 2, "forced_open": 2}
# of several workers the worst, and of what is alive: each has a breaker of its own unless Redis joins them
BREAKER: Final = Series(
    Gauge("desk_breaker_state", "0 closed, 1 half-open, 2 open", ["name"], multiprocess_mode="livemax"), ()
)
BREAKER_SINCE: Final = Series(
    Gauge("desk_breaker_since_timestamp_seconds", "When it last moved", ["name"], multiprocess_mode="livemax"), ()
)
BREAKER_MOVES: Final = Series(
    Counter("desk_breaker_transitions", "Moves of breakers", ["name", "to"]), (), tuple(_STATES)
)


def announce_breaker(name: str) -> None:
    """A dependency with a breaker, which is closed; its calls are counted from now on."""
    for series in (CALLS, CALL_SECONDS, BREAKER, BREAKER_SINCE, BREAKER_MOVES):
        series.announce((name,))
    breaker_is(name, "closed")


def announce_node(graph: str, node: str) -> None:
    """A node of a graph, which is timed from now on."""
    for outcome in NODE_OUTCOMES:
        NODE_SECONDS.keep(graph, node, outcome)


def breaker_is(name: str, state: str) -> None:
    """A breaker is in this state since now."""
    BREAKER.of(name).set(_STATES.get(state, 2))
    BREAKER_SINCE.of(name).set(time.time())


def _breaker_moved(of: Fields) -> None:
    BREAKER_MOVES.of(of.get("name", ""), of.get("after", "")).inc()
    breaker_is(of.get("name", ""), of.get("after", ""))


def _stage(of: Fields) -> None:
    if of.get("stage", "") in ("completed", "cancelled"):
        ENDED.of(of.get("stage", "")).inc()
    elif of.get("stage", "") == "cancelling":
        COMPENSATIONS.inc()


def _decided(of: Fields) -> None:
    DECISION_SECONDS.of(of.get("role") or "", of.get("decision", "")).observe(of.get("seconds", 0.0))


def _model_called(of: Fields) -> None:
    MODEL_CALLS.of(of.get("purpose", ""), of.get("outcome", "")).inc()
    MODEL_TOKENS.of(of.get("purpose", "")).inc(of.get("tokens", 0))


def _paid(outcome: str) -> Callable[[Fields], None]:
    return lambda of: PAYMENTS.of(of.get("provider") or "gift_card", outcome).inc()


COUNTED: Final[dict[EventName, Callable[[Fields], None]]] = {
    "order.stage": _stage,
    "order.redriven": lambda _: REDRIVEN.inc(),
    "payment.captured": _paid("captured"),
    "payment.declined": _paid("declined"),
    "payment.rejected": _paid("rejected"),
    "payment.unknown": _paid("unknown"),
    "payment.late": _paid("late"),
    "payment.fallback": lambda of: FALLBACKS.of("payment", str(of.get("provider"))).inc(),
    "assistant.fallback": lambda of: FALLBACKS.of(of.get("chain", ""), of.get("next_step", "")).inc(),
    "node.retried": lambda of: RETRIES.of(of.get("dependency", ""), "true").inc(),
    "retry.refused": lambda of: RETRIES.of(of.get("dependency", ""), "false").inc(),
    "cache.hit": lambda of: CACHE.of(of.get("cache", ""), "hit").inc(),
    "breaker.moved": _breaker_moved,
    "approval.decided": _decided,
    "conversation.handed_over": lambda _: HANDOVERS.inc(),
    "trail.broken": lambda _: TRAIL_BROKEN.inc(),
    "model.call": _model_called,
}
"""What is counted of an event beside `desk_events_total`."""
