"""A bare LangGraph graph with a checkpointer: nodes, branches, `interrupt()` and `Command(resume=…)` as documented.

Checkpoints are written before the next step begins (`durability="sync"`). After a kill nothing goes on by itself: what
looks for threads that were cut, and invokes them again, is below.
"""

import asyncio
from contextlib import AsyncExitStack
from typing import Any

from langgraph.graph import END, START, StateGraph
from langgraph.types import Command, RetryPolicy, Send, interrupt
from typing_extensions import TypedDict

from benchmarks.contenders.savers import saver
from benchmarks.contenders.wire import Json
from benchmarks.engines.line import Work, opened, serve_line, yes_to

RETRY = RetryPolicy(initial_interval=0.1, max_attempts=4, retry_on=Exception)
"""As the order line's nodes: a locked ledger is tried again."""


class State(TypedDict, total=False):
    """What moves between the nodes."""

    order: Json
    lines: list[int]
    asked: Json | None
    said: Json
    parcels: list[str]
    outcome: str


def order_graph(work: Work) -> Any:
    """The order's graph over these steps."""

    async def place(state: State) -> State:
        return {"lines": await work.place(state["order"])}

    def each_line(state: State) -> list[Send]:
        return [Send("reserve_line", {"order": state["order"], "line": line}) for line in state["lines"]]

    async def reserve_line(task: Json) -> State:
        await work.reserve_line(task["order"]["order_id"], task["line"])
        return {}

    async def assess(state: State) -> State:
        return {"asked": await work.assess(state["order"]["order_id"])}

    def approval(state: State) -> State:
        return {"said": interrupt(state["asked"])}

    async def decide(state: State) -> State:
        await work.decide(state["order"]["order_id"], state["asked"] or {}, state["said"])
        return {}

    async def charge(state: State) -> State:
        return {"parcels": await work.charge(state["order"]["order_id"])}

    def each_parcel(state: State) -> list[Send]:
        return [Send("ship", {"order": state["order"], "parcel": parcel}) for parcel in state["parcels"]]

    async def ship(task: Json) -> State:
        await work.ship(task["order"]["order_id"], task["parcel"])
        return {}

    async def complete(state: State) -> State:
        return {"outcome": await work.complete(state["order"]["order_id"])}

    graph: Any = StateGraph(State)
    for node in (place, reserve_line, assess, decide, charge, ship, complete):
        graph.add_node(node, retry_policy=RETRY)
    graph.add_node(approval)
    graph.add_edge(START, "place").add_conditional_edges("place", each_line, ["reserve_line"])
    graph.add_edge("reserve_line", "assess").add_edge("approval", "decide").add_edge("decide", "charge")
    graph.add_conditional_edges("assess", lambda state: "approval" if state["asked"] else "charge")
    graph.add_conditional_edges("charge", each_parcel, ["ship"])
    return graph.add_edge("ship", "complete").add_edge("complete", END)


class BareLine:
    """Orders as threads of the graph."""

    def __init__(self, work: Work, checkpointer: Any) -> None:
        self._graph = order_graph(work).compile(checkpointer=checkpointer)
        self._checkpointer = checkpointer

    async def submit(self, order: Json) -> None:
        """Run to the interrupt. An order that is sent again goes on where it is."""
        config = _config(order["order_id"])
        known = (await self._graph.aget_state(config)).created_at
        await self._graph.ainvoke(None if known else {"order": order}, config, durability="sync")

    async def approve(self, order_id: str) -> None:
        """Resume with a yes."""
        if asked := (await self._graph.aget_state(_config(order_id))).interrupts:
            await self._graph.ainvoke(Command(resume=yes_to(asked[0].value)), _config(order_id), durability="sync")

    async def end_of(self, order_id: str) -> str:
        """As the thread says."""
        state = await self._graph.aget_state(_config(order_id))
        return "waiting" if state.interrupts else str(state.values.get("outcome", f"cut before {state.next}"))

    async def recover(self) -> None:
        """Invoke every thread again that has something to do and does not wait for people.

        By its tasks: `next` is empty also where a kill came between what a node wrote and the checkpoint after it.
        """
        threads = {each.config["configurable"]["thread_id"] async for each in self._checkpointer.alist(None)}

        async def go_on(thread: str) -> None:
            state = await self._graph.aget_state(_config(thread))
            if state.tasks and not state.interrupts:
                await self._graph.ainvoke(None, _config(thread), durability="sync")

        await asyncio.gather(*(go_on(thread) for thread in threads))


def _config(order_id: str) -> Any:
    return {"configurable": {"thread_id": order_id}}


async def main() -> None:
    """Serve until nothing more is asked."""
    async with AsyncExitStack() as stack:
        shop = await opened(stack)
        line = BareLine(
            shop.work, await stack.enter_async_context(saver(shop.place.folder, shop.place.checkpoints_url))
        )
        await line.recover()
        await serve_line(line, shop)


if __name__ == "__main__":
    asyncio.run(main())
