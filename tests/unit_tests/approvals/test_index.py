"""What a thread says of the request that it waits for, and that nobody waits for it to be written."""

import asyncio
from typing import Any

import pytest
from fastapi import FastAPI

from agent.approvals import index
from agent.approvals.deadlines import Deadlines
from agent.approvals.index import Index, entry
from agent.approvals.requests import Approvals
from agent.settings import Settings
from agent.tokens import create_tokens
from tests.support.approvals import ask, decide, order
from tests.support.chains import OF_LARGE, OF_VERY_LARGE, due_seconds
from tests.support.clock import Clock
from tests.support.goods import W1001
from tests.support.platform_stub import Platform
from tests.support.serving import serving
from tests.support.threads import APPROVE, events, staff

NOTHING: dict[str, Any] = {"awaiting": None, "escalated_to": None, "due": None}


async def test_an_open_request_is_found_by_role_case_and_id(approvals: Approvals) -> None:
    view = await ask(approvals, order(), "very_large_order")

    assert entry(view) == {
        "awaiting": OF_VERY_LARGE[0],
        "escalated_to": None,
        "due": view["due"],
        "request_type": "very_large_order",
        "request_id": view["request_id"],
        "order_id": W1001,
    }


async def test_an_escalated_one_is_found_by_both_roles(
    approvals: Approvals, clock: Clock, deadlines: Deadlines
) -> None:
    view = await ask(approvals, order(), "very_large_order")
    clock.advance(seconds=due_seconds("very_large_order"))
    await deadlines.enforce_deadlines()

    found = entry(await approvals.get(view["request_id"]))

    assert (found["awaiting"], found["escalated_to"]) == (OF_VERY_LARGE[0], OF_VERY_LARGE[1])


async def test_nobody_is_awaited_after_the_decision(approvals: Approvals) -> None:
    view = await ask(approvals, order(), "large_order")
    decided = await decide(approvals, view["request_id"], view["action_hash"], APPROVE, staff(OF_LARGE[0]))

    assert entry(decided) == entry(None) == NOTHING


async def test_what_else_a_thread_says_stays(approvals: Approvals, indexed: Platform) -> None:
    indexed.thread("thread-1", "busy", metadata={"owner": "ada_park", "graph_id": "order_processing"})
    await Index(Settings()).show("thread-1", await ask(approvals, order(), "large_order"))
    await Index(Settings()).show("thread-1", None)

    said = indexed.threads["thread-1"]["metadata"]

    assert said["owner"] == "ada_park"
    assert said["graph_id"] == "order_processing"
    assert said | NOTHING == said


@pytest.mark.parametrize("status", [403, 404, 500])
async def test_what_cannot_be_written_is_an_event_and_no_error(
    approvals: Approvals, indexed: Platform, status: int
) -> None:
    indexed.broken["/threads/thread-1"] = status
    before = events("index.failed")

    await Index(Settings()).show("thread-1", await ask(approvals, order(), "large_order"))

    assert events("index.failed") == before + 1


async def test_without_a_token_and_without_a_server_nothing_is_written(tmp_path: Any) -> None:
    config = Settings(tokens_file=tmp_path / "tokens.json", langgraph_api_url="http://127.0.0.1:1")
    before = events("index.failed")

    await Index(config).show("thread-1", None)
    create_tokens(config.tokens_file)
    await Index(config).show("thread-1", None)

    assert events("index.failed") == before + 2


async def test_a_server_that_is_silent_holds_nobody_up(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(index, "LONGEST_WAIT_SECONDS", 0.2)
    app, ended = FastAPI(), asyncio.Event()
    app.add_api_route("/threads/{thread_id}", ended.wait, methods=["PATCH"])
    before = events("index.failed")

    async with serving(app) as url:
        config = Settings(tokens_file=tmp_path / "tokens.json", langgraph_api_url=url)
        create_tokens(config.tokens_file)
        await Index(config).show("thread-1", None)
        ended.set()

    assert events("index.failed") == before + 1
