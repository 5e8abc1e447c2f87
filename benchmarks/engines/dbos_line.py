"""DBOS: a durable workflow of steps, an event for what is asked, a message for the yes. It goes on at `launch`."""

import asyncio
from contextlib import AsyncExitStack
from typing import Any

from dbos import DBOS, SetWorkflowID

from benchmarks.contenders.wire import Json
from benchmarks.engines.line import Work, opened, serve_line, yes_to

A_DAY = 86_400.0
step = DBOS.step(retries_allowed=True, interval_seconds=0.1, max_attempts=4)
"""As the order line's nodes: a locked ledger is tried again."""

work: Work


@step
async def place(order: Json) -> list[int]:
    """Accept it."""
    return await work.place(order)


@step
async def reserve_line(order_id: str, line: int) -> None:
    """Hold the stock of a line."""
    await work.reserve_line(order_id, line)


@step
async def assess(order_id: str) -> Json | None:
    """What people are asked."""
    return await work.assess(order_id)


@step
async def decide(order_id: str, asked: Json, said: Json) -> None:
    """Take what they said."""
    await work.decide(order_id, asked, said)


@step
async def charge(order_id: str) -> list[str]:
    """Take the money."""
    return await work.charge(order_id)


@step
async def ship(order_id: str, parcel_id: str) -> None:
    """Give a parcel to the carrier."""
    await work.ship(order_id, parcel_id)


@step
async def complete(order_id: str) -> str:
    """The last word."""
    return await work.complete(order_id)


@DBOS.workflow()
async def process(order: Json) -> str:
    """An order's way from its placing to its hand-over."""
    order_id = order["order_id"]
    lines = await place(order)
    await asyncio.gather(*(reserve_line(order_id, line) for line in lines))
    if asked := await assess(order_id):
        await DBOS.set_event_async("asked", asked)
        said = await DBOS.recv_async("approval", timeout_seconds=A_DAY)
        await decide(order_id, asked, said)
    parcels = await charge(order_id)
    await asyncio.gather(*(ship(order_id, parcel) for parcel in parcels))
    return str(await complete(order_id))


class DbosLine:
    """Orders as workflows, whose ids are the orders'."""

    async def submit(self, order: Json) -> None:
        """Start it; from then on it is DBOS's."""
        with SetWorkflowID(order["order_id"]):
            await DBOS.start_workflow_async(process, order)

    async def approve(self, order_id: str) -> None:
        """Read the event, and send the yes; the same one once, as its key says."""
        asked = await DBOS.get_event_async(order_id, "asked", timeout_seconds=A_DAY)
        await DBOS.send_async(order_id, yes_to(asked), "approval", idempotency_key=f"{order_id}:yes")

    async def end_of(self, order_id: str) -> str:
        """What the workflow returns."""
        handle: Any = await DBOS.retrieve_workflow_async(order_id)
        return str(await handle.get_result(polling_interval_sec=0.05))


async def main() -> None:
    """Serve until nothing more is asked."""
    global work  # noqa: PLW0603  (DBOS finds steps in modules)
    async with AsyncExitStack() as stack:
        shop = await opened(stack)
        work = shop.work
        url = shop.place.checkpoints_url or f"sqlite:///{shop.place.folder / 'dbos.db'}"
        DBOS(config={"name": "orders", "system_database_url": url, "log_level": "WARNING"})
        DBOS.launch()
        stack.callback(DBOS.destroy)
        await serve_line(DbosLine(), shop)


if __name__ == "__main__":
    asyncio.run(main())
