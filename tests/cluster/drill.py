"""Orders come in over both workers while one of them is killed, or frozen until its work was taken over. What must
hold afterwards is for the test, and for the command line."""

import itertools
import time
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Any, Final, Literal

import httpx

from agent.platform import order_thread
from tests.cluster.workers import Cluster, Worker
from tests.support.books import PostgresLedger
from tests.support.driver import an_order
from tests.support.goods import goods
from tests.support.live_server import LiveNetwork, wait_for

How = Literal["kill", "freeze"]

AT_REST: Final = frozenset(("completed", "cancelled", "awaiting_approval", "parked", "declined"))
"""Stages in which nothing is left to do by itself at once: over, or somebody is waited for."""

HELD: Final = 4
"""So many runs are in a worker's hands when it is cut off."""

LARGEST: Final = 400
"""Orders of a drill for which there is stock, twice."""

LONGEST: Final = 60.0
"""Seconds within which what a worker had must have been taken over."""

_ANSWER_SECONDS: Final = 10.0
_PATIENCE_SECONDS: Final = 150.0
"""A full machine answers late; a frozen worker never."""
_SUBMITTERS: Final = 6


@dataclass(frozen=True)
class Report:
    """What came of it. `cut` are the runs that the worker had; `taken_over_seconds`, until the last of them was over.

    `after` are the books and the network's charges at rest, `after_waking` those when a zombie had had its say;
    `broken` is what does not hold by the desk's own checks, `desk db check` and `desk audit verify`.
    """

    how: How
    stages: dict[str, str]
    cut: int
    taken_over_seconds: float
    after: dict[str, Any]
    after_waking: dict[str, Any]
    broken: list[Any]

    @property
    def stuck(self) -> dict[str, str]:
        """Orders that neither ended nor wait, and where they are."""
        return {order: stage for order, stage in self.stages.items() if stage not in AT_REST}

    @property
    def wrongly_charged(self) -> dict[str, int]:
        """Orders that were not charged once, though completed, and how often they were."""
        completed = (order for order, stage in self.stages.items() if stage == "completed")
        keys = [charge["key"].partition(":")[0] for charge in self.after_waking["charges"]]
        return {order: count for order in completed if (count := keys.count(order)) != 1}

    @property
    def clean(self) -> bool:
        """Whether all is well."""
        in_time = self.taken_over_seconds <= LONGEST
        return in_time and self.after == self.after_waking and not (self.stuck or self.wrongly_charged or self.broken)

    def as_dict(self) -> dict[str, Any]:
        """For programs."""
        return {
            "drill": self.how,
            "orders": len(self.stages),
            "cut": self.cut,
            "taken_over_seconds": round(self.taken_over_seconds, 1),
            "stages": dict(Counter(self.stages.values())),
            "stuck": self.stuck,
            "not_charged_once": self.wrongly_charged,
            "changed_by_waking": self.after != self.after_waking,
            "broken": self.broken,
            "clean": self.clean,
        }

    @property
    def told(self) -> str:
        """For people."""
        one = self.as_dict()
        return (
            f"{self.how}: {one['orders']} orders, {self.cut} runs cut,"
            f" taken over within {self.taken_over_seconds:.0f} s;"
            f" {one['stages']}; stuck: {self.stuck or 'none'}; not charged once: {self.wrongly_charged or 'none'};"
            f" changed by waking: {'yes' if one['changed_by_waking'] else 'nothing'};"
            f" desk db check, desk audit verify: {self.broken or 'whole'}"
        )


def _in_silence(_line: Callable[[], str]) -> AbstractContextManager[None]:
    return nullcontext()


def play(
    cluster: Cluster,
    network: LiveNetwork,
    prefix: str,
    count: int,
    how: How,
    *,
    told: Callable[[Callable[[], str]], AbstractContextManager[None]] = _in_silence,
) -> Report:
    """Send so many orders, cut the second worker off in the middle, and wait until all are at rest.

    Meanwhile `told` may ask for a line that says how far it is.
    """
    ledger = PostgresLedger(cluster.ledger)
    orders = _orders(prefix, count)
    with told(lambda: f"{how}: {dict(Counter(_stages(ledger, orders).values()))}"):
        return _played(cluster, network, ledger, orders, how)


