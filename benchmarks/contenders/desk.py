"""The contender that is a build of ours: its order line in process, with LangGraph's checkpointer.

The build is the one whose `src` comes first in PYTHONPATH.
"""

import asyncio
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any

from sqlalchemy import Engine, event, make_url

from agent.order_processing.graph import graph
from benchmarks.contenders.given import Place, thread_of
from benchmarks.contenders.savers import saver
from benchmarks.contenders.shop import Shop, opened
from benchmarks.contenders.wire import Json, serve, timed


class Desk:
    """The order line, with the acts that are asked of it."""

    def __init__(self, shop: Shop, checkpointer: Any) -> None:
        self._shop = shop
        self._line = graph.copy(update={"checkpointer": checkpointer})

    async def orders(self, name: str, count: int, at_once: int, lines: int) -> Json:
        """Place orders; by which stage each ended in, and how many branches failed."""
        orders = self._shop.orders(name, count, lines)
        took = await timed(orders, at_once, self._place)
        states = [await self._line.aget_state(_config(order)) for order in orders]
        results = Counter(result for state in states for result in state.values.get("results", {}).values())
        good = results["reserved"] + results["handed over"]
        return took | {"bad_branches": results.total() - good, "branches": results.total()}

    async def statements(self, name: str, lines: int) -> Json:
        """What one order asks of the ledger: statements by their first word, and transactions."""
        [order] = self._shop.orders(name, 1, lines)
        with _counted(self._shop.services.settings.ledger_url) as counts:
            await self._place(order)
        return counts

    async def _place(self, order: dict[str, Any]) -> str:
        try:
            ended = await self._line.ainvoke({"order": order}, _config(order))
        except Exception as error:  # noqa: BLE001  (that a run fails is a figure)
            return f"run failed: {type(error).__name__}"
        return str(ended["processing_stage"])


def _config(order: dict[str, Any]) -> Any:
    """What the platform would put there: the thread, and the customer as the authenticated caller."""
    customer = SimpleNamespace(identity=order["customer_id"], permissions=["role:customer"])
    thread = {"thread_id": thread_of(order, f"customer:{order['customer_id']}"), "langgraph_auth_user": customer}
    return {"recursion_limit": 100, "configurable": thread}


@contextmanager
def _counted(url: str) -> Iterator[Counter[str]]:
    """Count what is asked of this database, by whichever engine: statements that read or write, and transactions."""
    counts, database = Counter[str](), make_url(url).database

    def on_statement(connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if connection.engine.url.database == database:
            counts[statement.split(maxsplit=1)[0].upper()] += 1

    def on_begin(connection: Any) -> None:
        if connection.engine.url.database == database:
            counts["transactions"] += 1

    event.listen(Engine, "before_cursor_execute", on_statement)
    event.listen(Engine, "begin", on_begin)
    try:
        yield counts
    finally:
        event.remove(Engine, "before_cursor_execute", on_statement)
        event.remove(Engine, "begin", on_begin)


async def main() -> None:
    """Serve until nothing more is asked."""
    place = Place.of_arguments()
    async with opened(place) as shop, saver(place.folder, place.checkpoints_url) as checkpointer:
        desk = Desk(shop, checkpointer)
        await serve({"orders": desk.orders, "statements": desk.statements})


if __name__ == "__main__":
    asyncio.run(main())
