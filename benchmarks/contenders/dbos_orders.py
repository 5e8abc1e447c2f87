"""The contender that is DBOS: a durable workflow whose steps are the same commands, on the ledger of this source tree.

It makes the same effects in the same order, lines and parcels in parallel; it has no guard, no gate and no state.
"""

import asyncio
from typing import Any

from dbos import DBOS, SetWorkflowID

from agent.commerce.commands import Denial, MarkHandedOver, NewOrder, PlaceOrder
from agent.services import services
from benchmarks.contenders.given import Place
from benchmarks.contenders.shop import Shop, opened
from benchmarks.contenders.wire import Json, serve, timed

step = DBOS.step(retries_allowed=True, interval_seconds=0.1, max_attempts=4)
"""As the order line's nodes: a locked ledger is tried again."""


@step
async def place(order: dict[str, Any]) -> list[int]:
    """Write the order; the numbers of its lines."""
    new = NewOrder.model_validate(order)
    key = f"order:{new.order_id}:place"
    shop = await services()
    done(await shop.commerce.run(PlaceOrder(key=key, actor=new.customer_id, subject=new.customer_id, order=new)))
    return [line["number"] for line in (await shop.reads.get(new.order_id))["lines"]]


@step
async def reserve_line(order_id: str, line: int) -> None:
    """Hold the stock of a line."""
    await (await services()).orders.reserve_line(order_id, line)


@step
async def assess(order_id: str) -> None:
    """All lines are held; nobody need say yes."""
    shop = await services()
    order = await shop.orders.reserved(order_id, short=[])
    await shop.reads.risk(order_id)
    await shop.orders.move(order_id, "approved", revision=order["revision"])


@step
async def charge(order_id: str) -> list[str]:
    """Take the money; the parcels that are to leave."""
    shop = await services()
    if await shop.payments.capture(order_id) != "captured":
        raise RuntimeError("the card of the demo shop was declined")
    return list(await shop.fulfilment.plan(order_id))


@step
async def ship(parcel_id: str, customer_id: str) -> None:
    """Give a parcel to the carrier."""
    shop = await services()
    await shop.fulfilment.book(parcel_id)
    key = f"parcel:{parcel_id}:hand-over"
    leave = MarkHandedOver(key=key, actor="order_processing", subject=customer_id, parcel_id=parcel_id)
    done(await shop.commerce.run(leave))


@step
async def complete(order_id: str) -> str:
    """Join the parcels."""
    return str(await (await services()).fulfilment.join(order_id))


@DBOS.workflow()
async def process(order: dict[str, Any]) -> str:
    """An order's way from its placing to its hand-over."""
    order_id = order["order_id"]
    lines = await place(order)
    await asyncio.gather(*(reserve_line(order_id, line) for line in lines))
    await assess(order_id)
    parcels = await charge(order_id)
    await asyncio.gather(*(ship(parcel, order["customer_id"]) for parcel in parcels))
    return str(await complete(order_id))


class DeniedError(Exception):
    """A command was denied, which none of these is."""


def done(answer: Any) -> None:
    """Raise when a command was denied."""
    if isinstance(answer, Denial):
        raise DeniedError(f"{answer.rule}: {answer.sentence}")


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
