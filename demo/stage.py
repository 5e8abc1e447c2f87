"""The stage: a server and a card network as processes of their own, and those who use them through the public API.

Everything goes over langgraph-sdk and /ops, as a storefront, the staff and an operator would go; only the books are
read from the ledger's own file, as an auditor would. What they do there is in `good_day` and `bad_day`.
"""

import asyncio
import json
import sqlite3
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final, cast
from urllib.parse import quote

from langgraph_sdk import get_client
from langgraph_sdk.client import LangGraphClient

from agent.approvals.models import ApprovalView
from agent.client.runs import follow
from tests.support.live_server import START_LIMIT, LiveNetwork, LiveServer, until

_SETTINGS: Final[dict[str, Any]] = {
    "PAYMENT_BREAKER_OPEN_SECONDS": "1",
    "RECONCILE_CRON": "",  # an operator runs the reconciler by hand
    "STALE_AFTER_SECONDS": "1",
    "LOG_JSON": "true",  # so that its events can be read
}


@dataclass(frozen=True)
class Stop:
    """Where a run stopped: the thread's values, the approval that it waits for, and the progress told on the way."""

    values: dict[str, Any]
    waiting: ApprovalView | None
    progress: list[str]


class Stage:
    """The processes, and a client for each role."""

    def __init__(self, folder: Path, *, network: LiveNetwork | None = None, **settings: Any) -> None:
        self.network = network or LiveNetwork(folder / "network", slow_seconds=6)
        self.server = LiveServer(folder / "server", PAYMENT_URL=self.network.url, **(_SETTINGS | settings))
        self._ledger = folder / "server" / "data" / "ledger.db"
        self._clients: dict[str, LangGraphClient] = {}
        self.opening_stock: dict[str, int] = {}

    async def open(self) -> None:
        """Start both, and wait until they answer."""
        self.network.spawn()
        self.server.spawn()
        await self.network_is_up()
        await self.server_is_up()
        self.opening_stock = dict(self.ledger_rows("SELECT sku, on_hand FROM variants"))

    async def network_is_up(self) -> None:
        """Wait until the card network answers."""
        await until(lambda: asyncio.to_thread(self.network.answers), "the card network does not answer")

    async def server_is_up(self) -> None:
        """Wait until the server answers."""
        await until(lambda: asyncio.to_thread(self.server.answers), "the server does not answer", START_LIMIT)

    async def close(self) -> None:
        """End both processes, before anything is awaited: a second Ctrl-C can't come between."""
        self.server.kill()
        self.network.stop()
        for client in self._clients.values():
            await client.aclose()

    def client(self, role: str) -> LangGraphClient:
        """The platform's SDK as this role."""
        if role not in self._clients:
            self._clients[role] = get_client(url=self.server.url, api_key=self.server.tokens[role])
        return self._clients[role]

    async def run(self, role: str, thread_id: str, graph: str, **what: Any) -> Stop:
        """Start a run as this role and follow it, as `desk` does, to where it stops. Raises `DeskError` if it fails."""
        progress: list[str] = []
        outcome = await follow(
            self.client(role), thread_id, graph, progress.append, look="see the log of the demo's server", **what
        )
        return Stop(outcome.values, outcome.waiting, progress)

    async def order(self, order_id: str) -> dict[str, Any]:
        """An order as the ledger has it, through /ops."""
        return cast(dict[str, Any], await self.client("channel").http.get(f"/ops/orders/{quote(order_id, safe='')}"))

    async def reconcile(self) -> dict[str, str]:
        """An operator runs the reconciler; returns what it did with each order."""
        answer = await self.client("operator").runs.wait(None, "reconciler", input={})
        report = cast(dict[str, Any], answer)["report"]
        if "orders" not in report:
            raise RuntimeError(f"the reconciler failed: {report}")
        return cast(dict[str, str], report["orders"])

    async def provider_ledger(self) -> Any:
        """The card network's own account of what it did."""
        return await asyncio.to_thread(self.network.ledger)

    async def charges(self, order_id: str) -> list[dict[str, Any]]:
        """What the card network was asked to take for an order, by its own account."""
        ledger = await self.provider_ledger()
        return [charge for charge in ledger["charges"] if charge["key"].startswith(f"{order_id}:")]

    async def charged(self, order_id: str) -> str:
        """How often the card network took an order's money: `never`, `once`, `2 times`."""
        times = sum(charge["status"] == "captured" for charge in await self.charges(order_id))
        return {0: "never", 1: "once"}.get(times, f"{times} times")

    async def paid_back(self, order_id: str) -> int:
        """What the card network gave back of an order's charges, in minor units."""
        charges = {charge["id"] for charge in await self.charges(order_id)}
        refunds = (await self.provider_ledger())["refunds"]
        return sum(refund["amount"] for refund in refunds if refund["charge_id"] in charges)

    def events(self, name: str) -> list[dict[str, Any]]:
        """The events of this name that the server has logged."""
        lines = (self.server.folder / "server.log").read_text(errors="replace").splitlines()
        return [json.loads(line) for line in lines if f'"event":"{name}"' in line]

    def log_end(self) -> str:
        """The last that the server logged, under a title."""
        lines = map(_readable, self.server.log_end(20).splitlines())
        return "\n".join(["", "The end of the server's log:", *lines, ""])

    async def desk(self, *words: str) -> Any:
        """What a local verb of `desk` prints of this shop, as JSON."""
        desk = str(Path(sys.executable).parent / "desk")
        called = await asyncio.create_subprocess_exec(
            desk, *words, env=self.server.env, cwd=self.server.folder, stdout=asyncio.subprocess.PIPE
        )
        printed, _ = await called.communicate()
        return json.loads(printed)

    def ledger_rows(self, query: str, *values: object) -> list[tuple[Any, ...]]:
        """Rows of the shop's own ledger, read from its file."""
        with closing(sqlite3.connect(f"file:{self._ledger}?mode=ro", uri=True)) as ledger:
            return ledger.execute(query, values).fetchall()


def _readable(line: str) -> str:
    """A line of the log without what is the same in all of them; what is no JSON stays as it is."""
    try:
        entry = json.loads(line)
    except ValueError:
        return line
    return " ".join(str(entry[key]) for key in ("timestamp", "level", "event", "exception") if key in entry)


@asynccontextmanager
async def stage() -> AsyncIterator[Stage]:
    """A stage in a temporary folder. Whatever happens, no process and no file of it is left behind.

    On a failure the end of the server's log is printed on stderr.
    """
    with TemporaryDirectory(prefix="order-desk-demo-") as folder:
        made = Stage(Path(folder))
        try:
            yield made
        except Exception:
            sys.stderr.write(made.log_end())
            raise
        finally:
            await made.close()
