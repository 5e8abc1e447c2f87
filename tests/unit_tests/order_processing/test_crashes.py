"""A worker that dies before or after a node's effect; the order is driven on, and the effect is there once."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from copy import copy
from typing import Any, Final, Literal

import pytest

from agent.identity import Caller
from agent.order_processing.graph import graph
from agent.services import Services
from tests.support.orders import ADA, redrive_order, stock, thread_of
from tests.support.threads import Thread

from .standing import COURSES, ends_well, quarantined, run_course

pytestmark = pytest.mark.thorough

When = Literal["before", "after"]
PATIENCE: Final = 20
"""Seconds in which a run comes by the node at which it dies."""


def dying(thread: Thread, node: str, when: When, reached: asyncio.Event) -> Any:
    """The thread's graph on a worker that hangs at this node for good, before or after all that the node does."""
    there: Any = graph.nodes[node]
    function: Callable[..., Awaitable[Any]] = there.bound.afunc

    async def hangs(*given: Any, **more: Any) -> None:
        if when == "after":
            await function(*given, **more)
        reached.set()
        await asyncio.Event().wait()

    bound = copy(there.bound)
    bound.afunc = hangs
    return thread.graph.copy(update={"nodes": {**graph.nodes, node: there.copy({"bound": bound})}})


async def dies_at(shop: Services, node: str, when: When) -> Thread:
    """The order that comes by this node; its worker is killed there."""
    reached = asyncio.Event()

    async def run(thread: Thread, given: Any, who: Caller) -> None:
        work = asyncio.create_task(dying(thread, node, when, reached).ainvoke(given, thread.config(who)))
        arrival = asyncio.create_task(reached.wait())
        await asyncio.wait((work, arrival), return_when=asyncio.FIRST_COMPLETED, timeout=PATIENCE)
        for task in (work, arrival):
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task

    thread = await run_course(shop, node, run)
    assert reached.is_set()
    return thread


async def taken_up(thread: Thread) -> Thread:
    await thread.run(None, ADA)
    return thread


async def driven_on(thread: Thread) -> Thread:
    await redrive_order(thread)
    return thread


async def driven_on_elsewhere(_: Thread) -> Thread:
    thread = thread_of()
    await redrive_order(thread)
    return thread


AGAIN: Final = {"on its thread": taken_up, "by the reconciler": driven_on, "on a new thread": driven_on_elsewhere}


@pytest.mark.parametrize(("when", "again"), [("before", "on its thread"), *(("after", again) for again in AGAIN)])
@pytest.mark.parametrize("node", [node for node in COURSES if node not in ("approval", "rebuild")])
async def test_an_order_whose_worker_dies_ends_with_each_effect_once(
    shop: Services, node: str, when: When, again: str
) -> None:
    before = await stock(shop)
    dead = await dies_at(shop, node, when)

    thread = await AGAIN[again](dead)

    await ends_well(shop, thread, node, before)
    assert await quarantined(shop) == []
