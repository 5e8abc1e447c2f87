"""The contender that is DBOS: a durable workflow whose steps are the same commands, on the ledger of this source tree.

It makes the same effects in the same order, lines and parcels in parallel; it has no guard, no gate and no state.
"""

import asyncio
from typing import Any

from dbos import DBOS, SetWorkflowID

from benchmarks.contenders.commands import Commands, NotDoneError
from benchmarks.contenders.given import Place
from benchmarks.contenders.shop import Shop, opened
from benchmarks.contenders.wire import Json, serve, timed

step = DBOS.step(retries_allowed=True, interval_seconds=0.1, max_attempts=4)
"""As the order line's nodes: a locked ledger is tried again."""

_commands = Commands()


@step
async def place(order: dict[str, Any]) -> list[int]:
    """Write the order; the numbers of its lines."""
    return await _commands.place(order)


@step
async def reserve_line(order_id: str, line: int) -> None:
    """Hold the stock of a line."""
    await _commands.reserve_line(order_id, line)


@step
async def assess(order_id: str) -> None:
    """All lines are held; nobody need say yes."""
    if await _commands.assess(order_id):
        raise NotDoneError("somebody must say yes")


@step
async def charge(order_id: str) -> list[str]:
    """Take the money; the parcels that are to leave."""
    return await _commands.charge(order_id)


@step
async def ship(order_id: str, parcel_id: str) -> None:
    """Give a parcel to the carrier."""
    await _commands.ship(order_id, parcel_id)


@step
async def complete(order_id: str) -> str:
    """Join the parcels."""
    return await _commands.complete(order_id)


@DBOS.workflow()
async def process(order: dict[str, Any]) -> str:
    """An order's way from its placing to its hand-over."""
    order_id = order["order_id"]
    lines = await place(order)
    await asyncio.gather(*(reserve_line(order_id, line) for line in lines))
    await assess(order_id)
    parcels = await charge(order_id)
    await asyncio.gather(*(ship(order_id, parcel) for parcel in parcels))
    return str(await complete(order_id))


async def _process(order: dict[str, Any]) -> str:
    with SetWorkflowID(f"order:{order['order_id']}"):
        return str(await process(order))


async def main() -> None:
    """Serve until nothing more is asked."""
    where = Place.of_arguments()
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
