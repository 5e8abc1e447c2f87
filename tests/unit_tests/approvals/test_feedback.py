"""Decisions reach LangSmith as feedback on their run: over the wire to a sink, and never in anybody's way."""

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any, Literal
from uuid import UUID, uuid4

import pytest
from fastapi import FastAPI, HTTPException, Request
from langsmith import Client, RunTree, tracing_context

from agent.approvals import feedback
from agent.approvals.feedback import Feedback
from agent.approvals.requests import Approvals
from agent.identity import Caller
from agent.ledger.database import Database
from tests.support.approvals import ask, changed_amount, decide, edit_to, order, refund
from tests.support.chains import BILLING, OF_VERY_LARGE, outsider
from tests.support.serving import serving
from tests.support.threads import APPROVE, SERVICE, events, reject, staff

PROJECT = uuid4()
Traced = RunTree | Literal[False]


@dataclass
class Sink:
    """As much of LangSmith's API as feedback needs: `given` is what it took.

    It is an older one, which takes feedback by itself; a newer one takes it among the runs, as it comes in `batches`.
    """

    url: str = ""
    version: str = "0.8.0"
    broken: bool = False
    silent: asyncio.Event | None = None
    given: list[dict[str, Any]] = field(default_factory=list)
    batches: list[bytes] = field(default_factory=list)

    def app(self) -> FastAPI:
        app = FastAPI()

        @app.get("/info")
        async def info() -> dict[str, Any]:
            limits = {"size_limit": 100, "size_limit_bytes": 10**6}
            threads = {"scale_up_nthreads_limit": 1, "scale_up_qsize_trigger": 1000}
            batches = {"use_multipart_endpoint": True, **limits, **threads}
            return {"version": self.version, "batch_ingest_config": batches}

        @app.get("/sessions")
        async def project(name: str) -> list[dict[str, Any]]:
            ids = dict.fromkeys(("id", "tenant_id"), str(PROJECT))
            return [{**ids, "name": name, "start_time": "2026-06-01T12:00:00Z", "reference_dataset_id": None}]

        @app.post("/runs/multipart")
        async def take_batch(request: Request) -> dict[str, Any]:
            self.batches.append(await request.body())
            return {}

        @app.post("/feedback")
        async def take(request: Request) -> None:
            if self.silent:
                await self.silent.wait()
            if self.broken:
                raise HTTPException(400)
            self.given.append(json.loads(await request.body()))

        return app


@pytest.fixture
async def sink() -> AsyncIterator[Sink]:
    one = Sink()
    async with serving(one.app()) as url:
        one.url = url
        yield one


@pytest.fixture
def run(sink: Sink) -> RunTree:
    """The run that takes the decision."""
    client = Client(api_url=sink.url, api_key="none", auto_batch_tracing=False)
    return RunTree(name="order_processing", client=client, project_name="desk")


async def decided(approvals: Approvals, database: Database, said: Any, who: Caller | None, run: Traced) -> str:
    """Somebody answers an order manager's request while this run is traced; the request's id."""
    view = await ask(approvals, order(), "very_large_order")
    return await answered(approvals, database, view, said, who=who, run=run)


async def answered(
    approvals: Approvals, database: Database, view: Any, said: Any, *, who: Caller | None, run: Traced
) -> str:
    with tracing_context(parent=run):
        after = await decide(approvals, view["request_id"], view["action_hash"], said, who, changed_amount)
        await Feedback(database).give(after, who)
    return str(view["request_id"])


@pytest.mark.parametrize("value", ["approve", "reject"])
async def test_a_decision_is_feedback_on_the_run_that_took_it(
    approvals: Approvals, database: Database, run: RunTree, sink: Sink, value: str
) -> None:
    said, score = (APPROVE, 1) if value == "approve" else (reject("Ada moved"), 0)
    await decided(approvals, database, said, staff(OF_VERY_LARGE[0]), run)

    (given,) = sink.given
    assert (given["key"], given["value"], given["score"]) == ("approval", value, score)
    assert (UUID(given["run_id"]), UUID(given["session_id"])) == (run.trace_id, PROJECT)
    assert "Ada" not in json.dumps(given)
    assert staff(OF_VERY_LARGE[0]).identity not in json.dumps(given)


