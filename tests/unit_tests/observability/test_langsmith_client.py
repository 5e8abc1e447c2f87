"""What LangSmith is sent, in its own wire form: no wait is red, runs are found by their order, nobody is in it."""

from typing import Any

from langsmith import RunTree, tracing_context

from agent.observability.events import emit
from agent.observability.langsmith_client import TraceClient
from agent.services import Services
from tests.support.chains import OF_LARGE
from tests.support.orders import LARGE, SMALL, place
from tests.support.threads import APPROVE, staff
from tests.support.trace_sinks import TraceSink


async def test_the_runs_of_an_order_are_found_from_the_first_and_no_wait_is_red(shop: Services) -> None:
    with TraceSink() as sink:
        client = TraceClient(api_url=sink.url, api_key="none")
        with tracing_context(enabled=True, client=client):
            thread, _ = await place(LARGE, order_id="N-1")
            await thread.answer(APPROVE, staff(OF_LARGE[0]))
        client.flush(5)
        sink.until(lambda: len(roots(sink)) == 2 and all("end_time" in run for run in sink.runs.values()))
        client.close(0)

    assert {run["extra"]["metadata"]["order_id"] for run in sink.runs.values()} == {"N-1"}
    assert {run["extra"]["metadata"]["thread_id"] for run in roots(sink)} == {thread.id}
    assert [run["name"] for run in sink.runs.values() if run.get("error")] == []
    asked = [run for run in sink.runs.values() if "waiting" in (run.get("tags") or ())]
    assert [run["name"] for run in asked] == ["approval"]
    decided = [event for run in sink.runs.values() for event in run["events"] if event["name"] == "approval.decided"]
    assert [event["kwargs"]["decision"] for event in decided] == ["approve"]


async def test_attempts_are_runs_beside_each_other_and_errors_tell_no_more_than_their_place(shop: Services) -> None:
    with TraceSink() as sink:
        client = TraceClient(api_url=sink.url, api_key="none")
        with tracing_context(enabled=True, client=client):
            await place(SMALL, order_id="N-1", method="ada_down")
        client.flush(5)
        sink.until(lambda: roots(sink) and all("end_time" in run for run in sink.runs.values()))
        client.close(0)

    attempts = [run for run in sink.runs.values() if run["name"] == "charge"]
    assert len({run["parent_run_id"] for run in attempts}) == 1
    assert [run["error"].splitlines()[0] for run in attempts] == ["PaymentNotSentError"] * len(attempts)


def test_what_anonymizers_leave_holds_nobody() -> None:
    """Names, tags, keys, events and attachments."""
    with TraceSink() as sink:
        client = TraceClient(api_url=sink.url, api_key="none")
        run_tree = RunTree(
            name="of ada@example.com",
            inputs={"my mail": "x", "order_id": "W-1 of ada@example.com"},
            tags=["ada@example.com"],
            attachments={"ada@example.com": ("text/plain", b"ada@example.com")},
            extra={"metadata": {"Ada Park": "Ada Park", "graph_id": "desk"}},
            client=client,
        )
        run_tree.add_event({"name": "new_token", "kwargs": {"token": "Ada Park"}})
        run_tree.post()
        run_tree.patch()
        client.flush(5)
        sink.until(lambda: sink.runs)
        client.close(0)

    [run] = sink.runs.values()
    assert run["extra"]["metadata"]["graph_id"] == "desk"
    said = b"".join(sink.bodies).decode()
    assert "ada@" not in said
    assert "Park" not in said
    assert "my mail" not in said


async def test_an_event_is_marked_on_the_run_that_it_happened_in() -> None:
    tree = RunTree(name="order_processing", run_type="chain")
    with tracing_context(parent=tree, enabled=True):
        emit("payment.captured", order_id="N-1", amount=123_00)

    [event] = tree.events
    assert event["name"] == "payment.captured"
    assert event["kwargs"] == {"order_id": "N-1", "amount": 123_00}


def roots(sink: TraceSink) -> list[dict[str, Any]]:
    return [run for run in sink.runs.values() if not run.get("parent_run_id")]
