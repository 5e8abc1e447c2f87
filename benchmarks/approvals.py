"""What the first page of `desk approvals list` costs while 10,000 requests wait, beside a bare search for that page.

The server is a real `langgraph dev`. One order waits there for its approval; then the server is stopped, the file in
which it keeps its threads is given that thread 10,000 times, each with a request of its own, and it is started again.
"""

import asyncio
import os
import pickle
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from copy import deepcopy
from datetime import datetime, timedelta
from pathlib import Path
from statistics import median
from typing import Any, Final
from uuid import uuid4

from langgraph_sdk import get_client
from langgraph_sdk.client import LangGraphClient

from agent.client.inbox import listed
from agent.client.runs import is_approval
from agent.platform import order_thread
from benchmarks.figures import Figure, report
from tests.support.live_server import LiveServer

WAITING: Final = 10_000
PAGE: Final = 50
TIMES: Final = 40
ROLE: Final = "order_manager"
_THREADS: Final = ".langgraph_api/.langgraph_ops.pckl"
_TO_READ_THEM: Final = {
    "DATABASE_URI": ":memory:",
    "REDIS_URI": "fake",
    "LANGGRAPH_RUNTIME_EDITION": "inmem",
    "MIGRATIONS_PATH": "__inmem",
}
"""What the platform's own classes want to see before they can be imported."""

Page = Callable[[], Awaitable[Any]]


async def figures() -> AsyncIterator[Figure]:
    """The page of everybody, and that of one role."""
    with tempfile.TemporaryDirectory() as folder:
        server = LiveServer(Path(folder))
        try:
            await _one_waits(server.start())
            server.stop()
            command = [sys.executable, "-m", "benchmarks.approvals", str(Path(folder) / _THREADS)]
            await asyncio.to_thread(subprocess.run, command, env={**os.environ, **_TO_READ_THEM}, check=True)
            server.start()
            async with get_client(url=server.url, api_key=server.tokens[ROLE]) as client:
                assert await client.threads.count(status="interrupted") == WAITING  # noqa: S101
                yield await _page(client, None, {}, bar=1.5)
                # two searches: what was escalated to the role must not be hidden by its own
                yield await _page(client, ROLE, {"metadata": {"awaiting": ROLE}}, bar=2.5)
        finally:
            server.stop()


async def _page(client: LangGraphClient, role: str | None, where: dict[str, Any], bar: float) -> Figure:
    async def ours() -> list[Any]:
        return (await listed(client, role, PAGE))[0]

    async def bare() -> list[Any]:
        order: dict[str, Any] = {"sort_by": "created_at", "sort_order": "asc"}
        return await client.threads.search(status="interrupted", limit=PAGE, **order, **where)

    async def all_of_them() -> list[Any]:
        """As a client would have to, to sort by what is due."""
        found: list[Any] = []
        while page := await client.threads.search(status="interrupted", limit=100, offset=len(found), **where):
            found += page
        return found

    assert len(await ours()) == len(await bare()) == PAGE  # noqa: S101
    took: dict[Page, list[float]] = {ours: [], bare: []}
    for _ in range(TIMES):
        for page, times in took.items():
            times.append(await _seconds(page))
    ratio = median(took[ours]) / median(took[bare])
    return Figure(
        figure=f"approvals_list_first_page{'_of_a_role' if role else ''}",
        value=round(ratio, 2),
        unit=f"times a bare threads.search for the same {PAGE}, {WAITING} waiting",
        bar=f"<= {bar}",
        holds=ratio <= bar,
        peers={"bare threads.search": 1.0, "every page": round(await _seconds(all_of_them) / median(took[bare]), 1)},
        note=f"medians of {TIMES}, in turn: {_ms(took[ours])} ms, bare {_ms(took[bare])} ms; without a process's start",
    )


async def _seconds(page: Page) -> float:
    began = time.perf_counter()
    await page()
    return time.perf_counter() - began


def _ms(seconds: list[float]) -> str:
    return f"{median(seconds) * 1000:.1f}"


async def _one_waits(server: LiveServer) -> None:
    """An order that an order_manager must say yes to."""
    order: dict[str, Any] = {
        "order_id": "B-1",
        "customer_id": "ada_park",
        "payment_method_id": "ada_card",
        "lines": [{"sku": "TABLE-ASH", "quantity": 2}],
    }
    async with get_client(url=server.url, api_key=server.tokens["channel"]) as client:
        thread = order_thread("B-1", "channel:channel-1")
        await client.runs.wait(thread, "order_processing", input={"order": order}, if_not_exists="create")
        assert (await client.threads.get(thread))["status"] == "interrupted"  # noqa: S101


def multiply(file: Path) -> None:
    """Have WAITING threads wait as the one in the server's file does, begun a second after each other.

    20 of them were escalated to `ROLE` from another's step.
    """
    kept = pickle.loads(file.read_bytes())  # noqa: S301  (the server's own file, just written)
    [one] = [thread for thread in kept["threads"] if thread["status"] == "interrupted"]
    kept["threads"] = [_another(one, number) for number in range(WAITING)]
    file.write_bytes(pickle.dumps(kept))


def _another(one: dict[str, Any], number: int) -> dict[str, Any]:
    thread = deepcopy(one)
    thread["thread_id"] = uuid4()
    for when in ("created_at", "updated_at", "state_updated_at"):
        thread[when] += timedelta(seconds=number)
    roles = [ROLE] if number % (WAITING // 20) else ["general_agent", ROLE]
    [[interrupt]] = thread["interrupts"].values()
    assert is_approval(interrupt["value"])  # noqa: S101
    due = datetime.fromisoformat(interrupt["value"]["due"]) + timedelta(seconds=number)
    interrupt["value"] |= {"request_id": f"apr-{number}", "due": due.isoformat(), "roles": roles}
    thread["values"]["approval"] = interrupt["value"]
    noted = {"awaiting": roles[0], "escalated_to": roles[1] if roles[1:] else None, "request_id": f"apr-{number}"}
    thread["metadata"] |= noted
    return thread


if __name__ == "__main__":
    if sys.argv[1:]:
        multiply(Path(sys.argv[1]))
    else:
        sys.exit(0 if asyncio.run(report(figures())) else 1)
