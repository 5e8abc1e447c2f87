"""The contender that is a build of ours whose ledger, or whose conversation, grows: what a look at it costs then."""

import asyncio
import sqlite3
import time
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Final

from langchain_core.messages import HumanMessage
from langgraph.types import Command

from agent.customer_service.graph import graph as desk
from agent.order_processing.graph import graph as order_line
from agent.reconciler.graph import graph as reconciler
from benchmarks.contenders.given import Place, thread_of
from benchmarks.contenders.savers import saver
from benchmarks.contenders.shop import Shop, opened
from benchmarks.contenders.wire import Json, serve

KEPT: Final = "TPL-"
"""What the ids of the orders begin with that are to be multiplied; they are all of one customer."""
CUSTOMER: Final = "liam_byrne"
PARKED: Final = 3
"""Orders that the reconciler finds."""
_STATUS: Final = "Where is my order W-1002?"


class Growing:
    """The shop's three graphs, with the acts that are asked of them."""

    def __init__(self, shop: Shop, checkpointer: Any, checkpoints: Path) -> None:
        own = {"checkpointer": checkpointer}
        self._shop = shop
        self._line = order_line.copy(update=own)
        self._desk = desk.copy(update=own)
        self._checkpoints = checkpoints

    async def work(self) -> Json:
        """Leave a customer behind who talked once and has ten orders, one of which people said yes to; and orders that
        wait for the reconciler."""
        *small, large = self._shop.orders(KEPT.rstrip("-"), 10, 2)
        for order in small:
            await self._order(order)
        large["lines"][0]["quantity"] = 200
        await self._order(large)
        approve = {"decisions": [{"type": "approve"}]}
        ended = await self._line.ainvoke(
            Command(resume=approve),
            _config(thread_of(large, f"customer:{large['customer_id']}"), "order_manager-1", "order_manager"),
        )
        await self._say("a-chat", _STATUS, CUSTOMER)
        self._shop.services.breakers["payment"].force_open()
        for order in self._shop.orders("P", PARKED, 2):
            await self._line.ainvoke(
                {"order": order}, _config(thread_of(order, f"customer:{order['customer_id']}"), order["customer_id"])
            )
        return {"stage": ended["processing_stage"]}

    async def passes(self, count: int) -> Json:
        """Passes of the reconciler, which finds orders that are at work: what each took, and what was found."""
        config = _config("", "service-1", "service")
        reports = []

        async def once(_: int) -> None:
            reports.append((await reconciler.ainvoke({}, config))["report"])

        took = await _each(count, once)
        return took | {"report": reports[-1], "same": all(report == reports[0] for report in reports)}

    async def status_turns(self, name: str, count: int) -> Json:
        """First messages of conversations: an order's status, for whoever has this e-mail address."""

        async def once(number: int) -> None:
            told = await self._say(f"{name}-{number}", f"I am ada.park@example.com. {_STATUS}", "storefront", "channel")
            if "W-1002" not in told:
                raise RuntimeError(f"the desk did not find the order: {told}")

        return await _each(count, once)

    async def conversation(self, name: str, turns: int) -> Json:
        """One conversation of so many turns: what each took, and how many bytes of checkpoints it wrote."""
        written: list[int] = []
        look = _growth(self._checkpoints)

        async def once(_: int) -> None:
            await self._say(name, _STATUS, "ada_park")

        async def after(_: int) -> None:
            written.append(await asyncio.to_thread(next, look))

        next(look)
        took = await _each(turns, once, after)
        return took | {"bytes": written}

    async def _order(self, order: dict[str, Any]) -> None:
        order |= {"customer_id": CUSTOMER, "payment_method_id": "liam_card"}
        await self._line.ainvoke(
            {"order": order}, _config(thread_of(order, f"customer:{order['customer_id']}"), CUSTOMER)
        )

    async def _say(self, thread: str, text: str, who: str, role: str = "customer") -> str:
        ended = await self._desk.ainvoke({"messages": [HumanMessage(text)]}, _config(thread, who, role))
        return str(ended["messages"][-1].content)


async def _each(
    count: int, act: Callable[[int], Awaitable[None]], after: Callable[[int], Awaitable[None]] | None = None
) -> Json:
    """Do something so often, one after the other: seconds and processor seconds of each, without what comes after."""
    seconds, cpus = [], []
    for number in range(count):
        began, cpu = time.perf_counter(), time.process_time()
        await act(number)
        seconds.append(time.perf_counter() - began)
        cpus.append(time.process_time() - cpu)
        if after:
            await after(number)
    return {"seconds": seconds, "cpu": cpus}


def _growth(checkpoints: Path) -> Iterator[int]:
    """Bytes of all columns of the rows that came into a saver's tables since the last look."""
    with sqlite3.connect(checkpoints, check_same_thread=False) as kept:
        seen: dict[str, int] = {}
        while True:
            grown = 0
            for (table,) in kept.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall():
                columns = [row[1] for row in kept.execute(f"PRAGMA table_info({table})")]
                size = " + ".join(f"coalesce(length(CAST({column} AS BLOB)), 0)" for column in columns)
                query = f"SELECT coalesce(sum({size}), 0), coalesce(max(rowid), 0) FROM {table} WHERE rowid > ?"  # noqa: S608
                more, last = kept.execute(query, (seen.get(table, 0),)).fetchone()
                grown, seen[table] = grown + more, max(seen.get(table, 0), last)
            yield grown


def _config(thread: str, who: str, role: str = "customer") -> Any:
    """What the platform would put there: the thread, and who is authenticated."""
    caller = SimpleNamespace(identity=who, permissions=[f"role:{role}"])
    return {"recursion_limit": 100, "configurable": {"thread_id": thread, "langgraph_auth_user": caller}}


async def main() -> None:
    """Serve until nothing more is asked."""
    place = Place.of_arguments()
    async with opened(place) as shop, saver(place.folder, "") as checkpointer:
        acts = Growing(shop, checkpointer, place.folder / "checkpoints.db")
        await serve({act.__name__: act for act in (acts.work, acts.passes, acts.status_turns, acts.conversation)})


if __name__ == "__main__":
    asyncio.run(main())
