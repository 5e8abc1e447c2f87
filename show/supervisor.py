"""The show's supervisor: it opens the shop, starts the server again when it is dead, and does what the buttons say.

What is on its page lives here, and not at the server: it outlives it.
"""

import asyncio
import shutil
import sqlite3
from collections import Counter
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from time import monotonic
from typing import Any, Final, Literal

import httpx
from langgraph_sdk.errors import LangGraphError

from agent.ledger.database import utc_now
from agent.shop import SHOP
from demo.stage import Stage
from show.audit import Books, audit
from tests.chaos.orders import chaos_shop
from tests.support.live_server import LiveNetwork, until
from traffic.plan import plan
from traffic.play import Players

Button = Literal["stop_network", "start_network", "slow_carrier", "quicken_carrier", "kill_server"]

SECRET: Final = "whsec_bGl2aW5nIHNob3Agd2ViaG9vayBzZWNyZXQ="
"""What the sandbox signs its webhooks with, on this machine and for this show."""

SETTINGS: Final = {
    "RECONCILE_CRON": "* * * * *",
    "PAYMENT_TIMEOUT_SECONDS": "3",
    "PAYMENT_BREAKER_OPEN_SECONDS": "2",
    "DEBT_RETRY_SECONDS": "1",
    "STALE_AFTER_SECONDS": "5",
    "SANDBOX_WEBHOOK_SECRET": SECRET,
}
"""What takes minutes in a shop takes seconds here, so that one need not wait for it."""

HAND_OVER_SECONDS: Final = 8
"""How long a parcel waits to be fetched; until then its order can be cancelled."""
SLOW: Final = {"latency": [2.0, 6.0], "paths": ["/shipments"]}
"""A carrier that answers late, and at times too late (PAYMENT_TIMEOUT_SECONDS)."""
RECONCILE_EVERY: Final = 5.0
QUIET_WITHIN: Final = 90.0
"""Seconds in which all must have come to its end once nobody orders and nothing fails any more."""


class Show:
    """A living shop in a folder of its own: `rate` customers a second, `staff` answers a second."""

    def __init__(self, folder: Path, *, seed: int, rate: float, staff: float) -> None:
        network = LiveNetwork(folder / "network", slow_seconds=2, module="tests.support.faulty_network")
        self.stage = Stage(folder, network=network, SHOP_DIR=str(_stocked(folder / "shop")), **SETTINGS)
        network.options += ["--hand-over-seconds", str(HAND_OVER_SECONDS), "--webhook-secret", SECRET]
        network.options += ["--webhook-url", f"{self.stage.server.url}/webhooks/sandbox"]
        self.players = Players(self.stage.server.url, self.stage.server.tokens, seed)
        self.pressed: Counter[Button] = Counter()
        self.starts = 0
        self._visits = plan(seed, rate)
        self._staff = staff
        self._is_slow = False
        self._answers = False
        self._hands = asyncio.Lock()  # one at a time touches the processes
        self._began = monotonic()

    async def open(self) -> None:
        """Start both processes and wait until they answer."""
        await self.stage.open()
        await self.players.open()
        self.starts, self._answers, self._began = 1, True, monotonic()

    async def live(self, seconds: float) -> None:
        """Let customers in for so long, while staff works, an operator reconciles and what died is started again."""
        async with asyncio.TaskGroup() as group:
            work = [group.create_task(each) for each in (self._supervise(), self._operate())]
            if self._staff:
                work.append(group.create_task(self.players.staff(self._staff)))
            await self.players.customers(self._visits, seconds)
            await self._come_to_rest()
            for task in work:
                task.cancel()

    async def close(self) -> None:
        """End both processes by their own ids, first: a second Ctrl-C may cut what is awaited."""
        await self.stage.close()
        await self.players.close()

    async def press(self, button: Button) -> None:
        """Do what a button says."""
        self.pressed[button] += 1
        async with self._hands:
            match button:
                case "stop_network":
                    await asyncio.to_thread(self.stage.network.stop)
                case "start_network":
                    await self._network_up()
                case "slow_carrier" | "quicken_carrier":
                    self._is_slow = button == "slow_carrier"
                    await self._tell_carrier()
                case "kill_server":
                    await asyncio.to_thread(self.stage.server.kill)

    def books(self) -> Books:
        """What both books say now. Blocks."""
        return audit(self.stage, list(self.players.account.accepted))

    async def state(self) -> dict[str, Any]:
        """What the page shows."""
        books: dict[str, Any] = {}
        with suppress(sqlite3.OperationalError):  # held for a moment: the next look has them
            books = asdict(await asyncio.to_thread(self.books))
        server = self.stage.server
        return {
            "server": "up" if server.alive and self._answers else "starting again",
            "network": "up" if self.stage.network.alive else "stopped",
            "carrier": "slow" if self._is_slow else "quick",
            "kills": self.pressed["kill_server"],
            "seconds": round(monotonic() - self._began),
            "conversations": self.players.account.conversations,
            "decisions": self.players.account.decisions.total(),
            "books": books,
        }

    async def result(self) -> dict[str, Any]:
        """What a program wants to know at the end: counts, broken promises of the ledger, and what the players saw."""
        books = await asyncio.to_thread(self.books)
        broken = [each["check"] for each in (await self.stage.desk("db", "check", "--json"))["violations"]]
        ends = await self.players.ends()
        return {
            **asdict(books),
            "broken_promises": broken,
            "pressed": dict(self.pressed),
            "starts": self.starts,
            "account": self.players.account.document(ends),
        }

    async def _supervise(self) -> None:
        """Start the server again whenever it is dead, whoever killed it."""
        while True:
            async with self._hands:
                if not self.stage.server.alive:
                    self._answers = False
                    self.stage.server.spawn()
                    self.starts += 1
            try:
                self._answers = await asyncio.to_thread(self.stage.server.answers)
            except RuntimeError:  # killed in this moment
                self._answers = False
            await asyncio.sleep(0.5)

    async def _operate(self) -> None:
        """An operator runs the reconciler now and then, so that nobody waits a minute for the cron."""
        while True:
            await asyncio.sleep(RECONCILE_EVERY)
            with suppress(httpx.HTTPError, LangGraphError, RuntimeError):  # it is tried again soon
                await self.stage.reconcile()

    async def _come_to_rest(self) -> None:
        """Nothing fails any more; wait until every order and payment is at its end, or waits for people."""
        async with self._hands:
            self._is_slow = False
            await self._network_up()
            await self._tell_carrier()

        async def rests() -> bool:
            with suppress(sqlite3.OperationalError):
                books = await asyncio.to_thread(self.books)
                return self._answers and not (books.on_the_way or books.unsettled)
            return False

        with suppress(RuntimeError):  # what is not at rest then stands in the result
            await until(rests, "the shop does not come to rest", QUIET_WITHIN)

    async def _network_up(self) -> None:
        if not self.stage.network.alive:
            self.stage.network.spawn()
            await self.stage.network_is_up()
            await self._tell_carrier()

    async def _tell_carrier(self) -> None:
        """How slow the carrier is: it shares a process with the card network, and forgets when that is stopped."""
        if self.stage.network.alive:
            async with httpx.AsyncClient(base_url=self.stage.network.url, trust_env=False) as client:
                (await client.put("/faults", json=SLOW if self._is_slow else {})).raise_for_status()


def _stocked(folder: Path) -> Path:
    """The shop's folder with more on its shelves: some hundred orders would empty them."""
    shutil.copytree(SHOP.folder, folder)
    (folder / "catalogue.json").write_text(chaos_shop(utc_now()).model_dump_json())
    return folder
