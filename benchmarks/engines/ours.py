"""Ours: the order line's graph as it is, with its ledger, gate and guard, and LangGraph's checkpointer.

In place of the platform and the reconciler's cron, what a killed process left behind is driven on as it starts again:
the same orders, by the same question to the ledger, with the same input.
"""

import asyncio
from contextlib import AsyncExitStack
from types import SimpleNamespace
from typing import Any

from langgraph.types import Command

from agent.identity import owner_by
from agent.order_processing.graph import graph
from agent.services import services
from benchmarks.contenders.given import thread_of
from benchmarks.contenders.savers import saver
from benchmarks.contenders.wire import Json
from benchmarks.engines.line import opened, serve_line, yes_to


class OurLine:
    """Orders as threads of our graph."""

    def __init__(self, checkpointer: Any) -> None:
        self._graph = graph.copy(update={"checkpointer": checkpointer})

    async def submit(self, order: Json) -> None:
        """Run to the gate, for the customer. An order that is sent again is the same order."""
        owner = owner_by(order["customer_id"], order["customer_id"])
        await self._graph.ainvoke({"order": order}, _config(thread_of(order, owner), order["customer_id"], "customer"))

    async def approve(self, order_id: str) -> None:
        """The order manager says yes to the card that the thread shows."""
        known = await (await services()).queries.get(order_id)
        config = _config(known["thread_id"], "order-manager-1", "order_manager")
        if cards := (await self._graph.aget_state(config)).interrupts:
            await self._graph.ainvoke(Command(resume=yes_to(cards[0].value)), config)

    async def end_of(self, order_id: str) -> str:
        """As the ledger says."""
        stage = (await (await services()).queries.get(order_id))["stage"]
        return "waiting" if stage == "awaiting_approval" else stage

    async def recover(self) -> None:
        """Drive on what the ledger has of orders that are not at their end."""
        for order in await (await services()).queries.unfinished(stale_seconds=0):
            config = _config(order["thread_id"], "service-1", "service")
            await self._graph.ainvoke({"order": {"order_id": order["id"]}}, config)


def _config(thread: str, identity: str, role: str) -> Any:
    """What the platform would put there: the thread, and who is authenticated."""
    caller = SimpleNamespace(identity=identity, permissions=[f"role:{role}"])
    return {"recursion_limit": 100, "configurable": {"thread_id": thread, "langgraph_auth_user": caller}}


async def main() -> None:
    """Serve until nothing more is asked."""
    async with AsyncExitStack() as stack:
        shop = await opened(stack)
        line = OurLine(await stack.enter_async_context(saver(shop.place.folder, shop.place.checkpoints_url)))
        await line.recover()
        await serve_line(line, shop)


if __name__ == "__main__":
    asyncio.run(main())
