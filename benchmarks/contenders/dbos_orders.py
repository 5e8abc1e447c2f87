"""The contender that is DBOS: the workflow of `engines.dbos_line`, on the ledger of this source tree, without a yes.

It makes the same effects in the same order, lines and parcels in parallel; it has no guard, no gate and no state.
"""

import asyncio
from typing import Any

from dbos import DBOS, SetWorkflowID

from benchmarks.contenders.commands import Commands
from benchmarks.contenders.given import Place
from benchmarks.contenders.shop import Shop, opened
from benchmarks.contenders.wire import Json, serve, timed
from benchmarks.engines import dbos_line


async def _process(order: dict[str, Any]) -> str:
    with SetWorkflowID(f"order:{order['order_id']}"):
        return str(await dbos_line.process(order))


async def main() -> None:
    """Serve until nothing more is asked."""
    where = Place.of_arguments()
    dbos_line.work = Commands()
    DBOS(
        config={
            "name": "orders",
            "system_database_url": where.checkpoints_url or f"sqlite:///{where.folder / 'dbos.db'}",
            "log_level": "WARNING",
        }
    )
    DBOS.launch()
    async with opened(where) as shop:
        await serve({"orders": lambda **asked: orders(shop, **asked)})
    DBOS.destroy()


async def orders(shop: Shop, name: str, count: int, at_once: int, lines: int) -> Json:
    """Place orders; what became of them."""
    return await timed(shop.orders(name, count, lines), at_once, _process)


if __name__ == "__main__":
    asyncio.run(main())
