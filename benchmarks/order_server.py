"""What an order costs on `langgraph dev`, and what our project adds to its start."""

import asyncio
import json
import os
import signal
import time
from collections.abc import Callable, Iterator
from functools import partial
from itertools import islice
from pathlib import Path
from statistics import median
from typing import Any, Final
from uuid import NAMESPACE_URL, uuid5

import httpx
from langgraph_sdk import get_client
from langgraph_sdk.errors import NotFoundError

from benchmarks.builds import OLD, Build, progress
from benchmarks.contenders.given import stocked
from benchmarks.figures import Figure
from benchmarks.rivals import OURS, Run, multiple, spread
from tests.support.live_server import LiveServer, Process, free_port
from traffic.plan import GOOD_CARDS, plan

ORDERS: Final = 50
FIRST: Final = 999
"""The seed of what is ordered before it is measured."""
_GRAPH: Final = """
from langgraph.graph import START, StateGraph
from typing_extensions import TypedDict

class State(TypedDict):
    said: str

async def answer(state: State) -> State:
    return {"said": "yes"}

graph = StateGraph(State).add_node(answer).add_edge(START, "answer").compile()
"""


def dev(run: Run) -> Iterator[Figure]:
    """50 orders of the synthetic customers at once on a server, in turn with the same on the build before."""
    servers = {name: _server(run.folder / "dev" / name, build) for name, (_, build) in run.builds().items()}
    rate: dict[str, list[float]] = {name: [] for name in servers}
    cpu: dict[str, list[float]] = {name: [] for name in servers}
    try:
        for server in servers.values():
            server.start()
        for server in servers.values():
            _stock(server)
        for number in range(run.rounds):
            for name in list(servers) if number % 2 else reversed(servers):
                placed = _orders(number, ORDERS)
                before, began = servers[name].cpu_seconds(), time.perf_counter()
                stages = asyncio.run(_place(servers[name], placed))
                took = time.perf_counter() - began
                if stages != ["completed"] * ORDERS:
                    raise RuntimeError(f"{name}: not all orders were completed: {stages}")
                progress(f"dev {number + 1}/{run.rounds} {name}: {ORDERS / took:.1f} orders/s")
                rate[name].append(ORDERS / took)
                cpu[name].append((servers[name].cpu_seconds() - before) / ORDERS * 1000)
    finally:
        for server in servers.values():
            server.stop()
    also = f"; ms of the server's processor an order: ours {spread(cpu[OURS])}, {OLD} {spread(cpu[OLD])}"
    yield multiple(f"langgraph_dev_{ORDERS}_at_once_against_{OLD}", "orders/s", rate, OLD, at_least=2.5, note=also)


def start(run: Run) -> Iterator[Figure]:
    """Seconds until `langgraph dev` answers: our project, the build before, and a project of one trivial graph."""
    took: dict[str, list[float]] = {"one trivial graph": [], **{name: [] for name in run.builds()}}
    builds = {name: build for name, (_, build) in run.builds().items()}
    for number in range(run.rounds + 1):
        for name, times in took.items():
            folder = run.folder / "start" / name.replace(" ", "-")
            seconds = _start(folder, builds.get(name, run.ours), trivial=name not in builds)
            progress(f"start {number}/{run.rounds} {name}: {seconds:.2f} s")
            if number:  # the first compiles, and makes the demo shop
                times.append(seconds)
    base = median(took["one trivial graph"])
    added = {name: median(times) - base for name, times in took.items()}
    yield Figure(
        figure="start_of_langgraph_dev",
        value=round(added[OURS], 2),
        unit="seconds more than a project with one trivial graph",
        bar="<= 0.7",
        holds=added[OURS] <= 0.7,
        peers={OLD: round(added[OLD], 2)},
        note="; ".join(f"{name} {spread(times)} s" for name, times in took.items()),
    )


def _server(folder: Path, build: Build) -> LiveServer:
    return LiveServer(folder, root=build.tree, python=build.python, PYTHONPATH=build.path, RECONCILE_CRON="")


def _orders(seed: int, count: int) -> list[dict[str, Any]]:
    """What synthetic customers order, with cards that pay."""
    return [visit.order.document() for visit in islice(plan(seed, 1, GOOD_CARDS), count)]


def _stock(server: LiveServer) -> None:
    """Have the server's shop made by a first order, and then plenty of everything, so cheaply that nobody is asked."""
    asyncio.run(_place(server, _orders(FIRST, 1)))
    stocked(f"sqlite:///{server.folder / 'data' / 'ledger.db'}")


async def _place(server: LiveServer, orders: list[dict[str, Any]]) -> list[str]:
    """Place orders as a storefront, all at once; the stage that each ended in."""
    async with get_client(url=server.url, api_key=server.tokens["channel"]) as client:
        try:
            whose = ":" + (await client.http.get("/ops/me"))["owner"]
        except NotFoundError:
            whose = ""  # the build before made an order's thread of its id alone

        async def place(order: dict[str, Any]) -> str:
            thread = str(uuid5(NAMESPACE_URL, f"order{whose}:{order['order_id']}:0"))
            given = {"order": order}
            ended: Any = await client.runs.wait(thread, "order_processing", input=given, if_not_exists="create")
            return str(ended["processing_stage"])

        return await asyncio.gather(*(place(order) for order in orders))


def _start(folder: Path, build: Build, *, trivial: bool) -> float:
    """Seconds from the start of the command to the first answer."""
    end: Callable[[], None]
    if not trivial:
        server = _server(folder, build)
        url, began = server.url, time.perf_counter()
        server.spawn()
        end = server.stop
    else:
        config, port = _trivial(folder), free_port()
        command = [build.python.parent / "langgraph", "dev", "--config", config, "--no-browser", "--no-reload",
                   "--host", "127.0.0.1", "--port", port]  # fmt: skip
        environment = {"PATH": os.environ["PATH"], "LANGSMITH_TRACING": "false", "LANGGRAPH_CLI_NO_ANALYTICS": "1"}
        url, began = f"http://127.0.0.1:{port}", time.perf_counter()
        process = Process([str(part) for part in command], folder / "server.log", folder, environment)
        end = partial(process.end, signal.SIGTERM)
    try:
        while time.perf_counter() - began < 60:
            try:
                if httpx.get(f"{url}/ok", timeout=5, trust_env=False).is_success:
                    return time.perf_counter() - began
            except httpx.TransportError:
                time.sleep(0.01)
        raise RuntimeError(f"a server does not start: {(folder / 'server.log').read_text()[-2000:]}")
    finally:
        end()


def _trivial(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "trivial.py").write_text(_GRAPH)
    config = folder / "langgraph.json"
    config.write_text(json.dumps({"dependencies": ["."], "graphs": {"trivial": "./trivial.py:graph"}}))
    return config