def _played(
    cluster: Cluster, network: LiveNetwork, ledger: PostgresLedger, orders: list[dict[str, Any]],
    how: How,
) -> Report:  # fmt: skip
    victim = cluster.workers[1]
    with ThreadPoolExecutor(_SUBMITTERS) as pool:
        sending = [pool.submit(_send, cluster, number, order) for number, order in enumerate(orders)]
        wait_for(lambda: len(cluster.held_by(victim)) >= HELD, 60, lambda: "the worker never had enough to do")
        held = cluster.held_by(victim)
        _cut_off(victim, how)
        since = time.monotonic()
        cut = [run["run_id"] for run in cluster.runs(held) if run["status"] == "running"]
        wait_for(lambda: cluster.all_over(cut), 120, lambda: f"nobody took over: {cluster.runs(cut)}")
        taken_over = time.monotonic() - since
        for sent in sending:
            sent.result()
    wait_for(lambda: _at_rest(ledger, orders), 120, lambda: _restless(cluster, ledger, orders))
    after = _books(ledger, network)
    if how == "freeze":
        _wake(victim)
    else:
        victim.start()
    broken = victim.desk("db", "check", "--json")["violations"] + victim.desk("audit", "verify", "--json")["broken"]
    return Report(how, _stages(ledger, orders), len(cut), taken_over, after, _books(ledger, network), broken)


def _cut_off(victim: Worker, how: How) -> None:
    if how == "kill":
        victim.kill()
    else:
        victim.freeze()


def _wake(zombie: Worker) -> None:
    """It goes on where it was, and comes to know that its runs are others' now."""
    zombie.thaw()
    wait_for(zombie.answers, 30, lambda: "the zombie does not answer")
    wait_for(lambda: "Lease lost" in zombie.log(), 30, lambda: f"the zombie noticed nothing:\n{zombie.log_end()}")


def _send(cluster: Cluster, number: int, order: dict[str, Any]) -> None:
    """Over one worker, and when that one does not answer over the other: an order sent twice is one order."""
    thread = order_thread(order["order_id"], "channel:channel-1")
    body = {"assistant_id": "order_processing", "input": {"order": order}, "if_not_exists": "create",
            "multitask_strategy": "reject"}  # fmt: skip
    end, said = time.monotonic() + _PATIENCE_SECONDS, Counter[str]()
    for worker in itertools.islice(itertools.cycle(cluster.workers), number, None):
        try:
            answer = httpx.post(f"{worker.url}/threads/{thread}/runs", json=body, timeout=_ANSWER_SECONDS,
                                headers={"x-api-key": worker.tokens["channel"]}, trust_env=False)  # fmt: skip
            answer.raise_for_status()
        except (httpx.TransportError, httpx.HTTPStatusError) as error:
            said[f"{worker.folder.name}: {error!r}"] += 1
            if time.monotonic() > end:
                raise RuntimeError(f"nobody takes {order['order_id']}: {dict(said)}") from error
            time.sleep(0.1)
        else:
            return


def _orders(prefix: str, count: int) -> list[dict[str, Any]]:
    """Small orders of four customers, a piece of something each; every second one pays with a slow card."""
    pieces = [v.sku for p in goods().products for v in p.variants if v.price < 20_000 for _ in range(v.on_hand)]
    customers = ("ada", "ben", "chloe", "dev")
    names = {"ada": "ada_park", "ben": "ben_ortiz", "chloe": "chloe_meyer", "dev": "dev_shah"}
    spread = pieces[:: max(1, len(pieces) // count)]
    return [
        an_order(f"{prefix}-{number}", {spread[number]: 1}, customer=names[who],
                 method=f"{who}_{'slow' if number % 2 else 'card'}")
        for number, who in zip(range(count), itertools.cycle(customers), strict=False)
    ]  # fmt: skip


def _at_rest(ledger: PostgresLedger, orders: Sequence[dict[str, Any]]) -> bool:
    return all(stage in AT_REST for stage in _stages(ledger, orders).values())


def _restless(cluster: Cluster, ledger: PostgresLedger, orders: Sequence[dict[str, Any]]) -> str:
    stages = {order: stage for order, stage in _stages(ledger, orders).items() if stage not in AT_REST}
    runs = cluster.runs_on([order_thread(order, "channel:channel-1") for order in stages])
    return f"not at rest: {stages}; their runs: {runs}"


def _stages(ledger: PostgresLedger, orders: Sequence[dict[str, Any]]) -> dict[str, str]:
    found = {row["id"]: row["stage"] for row in ledger.rows("SELECT id, stage FROM orders")}
    return {order["order_id"]: found.get(order["order_id"], "never placed") for order in orders}


def _books(ledger: PostgresLedger, network: LiveNetwork) -> dict[str, Any]:
    """What effects leave behind, here and at the network."""
    tables: dict[str, Callable[[], Any]] = {
        table: lambda query=f"SELECT * FROM {table} ORDER BY 1": ledger.rows(query)  # type: ignore[misc]  # noqa: S608
        for table in ("orders", "order_lines", "payments", "money_entries", "parcels", "debts", "variants")
    }
    return {name: read() for name, read in tables.items()} | dict(network.ledger())