async def test_an_edit_says_that_what_was_shown_was_not_right(
    approvals: Approvals, database: Database, sink: Sink, run: RunTree
) -> None:
    view = await ask(approvals, refund(80_00), "billing")
    await answered(approvals, database, view, edit_to(view, 60_00), who=staff(BILLING[0]), run=run)

    assert [(given["value"], given["score"]) for given in sink.given] == [("edit", 0)]


async def test_it_belongs_to_the_whole_trace_whichever_node_we_are_in(
    approvals: Approvals, database: Database, sink: Sink, run: RunTree
) -> None:
    await decided(approvals, database, APPROVE, staff(OF_VERY_LARGE[0]), run.create_child("decide"))

    assert UUID(sink.given[0]["run_id"]) == run.id


async def test_each_decision_has_an_id_of_its_own_however_often_it_is_given(
    approvals: Approvals, database: Database, sink: Sink, run: RunTree
) -> None:
    manager, director = staff(OF_VERY_LARGE[0]), staff(OF_VERY_LARGE[1])
    request_id = await decided(approvals, database, APPROVE, manager, run)
    view = await approvals.get(request_id)
    with tracing_context(parent=run):
        await Feedback(database).give(view, manager)
    await answered(approvals, database, view, APPROVE, who=director, run=run)

    first, again, second = (given["id"] for given in sink.given)
    assert first == again != second


@pytest.mark.parametrize("who", [staff(outsider("very_large_order")), SERVICE, None])
async def test_an_answer_that_does_not_count_is_no_feedback(
    approvals: Approvals, database: Database, sink: Sink, run: RunTree, who: Caller | None
) -> None:
    await decided(approvals, database, APPROVE, who, run)

    assert sink.given == []


async def test_where_nothing_is_traced_nobody_is_told(approvals: Approvals, database: Database, sink: Sink) -> None:
    await decided(approvals, database, APPROVE, staff(OF_VERY_LARGE[0]), False)

    assert sink.given == []


async def test_a_langsmith_that_refuses_is_an_event_and_no_error(
    approvals: Approvals, database: Database, sink: Sink, run: RunTree
) -> None:
    sink.broken = True
    failed = events("feedback.failed")

    request_id = await decided(approvals, database, APPROVE, staff(OF_VERY_LARGE[0]), run)

    assert (await approvals.get(request_id))["step"] == 2
    assert events("feedback.failed") == failed + 1


async def test_a_langsmith_that_is_silent_holds_nobody_up(
    approvals: Approvals, database: Database, sink: Sink, run: RunTree, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feedback, "LONGEST_WAIT_SECONDS", 0.3)
    sink.silent = asyncio.Event()
    failed = events("feedback.failed")

    request_id = await decided(approvals, database, APPROVE, staff(OF_VERY_LARGE[0]), run)
    sink.silent.set()

    assert (await approvals.get(request_id))["step"] == 2
    assert events("feedback.failed") == failed + 1


async def test_a_newer_langsmith_gets_it_among_the_runs(
    approvals: Approvals, database: Database, sink: Sink, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LANGSMITH_DISABLE_RUN_COMPRESSION", "true")
    sink.version = "0.13.0"
    client = Client(api_url=sink.url, api_key="none")
    run = RunTree(name="order_processing", client=client, project_name="desk")
    await decided(approvals, database, APPROVE, staff(OF_VERY_LARGE[0]), run)
    await asyncio.to_thread(client.close, 10)

    (batch,) = sink.batches
    assert f'"trace_id":"{run.id}","key":"approval","score":1,"value":"approve"'.encode() in batch
