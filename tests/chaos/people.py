"""Those who use the shop while it dies under them: storefront, customers, staff, an operator.

Each does what such a client does: a lost answer is asked for again, by the same order id or idempotency key. What they
may not lose is what they were told: an order counts as accepted once they heard so.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from itertools import cycle
from random import Random
from time import monotonic
from typing import Any, Final

import httpx
from langgraph_sdk import get_client
from langgraph_sdk.client import LangGraphClient
from langgraph_sdk.errors import APIStatusError

from agent.approvals.models import ApprovalView, decision_payload
from agent.client.runs import is_approval
from agent.platform import order_thread
from tests.chaos.orders import Placed, Plan
from tests.chaos.site import Site

PATIENCE: Final = 20.0
"""Seconds that a client waits for any one answer."""

_EXPECTED: Final = (404, 409)
"""Refusals that belong to the day: not there (yet, or any more), at work, too late."""


class People:
    """Clients of the site's server, with a memory that no kill touches. `in_peace` nobody dithers."""

    def __init__(self, site: Site, seed: int) -> None:
        self._site = site
        self._seed = seed
        self._clients: dict[tuple[str, str], LangGraphClient] = {}
        self._urls = cycle(site.server.urls)
        self.orders: dict[str, Placed] = {}
        self.answers = 0
        self.refusals = Counter[str]()
        self.surprises = Counter[str]()
        self.in_peace = False

    @asynccontextmanager
    async def at_work(self, new: list[tuple[float, Plan]]) -> AsyncIterator[None]:
        """Everyone does their work while this lasts. `new` orders come in after so many seconds."""
        acts = [self._send(plan, after) for after, plan in new]
        acts += [self._send(order.plan) for order in self.orders.values() if not order.accepted]
        acts += [_again(0.4, self._customers), _again(0.5, self._staff), _again(1.5, self._operator)]
        tasks = [asyncio.ensure_future(act) for act in acts]
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
            for ended in await asyncio.gather(*tasks, return_exceptions=True):
                if isinstance(ended, Exception):
                    raise ended

    async def close(self) -> None:
        """Give every connection back."""
        for client in self._clients.values():
            await client.aclose()

    async def _send(self, plan: Plan, after: float = 0.0) -> None:
        """The storefront sends an order until it hears that it was accepted, and listens to what becomes of it."""
        await asyncio.sleep(after)
        order = self.orders.setdefault(plan.id, Placed(plan, monotonic()))
        while not order.accepted:
            with self._trying("send"):
                await self._listen(order)
            if not order.accepted:  # its thread may be at work already, since an earlier life
                with self._trying("look"):
                    await self._client("channel").http.get(f"/ops/orders/{plan.id}")
                    order.accepted = True
            await asyncio.sleep(1)

    async def _listen(self, order: Placed) -> None:
        async for part in self._client("channel").runs.stream(
            order_thread(order.plan.id, "channel:channel-1"), "order_processing",
            input={"order": order.plan.order}, if_not_exists="create",
            stream_mode=["custom", "values"], multitask_strategy="reject",
        ):  # fmt: skip
            if part.event == "error":
                self.surprises[f"run failed: {part.data.get('error')}"] += 1
            elif part.event == "custom":
                order.accepted |= part.data["progress"] == "validated"
                order.heard.append(part.data["text"])
            elif (part.data or {}).get("processing_stage"):
                order.accepted = True

    async def _customers(self) -> None:
        """Customers cancel, change the way they pay, or name another card after a decline, when their time has come."""
        declined = {row["id"] for row in self._site.ledger.rows("SELECT id FROM orders WHERE stage = 'declined'")}
        for order in list(self.orders.values()):
            plan, age = order.plan, monotonic() - order.sent_at
            if order.accepted and plan.cancels_after is not None and age > plan.cancels_after:
                await self._act(order, "cancel", {"reason": "no longer needed"})
            if order.accepted and plan.swaps_after is not None and age > plan.swaps_after:
                await self._act(order, "pay", {"payment_method_id": plan.other_method})
            if plan.id in declined and plan.pays_declined:
                await self._act(order, "pay", {"payment_method_id": plan.other_method}, "declined")

    async def _act(self, order: Placed, verb: str, body: dict[str, Any], why: str = "") -> None:
        """Ask for it by one key until there is an answer."""
        key = f"{verb}{why}"
        if key in order.done:
            return
        path, headers = f"/ops/orders/{order.plan.id}/{verb}", {"Idempotency-Key": key}
        with self._trying(verb) as outcome:
            await self._client("channel").http.post(path, json=body, headers=headers)
            outcome.append(200)
        if outcome:
            order.done.add(key)
            order.heard.append(f"{key}: {outcome[0]}")

    async def _staff(self) -> None:
        """The staff answers what waits for it: mostly yes, at times no; some requests lie on a desk until later."""
        waiting: list[tuple[str, str, ApprovalView]] = []
        with self._trying("search"):
            threads = await self._client("order_manager").threads.search(status="interrupted", limit=100)
            waiting = [
                (thread["thread_id"], (thread["metadata"] or {})["graph_id"], interrupt["value"])
                for thread in threads
                for interrupts in thread["interrupts"].values()
                for interrupt in interrupts
                if is_approval(interrupt["value"])
            ]
        for thread_id, graph, view in waiting:
            random = Random(f"{self._seed} {view['order_id']} {view['case']} {view['step']}")
            mood = random.random()
            if mood < 0.1 and not self.in_peace:
                continue
            # What could not be settled is to be tried again: a yes would say that it was done by hand.
            no = view["case"] == "debt" or mood > 0.88
            answer = decision_payload("reject" if no else "approve", name="", note="try again" if no else "")
            with self._trying("answer"):
                await self._client(random.choice(view["roles"])).runs.create(
                    thread_id, graph, command={"resume": answer}, multitask_strategy="reject"
                )
                self.answers += 1

    async def _operator(self) -> None:
        """The operator runs the reconciler: a cron would fire once a minute, and few lives are as long."""
        with self._trying("reconcile"):
            made: Any = await self._client("operator").runs.wait(None, "reconciler", input={}, raise_error=False)
            for job, items in made.get("report", {"reconciler": made}).items():
                if failure := items.get("failed") or items.get("__error__"):
                    self.surprises[f"{job}: {failure}"] += 1

    def _client(self, role: str) -> LangGraphClient:
        """Of the next server, if several are one desk."""
        url = next(self._urls)
        if (role, url) not in self._clients:
            self._clients[role, url] = get_client(url=url, api_key=self._site.server.tokens[role], timeout=PATIENCE)
        return self._clients[role, url]

    @contextmanager
    def _trying(self, what: str) -> Iterator[list[int]]:
        """Try something on a server that may be dying; yields a list that gets the status of a refusal for good.

        No answer is nothing to be surprised of, and a refusal is counted; an internal error should not be.
        """
        final: list[int] = []
        try:
            yield final
        except httpx.HTTPStatusError as error:
            self._refused(what, error.response.status_code, final)
        except APIStatusError as error:
            self._refused(what, error.status_code, final)
        except httpx.TransportError:
            self.refusals[f"{what}: no answer"] += 1

    def _refused(self, what: str, status: int, final: list[int]) -> None:
        (self.refusals if status in _EXPECTED else self.surprises)[f"{what}: {status}"] += 1
        if status == 409:
            final.append(status)


async def _again(seconds: float, act: Callable[[], Awaitable[None]]) -> None:
    while True:
        await asyncio.sleep(seconds)
        await act()
