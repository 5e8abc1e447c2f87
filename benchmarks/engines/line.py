"""What an engine is asked for, and how its process hears it: the same for all of them."""

import argparse
import asyncio
import sys
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Final, Literal, Protocol, get_args

from benchmarks.contenders.given import CENTS, Place, new_orders
from benchmarks.contenders.wire import Json, serve, timed

WorkName = Literal["commands", "cheap", "keyed", "unkeyed"]
"""The shop's commands, with a yes or for orders that need none; the small shop, with the order's keys or without."""
LINES: Final = 2
PRICE: Final = 50_100
"""Cents of a piece: an order of two lines needs the order manager's yes, and nobody's besides."""


def yes_to(asked: Json) -> Json:
    """The answer of a person who was shown this: with the card's token, where it is one of ours."""
    return {"decisions": [{"type": "approve"}]} | {key: asked[key] for key in ("token",) if key in asked}


class Work(Protocol):
    """The steps of an order; each may be run again when its process was killed in it."""

    async def place(self, order: Json) -> list[int]:
        """Accept it; its lines."""

    async def reserve_line(self, order_id: str, line: int) -> None:
        """Hold the stock of a line."""

    async def assess(self, order_id: str) -> Json | None:
        """What people are asked; None: nothing."""

    async def decide(self, order_id: str, asked: Json, said: Json) -> None:
        """Take what they said."""

    async def charge(self, order_id: str) -> list[str]:
        """Take the money; the parcels."""

    async def ship(self, order_id: str, parcel_id: str) -> None:
        """Give a parcel to the carrier."""

    async def complete(self, order_id: str) -> str:
        """The last word: `completed`."""


class EngineLine(Protocol):
    """An order line on an engine."""

    async def submit(self, order: Json) -> None:
        """Accept an order. When this returns the order is the engine's to bring to its end."""

    async def approve(self, order_id: str) -> None:
        """A person looks at what the order asks, and says yes, if it waits for that."""

    async def end_of(self, order_id: str) -> str:
        """How the order ended, once it has; `waiting` when it waits for people."""


@dataclass(frozen=True)
class Opened:
    """What an engine's process was started with: the work, where things are kept, other options, and new orders."""

    work: Work
    place: Place
    options: argparse.Namespace
    new_orders: Callable[[str, int], list[Json]]


async def opened(stack: AsyncExitStack) -> Opened:
    """What the command line says; the work is open until the stack closes."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--work", choices=get_args(WorkName), required=True)
    parser.add_argument("--restate-url", default="")
    parser.add_argument("--restate-admin-url", default="")
    parser.add_argument("--restate-port", type=int, default=0)
    options, sys.argv[1:] = parser.parse_known_args()
    place = Place.of_arguments()
    if options.work in ("commands", "cheap"):
        from benchmarks.contenders import shop  # noqa: PLC0415  (an engine alone needs nothing of ours)
        from benchmarks.contenders.commands import Commands  # noqa: PLC0415

        demo = await stack.enter_async_context(shop.opened(place, PRICE if options.work == "commands" else CENTS))
        return Opened(Commands(), place, options, lambda name, count: demo.orders(name, count, LINES))
    from benchmarks.engines.small_shop import SmallShop  # noqa: PLC0415

    small = SmallShop(place, keyed=options.work == "keyed")
    stack.push_async_callback(small.close)
    return Opened(small, place, options, lambda name, count: new_orders(name, count, LINES, ["A"], ["B"]))


async def serve_line(line: EngineLine, shop: Opened) -> None:
    """Answer what the benchmark asks, until nothing more is asked."""

    async def whole(order: Json) -> str:
        await line.submit(order)
        if shop.options.work != "cheap":
            await line.approve(order["order_id"])
        return await line.end_of(order["order_id"])

    async def orders(name: str, count: int, at_once: int) -> Json:
        return await timed(shop.new_orders(name, count), at_once, whole)

    async def submit(name: str, count: int) -> Json:
        await asyncio.gather(*(line.submit(order) for order in shop.new_orders(name, count)))
        return {}

    async def approve(order_ids: list[str]) -> Json:
        await asyncio.gather(*(line.approve(order_id) for order_id in order_ids))
        return {}

    async def ends(order_ids: list[str], seconds: float) -> Json:
        async def end(order_id: str) -> str:
            try:
                return await asyncio.wait_for(line.end_of(order_id), seconds)
            except TimeoutError:
                return "never ended"

        return dict(zip(order_ids, await asyncio.gather(*map(end, order_ids)), strict=True))

    await serve({act.__name__: act for act in (orders, submit, approve, ends)})
