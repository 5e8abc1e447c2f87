"""What is counted of an event, and that no label has more values than somebody thought of."""

from typing import Any

import pytest
from langgraph.errors import GraphInterrupt
from langgraph.graph import START
from langgraph.types import interrupt
from prometheus_client import REGISTRY, CollectorRegistry, Counter
from typing_extensions import TypedDict

from agent.observability.events import EventName, Fields, emit
from agent.observability.metrics import OTHER, Series
from agent.observability.nodes import ObservedGraph


def value(metric: str, **labels: str) -> float:
    """A series as it is now; one that is not there from the start is an error."""
    found = REGISTRY.get_sample_value(metric, labels)
    assert found is not None, (metric, labels)
    return found


COUNTED: list[tuple[EventName, Fields, str, dict[str, str]]] = [
    ("order.stage", {"stage": "cancelling"}, "desk_compensations_total", {}),
    ("order.stage", {"stage": "completed"}, "desk_orders_ended_total", {"stage": "completed"}),
    ("order.redriven", {"stage": "parked"}, "desk_redriven_total", {}),
    ("payment.captured", {"provider": None}, "desk_payments_total", {"provider": "gift_card", "outcome": "captured"}),
    ("model.call", {"purpose": "triage", "outcome": "late", "tokens": 1}, "desk_model_tokens_total",
     {"purpose": "triage"}),
    ("model.call", {"purpose": "triage", "outcome": "late", "tokens": 9}, "desk_model_calls_total",
     {"purpose": "triage", "outcome": "late"}),
    ("assistant.fallback", {"chain": "specialist", "next_step": "degraded"}, "desk_fallbacks_total",
     {"chain": "specialist", "to": "degraded"}),
    ("conversation.handed_over", {}, "desk_handovers_total", {}),
    ("trail.broken", {}, "desk_trail_broken_total", {}),
]  # fmt: skip


@pytest.mark.parametrize(("event", "fields", "metric", "labels"), COUNTED)
def test_an_event_is_counted_where_alerts_look(
    event: EventName, fields: Fields, metric: str, labels: dict[str, str]
) -> None:
    before = value(metric, **labels)
    emit(event, **fields)
    assert value(metric, **labels) == before + 1


def test_an_event_without_its_fields_is_still_recorded() -> None:
    emit("payment.captured")
    emit("breaker.moved")


def made(*labels: list[str], most: int = 0) -> tuple[Series[Counter], CollectorRegistry]:
    registry = CollectorRegistry()
    return Series(Counter("tried", "", ["a", "b"][: len(labels)], registry=registry), *labels, most=most), registry


def test_a_value_that_nobody_announced_counts_as_other() -> None:
    series, registry = made(["x"], ["y"])
    for number in range(1_000):
        series.of("x", f"made up {number}").inc()
    assert registry.get_sample_value("tried_total", {"a": "x", "b": OTHER}) == 1_000
    assert len(next(iter(registry.collect())).samples) == 4  # two series, and when each began


def test_values_that_come_by_themselves_are_bounded() -> None:
    series, registry = made([], most=3)
    for number in range(10):
        series.of(str(number)).inc()
    assert registry.get_sample_value("tried_total", {"a": "2"}) == 1
    assert registry.get_sample_value("tried_total", {"a": OTHER}) == 7


class State(TypedDict, total=False):
    said: str


@pytest.mark.parametrize("how", ["ok", "error", "interrupt"])
async def test_a_node_is_timed_by_how_it_ends(how: str) -> None:
    """A person who is asked is no error."""

    async def node(state: State) -> State:
        if how == "interrupt":
            raise GraphInterrupt
        return {"said": str(1 / (how != "error"))}

    def plain(state: State) -> State:
        return interrupt("?") if how == "interrupt" else state

    graph = (
        ObservedGraph("tried", State)
        .add_node(node)
        .add_node("other", plain)
        .add_edge(START, "node")
        .add_edge("node", "other")
    )
    before = value("desk_node_seconds_count", graph="tried", node="node", outcome=how)
    failed: list[Any] = []
    try:
        await graph.compile().ainvoke({})
    except ZeroDivisionError as error:
        failed.append(error)
    assert value("desk_node_seconds_count", graph="tried", node="node", outcome=how) == before + 1
    assert bool(failed) == (how == "error")
