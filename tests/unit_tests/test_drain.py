"""A worker that is to stop ends the steps that are begun, begins none, and leaves the rest where it can be found."""

import asyncio
import operator
from collections.abc import AsyncIterator
from typing import Annotated, Any

import pytest
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import START
from langgraph.graph.state import CompiledStateGraph
from typing_extensions import TypedDict

from agent import node_policies
from agent.drain import Drain
from agent.observability import nodes
from agent.observability.nodes import ObservedGraph
from agent.server.stopping import CLOSING_SECONDS
from agent.settings import Settings

THREAD: Any = {"configurable": {"thread_id": "1"}}


class Steps(TypedDict):
    done: Annotated[list[str], operator.add]


class Work:
    """Two steps; the first one takes until it is let go on."""

    def __init__(self) -> None:
        self.began, self.go_on = asyncio.Event(), asyncio.Event()

    async def first(self, _: Steps) -> Steps:
        self.began.set()
        await self.go_on.wait()
        return {"done": ["first"]}

    async def second(self, _: Steps) -> Steps:
        return {"done": ["second"]}

    def graph(self, saver: InMemorySaver) -> CompiledStateGraph[Any, Any, Any, Any]:
        built = ObservedGraph("drained", Steps).add_node(self.first).add_node(self.second)
        return built.add_edge(START, "first").add_edge("first", "second").compile(checkpointer=saver)


@pytest.fixture
def drain(monkeypatch: pytest.MonkeyPatch) -> Drain:
    """This process's, as good as new."""
    monkeypatch.setattr(nodes, "DRAIN", made := Drain())
    return made


async def test_a_run_ends_the_step_that_it_is_in_and_goes_on_where_it_was(
    drain: Drain, monkeypatch: pytest.MonkeyPatch
) -> None:
    work, saver = Work(), InMemorySaver()
    run = asyncio.create_task(work.graph(saver).ainvoke({"done": []}, THREAD))
    await work.began.wait()
    assert drain.moving == 1

    drain.begin()
    assert not await drain.until_still(0.1), "it is within its step"
    work.go_on.set()
    assert await drain.until_still(5)
    assert not run.done(), "it is held"
    run.cancel()  # as the engine does
    assert (await asyncio.gather(run, return_exceptions=True))[0].__class__ is asyncio.CancelledError

    monkeypatch.setattr(nodes, "DRAIN", Drain())  # another worker
    assert await work.graph(saver).ainvoke(None, THREAD) == {"done": ["first", "second"]}


async def test_a_run_that_is_begun_again_goes_on_and_takes_its_input_once(
    drain: Drain, monkeypatch: pytest.MonkeyPatch
) -> None:
    work, saver = Work(), InMemorySaver()
    held = THREAD | {"metadata": {"run_id": "a"}}  # as the server gives it
    run = asyncio.create_task(work.graph(saver).ainvoke({"done": ["input"]}, held))
    await work.began.wait()
    drain.begin()
    work.go_on.set()
    assert await drain.until_still(5)
    run.cancel()
    await asyncio.gather(run, return_exceptions=True)

    monkeypatch.setattr(nodes, "DRAIN", Drain())
    graph = work.graph(saver)
    assert await graph.ainvoke({"done": ["input"]}, held) == {"done": ["input", "first", "second"]}
    another = THREAD | {"metadata": {"run_id": "b"}}
    assert (await graph.ainvoke({"done": ["more"]}, another))["done"][3:] == ["more", "first", "second"]


async def test_a_run_that_comes_later_begins_nothing(drain: Drain) -> None:
    work = Work()
    drain.begin()
    run = asyncio.create_task(work.graph(InMemorySaver()).ainvoke({"done": []}, THREAD))
    await asyncio.wait([run], timeout=0.1)
    assert (run.done(), work.began.is_set(), drain.moving) == (False, False, 0)
    run.cancel()
    await asyncio.gather(run, return_exceptions=True)


async def test_a_run_that_begins_in_the_moment_in_which_another_thread_drains_begins_no_step(drain: Drain) -> None:
    class Moving(set[Any]):
        def add(self, control: Any) -> None:
            drain.begin()
            super().add(control)

    drain._moving = Moving()
    work = Work()
    run = asyncio.create_task(work.graph(InMemorySaver()).ainvoke({"done": []}, THREAD))
    await asyncio.wait([run], timeout=0.1)
    assert (run.done(), work.began.is_set(), drain.moving) == (False, False, 0)
    run.cancel()
    await asyncio.gather(run, return_exceptions=True)


async def test_a_run_that_fails_is_not_waited_for(drain: Drain) -> None:
    async def fails() -> AsyncIterator[int]:
        yield 1
        raise LookupError

    parts = drain.parts(lambda _: fails())
    assert (await anext(parts), drain.moving) == (1, 1)
    with pytest.raises(LookupError):
        await anext(parts)
    assert drain.moving == 0


async def test_answers_that_are_still_open_are_broken_off(drain: Drain) -> None:
    async def answer() -> None:
        async with drain.answering():
            await asyncio.Event().wait()

    task = asyncio.create_task(answer())
    await asyncio.sleep(0)
    drain.hang_up()
    with pytest.raises(TimeoutError):
        await task


def test_the_longest_step_ends_well_within_the_time_to_stop() -> None:
    timeouts = (node_policies.BRANCH, node_policies.PARCEL, node_policies.READING)
    longest = max(node_policies.OUTSIDE_SECONDS, *(float(str(policy.run_timeout)) for policy in timeouts))
    assert longest + CLOSING_SECONDS < Settings.model_fields["drain_seconds"].default
