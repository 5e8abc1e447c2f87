"""The contender that is DBOS: a durable workflow whose steps are the same commands, on the ledger of this source tree.

It makes the same effects in the same order, lines and parcels in parallel; it has no guard, no gate and no state.
"""

import asyncio
from typing import Any

from dbos import DBOS, SetWorkflowID
from sqlalchemy.orm import Session

from agent.approvals.chains import case_for_order
from agent.commerce.commands import Denial, NewOrder, PlaceOrder
from agent.commerce.locks import locked
from agent.commerce.order_risk import risk_of
from agent.commerce.orders import leave_out, move_on
from agent.commerce.parcels import LEFT
from agent.services import services
from benchmarks.contenders.given import Place
from benchmarks.contenders.shop import Shop, opened
from benchmarks.contenders.wire import Json, serve, timed


class NotDoneError(Exception):
    """A step ended otherwise than these orders should."""


step = DBOS.step(retries_allowed=True, interval_seconds=0.1, max_attempts=4)
"""As the order line's nodes: a locked ledger is tried again."""


@step
async def place(order: dict[str, Any]) -> list[int]:
    """Write the order; the numbers of its lines."""
    new = NewOrder.model_validate(order)
    key = f"order:{new.order_id}:place"
    command = PlaceOrder(key=key, actor=new.customer_id, subject=new.customer_id, order=new)
    placed = await (await services()).commerce.place(command)
    if isinstance(placed, Denial):
        raise NotDoneError(f"{placed.rule}: {placed.sentence}")
    return [line["number"] for line in placed["lines"]]


@step
async def reserve_line(order_id: str, line: int) -> None:
    """Hold the stock of a line."""
    await (await services()).orders.reserve_line(order_id, line)


@step
async def assess(order_id: str) -> None:
    """All lines are held; nobody need say yes."""
    shop = await services()

    def assessed(session: Session) -> None:
        order = locked(session, order_id)
        leave_out(session, order, [])
        risk = risk_of(session, order)
        if case_for_order(order.total + risk.unapproved, risk.score):
            raise NotDoneError("somebody must say yes")
        move_on(session, order, "approved", "process", shop.database.clock())

    await shop.database.write(assessed)


@step
async def charge(order_id: str) -> list[str]:
    """Take the money; the parcels that are to leave."""
    taken = await (await services()).payments.capture(order_id)
    if taken.outcome != "captured":
        raise NotDoneError(f"the payment was {taken.outcome}")
    return taken.parcels


@step
async def ship(order_id: str, parcel_id: str) -> None:
    """Give a parcel to the carrier."""
    sent = await (await services()).fulfilment.book(parcel_id, order_id)
    if sent.outcome not in LEFT:
        raise NotDoneError(f"the parcel is {sent.outcome}")


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
