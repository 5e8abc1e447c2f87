"""What an order costs while the payment provider is dead, and what becomes of it: 200 orders through the real graph.

The provider is a process that takes every connection and never answers; the ledger is on disk. Orders come one after
another, since several at once would be measured waiting for each other's turn on the processor.
"""

import asyncio
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median, quantiles
from typing import Any, Final

import httpx
import structlog
from sqlalchemy import select

from agent import services as composition
from agent.approvals.chains import LARGE_ORDER
from agent.identity import Caller
from agent.ledger.tables import VariantRow
from agent.order_processing.graph import graph
from agent.platform import order_thread
from agent.services import Services
from agent.settings import Settings
from benchmarks.figures import Figure, report
from tests.support.live_server import ROOT, Process, free_port, wait_for
from tests.support.threads import SERVICE, Thread

ORDERS: Final = 200
SECONDS: Final = 2.0
CUSTOMER: Final = Caller("ada_park", "customer")
_DEAD: Final = {"hang_before": 1.0}


async def figures() -> AsyncIterator[Figure]:
    """The charge step while the breaker is open, and what became of all orders."""
    structlog.configure(logger_factory=structlog.ReturnLoggerFactory())  # figures alone are printed
    with tempfile.TemporaryDirectory() as folder, _network(Path(folder)) as url:
        config = Settings(data_dir=Path(folder), payment_url=url, payment_timeout_seconds=SECONDS)
        shop = await composition.build(config)
        composition.replace(shop)
        async with httpx.AsyncClient(base_url=url) as network:
            (await network.put("/faults", json=_DEAD)).raise_for_status()
            baskets = await _baskets(shop)
            numbers = iter(range(ORDERS))
            while shop.breakers["payment"].snapshot().state == "closed":
                await _place(next(numbers), baskets)
            opened_by = next(numbers)
            steps = [await _place(number, baskets) for number in range(opened_by, ORDERS)]
            stages = await _stages(shop)
            yield _charge_step(steps, stages, opened_by)

            (await network.delete("/faults")).raise_for_status()
            shop.breakers["payment"].reset()
            shop.breakers["carrier"].reset()
            for number in range(ORDERS):
                await _thread(number).run({"order": {"order_id": f"B-{number}"}}, SERVICE)
            charges = (await network.get("/charges")).json()["charges"]
            yield _after(await _stages(shop), [charge for charge in charges if charge["key"].startswith("B-")])
        composition.replace(None)
        await shop.close()


def _charge_step(steps: list[float], stages: Counter[str], opened_by: int) -> Figure:
    """An order that comes just when a probe may go is the probe, and waits for the provider: those are told apart."""
    probes = [step for step in steps if step >= SECONDS]
    refused = [step * 1000 for step in steps if step < SECONDS]
    p99 = quantiles(refused, n=100)[98]
    return Figure(
        figure="dead_provider_charge_step_p99",
        value=round(p99, 2),
        unit=f"ms from the node's start to its end, of {len(refused)} orders that the open breaker refused",
        bar="<= 20 ms, and every order parked",
        holds=p99 <= 20 and stages == {"parked": ORDERS},
        note=f"median {median(refused):.2f} ms; {opened_by} orders opened it, {len(probes)} were probes, at "
        f"{SECONDS:g} s a call; then {dict(stages)}",
    )


def _after(stages: Counter[str], charges: list[dict[str, Any]]) -> Figure:
    captured = Counter(charge["key"].partition(":")[0] for charge in charges if charge["status"] == "captured")
    return Figure(
        figure="dead_provider_orders_completed_after",
        value=stages["completed"],
        unit=f"orders of {ORDERS}, driven on once it is back",
        bar=f"{ORDERS}, each charged once",
        holds=stages == {"completed": ORDERS} and set(captured.values()) == {1} and len(captured) == ORDERS,
        note=f"{dict(stages)}; {sum(captured.values())} charges by the provider's books",
    )


@contextmanager
def _network(folder: Path) -> Iterator[str]:
    """The sandbox as a process of its own, which can go silent."""
    port = free_port()
    command = [
        sys.executable, "-m", "tests.support.faulty_network", "--port", str(port), "--data", str(folder / "network.db"),
    ]  # fmt: skip
    process = Process(command, folder / "network.log", ROOT, {"PATH": "", "PYTHONPATH": str(ROOT / "src")})
    url = f"http://127.0.0.1:{port}"
    try:
        wait_for(lambda: _answers(url), 30, lambda: f"the card network does not start: see {process.log}")
        yield url
    finally:
        process.end(signal.SIGKILL)


def _answers(url: str) -> bool:
    try:
        return httpx.get(f"{url}/faults", trust_env=False).is_success
    except httpx.TransportError:
        return False


async def _baskets(shop: Services) -> list[str]:
    """An SKU for each order, of which there is enough, and which needs nobody's yes."""
    cheap = select(VariantRow.sku, VariantRow.on_hand - VariantRow.reserved).where(VariantRow.price < LARGE_ORDER)
    with shop.database.reading() as session:
        pieces = [sku for sku, free in session.execute(cheap) for _ in range(free)]
    return pieces[:: len(pieces) // ORDERS]


async def _place(number: int, baskets: list[str]) -> float:
    """Place an order; how long its charge step took, in seconds."""
    order = {
        "order_id": f"B-{number}",
        "customer_id": CUSTOMER.identity,
        "payment_method_id": "ada_card",
        "lines": [{"sku": baskets[number], "quantity": 1}],
    }
    thread, began, took = _thread(number), 0.0, 0.0
    async for task in thread.graph.astream({"order": order}, thread.config(CUSTOMER), stream_mode="tasks"):
        if task["name"] == "charge":
            if "input" in task:
                began = time.perf_counter()
            else:
                took = time.perf_counter() - began
    return took


def _thread(number: int) -> Thread:
    return Thread(graph, order_thread(f"B-{number}", "customer:ada_park"))


async def _stages(shop: Services) -> Counter[str]:
    return Counter([(await shop.queries.get(f"B-{number}"))["stage"] for number in range(ORDERS)])


if __name__ == "__main__":
    sys.exit(0 if asyncio.run(report(figures())) else 1)
