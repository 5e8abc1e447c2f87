"""The contender that is LangGraph alone: a graph of the shape of our order line, which has no effects.

The same nodes in the same supersteps, with a branch a line and a branch a parcel, a state of the same keys, and the
same checkpointer; no ledger, no provider, no guard.
"""

import asyncio
from typing import Annotated, Any, Literal

from langgraph.graph import START, StateGraph
from langgraph.types import Command, Send
from typing_extensions import TypedDict

from benchmarks.contenders.given import Place, new_orders
from benchmarks.contenders.savers import saver
from benchmarks.contenders.wire import Json, serve, timed


def merge(old: dict[str, str], new: dict[str, str]) -> dict[str, str]:
    """Join what parallel branches found."""
    return {**old, **new}


class State(TypedDict, total=False):
    """What moves between the nodes of an order that nothing happens to."""

    order: dict[str, Any]
    version: int
    order_id: str
    customer_id: str
    order_amount: int
    payment_status: str | None
    processing_stage: str
    lines: list[int]
    parcels: list[str]
    results: Annotated[dict[str, str], merge]


class Line(TypedDict):
    """What a branch a line is sent."""

    order_id: str
    line: int


class Parcel(TypedDict):
    """What a branch a parcel is sent."""

    order_id: str
    customer_id: str
    parcel: str


async def route(state: State) -> Command[Literal["validate"]]:  # noqa: ARG001
    """To the next."""
    return Command(goto="validate")


async def validate(state: State) -> Command[Literal["reserve_line"]]:
    """A branch a line."""
    order = state["order"]
    lines = list(range(1, len(order["lines"]) + 1))
    shown = {
        "version": 2, "order_id": order["order_id"], "customer_id": order["customer_id"], "order_amount": 1800,
        "processing_stage": "placed", "lines": lines, "parcels": [], "results": {},
    }  # fmt: skip
    return Command(
        goto=[Send("reserve_line", Line(order_id=order["order_id"], line=line)) for line in lines], update=shown
    )


async def reserve_line(state: Line) -> dict[str, Any]:
    """A line's outcome."""
    return {"results": {str(state["line"]): "reserved"}}


async def assess(state: State) -> Command[Literal["charge"]]:  # noqa: ARG001
    """Join the lines."""
    return Command(goto="charge", update={"processing_stage": "approved"})


async def charge(state: State) -> Command[Literal["ship"]]:
    """Two parcels."""
    parcels = [f"{state['order_id']}/{room}" for room in ("east", "west")]
    tasks = [
        Send("ship", Parcel(order_id=state["order_id"], customer_id=state["customer_id"], parcel=parcel))
        for parcel in parcels
    ]
    return Command(goto=tasks, update={"processing_stage": "paid", "payment_status": "captured", "parcels": parcels})


async def ship(state: Parcel) -> dict[str, Any]:
    """A parcel's outcome."""
    return {"results": {state["parcel"]: "handed over"}}


async def complete(state: State) -> Command[Literal["close"]]:  # noqa: ARG001
    """Join the parcels."""
    return Command(goto="close")


async def close(state: State) -> Command[Literal["__end__"]]:  # noqa: ARG001
    """The last word."""
    return Command(goto="__end__", update={"processing_stage": "completed"})


graph = (
    StateGraph(State)
    .add_node(route)
    .add_node(validate)
    .add_node(reserve_line)
    .add_node(assess)
    .add_node(charge)
    .add_node(ship)
    .add_node(complete)
    .add_node(close)
    .add_edge(START, "route")
    .add_edge("reserve_line", "assess")
    .add_edge("ship", "complete")
    .compile(name="bare")
)


async def main() -> None:
    """Serve until nothing more is asked."""
    place = Place.of_arguments()
    async with saver(place.folder, place.checkpoints_url) as checkpointer:
        line = graph.copy(update={"checkpointer": checkpointer})

        async def process(order: dict[str, Any]) -> str:
            config: Any = {"configurable": {"thread_id": order["order_id"]}}
            return str((await line.ainvoke({"order": order}, config))["processing_stage"])

        async def orders(name: str, count: int, at_once: int, lines: int) -> Json:
            return await timed(new_orders(name, count, lines, ["LAMP-OAK"], ["CLOCK-OAK"]), at_once, process)

        await serve({"orders": orders})


if __name__ == "__main__":
    asyncio.run(main())
