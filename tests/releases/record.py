"""Keeps what this version leaves behind in a shop that is at work, as test data for the versions after it.

Whoever cuts a release runs `python -m tests.releases.record tests/releases/VERSION`, once, and never again for that
version: `tests/unit_tests/test_releases.py` then holds each later version to taking all of it on.
"""

import argparse
import asyncio
import sqlite3
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import httpx
from pydantic import SecretStr

from agent import services as composition
from agent.commerce.commands import ChangeShipTo
from agent.commerce.types import Address
from agent.services import Services
from agent.settings import Settings
from tests.releases.threads import Recorded, as_text, recorded
from tests.support import steps
from tests.support.clock import Clock
from tests.support.commands import cancel_order, done
from tests.support.conversations import conversation, waiting_refund
from tests.support.orders import (
    ADA,
    LARGE,
    SMALL,
    VERY_LARGE,
    order,
    place,
    redrive_order,
    thread_of,
)
from tests.support.scenes import wire
from tests.support.threads import APPROVE, Thread, staff

TRAIL_KEY: Final = SecretStr("approvals of recorded releases are sealed with this")


class Ticking(Clock):
    """Time that goes on a second whenever somebody looks: no two orders are of the same moment."""

    def __call__(self) -> datetime:
        self.advance(seconds=1)
        return self.now


def record(folder: Path) -> None:
    """Write `ledger.sql`, `card_network.sql` and `threads.json` into a new folder."""
    folder.mkdir()
    with TemporaryDirectory() as home:
        data = Path(home)
        (folder / "threads.json").write_text(as_text(asyncio.run(work(data))))
        keep(data / "ledger.db", folder / "ledger.sql")
        keep(data / "sandbox.db", folder / "card_network.sql")


async def work(data: Path) -> list[Recorded]:
    """A demo shop at work in a folder, which ends with much begun; its threads."""
    config = Settings.model_construct(data_dir=data, trail_key=TRAIL_KEY)  # reads no environment
    shop = await composition.build(config, Ticking())
    composition.replace(shop)
    threads = [*await orders(shop), *await conversations()]
    await cancel_order(shop, "W-1002", key="owed")  # nobody asks the card network: it stays a debt
    found = [await recorded(thread) for thread in threads]
    composition.replace(None)
    await shop.close()
    return found


async def orders(shop: Services) -> list[Thread]:
    """Ada's orders, one in each place where the program can be stopped, named after it."""
    half_decided, _ = await place(VERY_LARGE, order_id="N-awaiting-the-second")
    await half_decided.answer(APPROVE, staff("order_manager"))
    reserved = await cut_at("placed", "N-reserved")
    for line in (await reserved.values())["lines"]:
        await shop.orders.reserve_line("N-reserved", line)
    await steps.move(shop, "N-reserved", "reserved")
    completed, _ = await place(SMALL, order_id="N-completed")
    declined, _ = await place(SMALL, order_id="N-declined", method="ada_declines")
    cancelled = await cut_at("placed", "N-cancelled")
    await cancel_order(shop, "N-cancelled", key="cancel-early")
    await redrive_order(cancelled, "N-cancelled")
    cancelling = await answer_lost(shop, "N-cancelling")
    await cancel_order(shop, "N-cancelling", key="cancel")
    return [
        await cut_at("placed", "N-placed"),
        reserved,
        await changed_while_people_look(shop, "N-changed"),
        (await place(LARGE, order_id="N-awaiting"))[0],
        half_decided,
        await cut_at("approved", "N-approved"),
        await provider_away(shop, "N-parked-deferred"),
        await answer_lost(shop, "N-parked-unknown"),
        await cut_at("paid", "N-paid"),
        completed,
        declined,
        cancelling,
        cancelled,
    ]


async def cut_at(stage: str, order_id: str) -> Thread:
    """The program ends after the step that brings the order to this stage."""
    thread = thread_of(order_id)
    given: Any = order(SMALL, order_id=order_id)
    while (await thread.values()).get("processing_stage") != stage:
        await thread.graph.ainvoke(given, thread.config(ADA), interrupt_after="*")
        given = None
    return thread


async def changed_while_people_look(shop: Services, order_id: str) -> Thread:
    """The thread waits at a request that is void, since the order goes elsewhere now."""
    thread, _ = await place(LARGE, order_id=order_id)
    elsewhere = Address(line1="1 Main Street", city="Salem", postcode="97301", country="US")
    move = ChangeShipTo(key="move", actor="ada_park", subject="ada_park", order_id=order_id, ship_to=elsewhere)
    await done(shop, move)
    return thread


async def provider_away(shop: Services, order_id: str) -> Thread:
    """Parked before anything was sent."""
    shop.breakers["payment"].force_open()
    thread, _ = await place(SMALL, order_id=order_id)
    shop.breakers["payment"].reset()
    return thread


async def answer_lost(shop: Services, order_id: str) -> Thread:
    """Parked after the capture was made, of which nobody heard."""

    async def lose(response: httpx.Response) -> None:
        shop.breakers["payment"].force_open()
        raise httpx.ReadError("the connection broke", request=response.request)

    with wire(shop.providers.clients[0], response=lose):
        thread, _ = await place(SMALL, order_id=order_id)
    shop.breakers["payment"].reset()
    return thread


async def conversations() -> list[Thread]:
    """Refunds that wait for the first and for the second of two people."""
    first = await waiting_refund(60_00, conversation("chat-first"))
    second = await waiting_refund(70_00, conversation("chat-second"))
    await second.answer(APPROVE, staff("billing_agent"))
    return [first, second]


def keep(database: Path, file: Path) -> None:
    """A SQLite database as text."""
    connection = sqlite3.connect(database)
    file.write_text("\n".join(connection.iterdump()) + "\n")
    connection.close()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="tests.releases.record", description=__doc__)
    parser.add_argument("folder", type=Path, help="tests/releases/VERSION, which must not be there yet")
    record(parser.parse_args().folder)
