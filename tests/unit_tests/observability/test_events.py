"""One event is one count, one log line and one trace tag."""

from typing import Any, cast, get_args

import pytest
from prometheus_client import REGISTRY
from structlog.testing import capture_logs

from agent.observability.events import LABELS, EventName, Fields, emit, listening
from tests.support.threads import events as counted


@pytest.mark.parametrize("name", get_args(EventName))
def test_every_event_is_counted_from_zero_on(name: str) -> None:
    assert REGISTRY.get_sample_value("desk_events_total", {"event": name}) is not None


def test_an_event_is_one_count_and_one_log_line() -> None:
    before = counted("order.placed")

    with capture_logs() as lines:
        emit("order.placed", order_id="N-1", amount=123_00)

    assert counted("order.placed") == before + 1
    assert lines == [{"event": "order.placed", "log_level": "info", "order_id": "N-1", "amount": 123_00}]


@pytest.mark.parametrize(("event", "field"), LABELS.items())
def test_an_event_with_a_label_is_counted_by_its_field_too(event: EventName, field: str) -> None:
    def by(value: str) -> float:
        return REGISTRY.get_sample_value(f"desk_{event.replace('.', '_')}_total", {field: value}) or 0

    for said in ("ONE-VALUE", "ONE-VALUE", "ANOTHER"):
        emit(event, **cast(Fields, {field: said}))
    before = by("")
    emit(event)

    assert (by("ONE-VALUE"), by("ANOTHER"), by("")) == (2, 1, before + 1)


def test_words_that_may_quote_somebody_are_scrubbed() -> None:
    with capture_logs() as lines:
        emit("ledger.unusable", why="no row for ada@example.com", where="ledger.db")

    assert [line["why"] for line in lines] == ["no row for [hidden]"]


def test_whoever_listens_hears_of_events_for_as_long_as_they_do() -> None:
    heard: list[tuple[str, Any]] = []
    with listening(lambda event, fields: heard.append((event, dict(fields)))):
        emit("model.call", purpose="triage", tokens=7)
    emit("model.call", tokens=8)
    assert heard == [("model.call", {"purpose": "triage", "tokens": 7})]
