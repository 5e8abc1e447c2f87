"""Plays a plan over HTTP: customers through a channel, and staff who answer what waits for them, if there are any.

A lost answer is asked for again, by the same order or message id, as any careful client does: a server may be killed
meanwhile. What they will do is in `plan`.
"""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager, suppress
from itertools import takewhile
from random import Random
from time import monotonic
from typing import Any, Final
from urllib.parse import quote
from uuid import uuid4

import httpx
from langgraph_sdk import get_client
from langgraph_sdk.client import LangGraphClient
from langgraph_sdk.errors import APIStatusError

from agent.approvals.models import ApprovalView, decision_payload
from agent.client.connection import DeskError, LostError
from agent.client.runs import Outcome, follow, is_approval
from agent.platform import order_thread
from traffic.account import Account
from traffic.plan import Order, Visit

PATIENCE: Final = 60.0
"""Seconds that customers who are in the shop when it closes may take to finish."""
AGAIN: Final = 1.0
"""Seconds until something is tried again that got no answer."""
DELIVERIES: Final = 5
"""Orders that the warehouse looks at, each time that somebody of the staff has answered."""

_BUSY: Final = (409, 429)
"""Refusals for now: the thread is at work, or it was too often."""


class Players:
    """Clients of one server by role, and the account of what they did. Close it at the end."""

    def __init__(self, url: str, tokens: dict[str, str], seed: int) -> None:
        self._url = url
        self._tokens = tokens
        self._seed = seed
        self._clients: dict[str, LangGraphClient] = {}
        self._owner = ""
        self._undelivered: list[str] = []
        self.account = Account()

    async def open(self) -> None:
        """Ask the server who the channel is to it. Raises `APIStatusError` when it does not know the token."""
        me: Any = await self._client("channel").http.get("/ops/me")
        self._owner = me["owner"]

    async def close(self) -> None:
        """Give every connection back."""
        for client in self._clients.values():
            await client.aclose()

    async def customers(self, visits: Iterator[Visit], seconds: float) -> None:
        """Let in who comes within so many seconds, and wait until they are done, for `PATIENCE` at most."""
        began = monotonic()
        with suppress(TimeoutError):
            async with asyncio.timeout(None) as closing, asyncio.TaskGroup() as inside:
                for visit in takewhile(lambda visit: visit.at < seconds, visits):
                    await asyncio.sleep(began + visit.at - monotonic())
                    inside.create_task(self.visit(visit))
                closing.reschedule(asyncio.get_running_loop().time() + PATIENCE)

    async def visit(self, visit: Visit) -> None:
        """A customer orders, and writes to the desk a while later."""
        if not await self._place(visit.order) or not visit.says:
            return
        await asyncio.sleep(visit.pause)
        self.account.conversations += 1
        thread = await self._until_answered("thread", self._new_thread)
        for words in visit.says if thread else ():
            reply = await self._say(str(thread), visit.order.customer_id, words)
            if reply is None or "?" not in reply:  # who is asked nothing has nothing more to say
                return

    async def staff(self, rate: float) -> None:
        """Answer what waits, `rate` a second, and deliver what has left, until cancelled."""
        random = Random(self._seed)
        while True:
            await asyncio.sleep(random.expovariate(rate))
            with self._trying("decide"):
                await self._decide(random)
            with self._trying("deliver"):
                await self._deliver()

    async def ends(self) -> Counter[str]:
        """The stages of the orders that were accepted; `lost` are those that the shop knows nothing of."""
        found = Counter[str]()
        for order_id in self.account.accepted:
            found[await self._stage(order_id) or "lost"] += 1
        return found

    async def _place(self, order: Order) -> bool:
        """Send an order until it is known what became of it; whether it was accepted."""
        began = monotonic()
        self.account.sent += 1
        thread = order_thread(order.id, self._owner)
        document = {"order": order.document()}

        async def send() -> str:
            outcome = await self._follow(thread, "order_processing", input=document, create_thread=True)
            return str((outcome.values.get("denial") or {}).get("rule", ""))

        denial = await self._until_answered("order", send, lambda: self._stage(order.id))
        if denial is None:
            return False
        self.account.seconds_of_orders.append(monotonic() - began)
        if denial:
            self.account.denials[denial] += 1
        if denial.startswith("ORDER-") and denial != "ORDER-REJECTED":
            return False
        self.account.accepted.append(order.id)
        self._undelivered.append(order.id)
        return True

    async def _new_thread(self) -> str:
        return str((await self._client("channel").threads.create(graph_id="customer_service"))["thread_id"])

    async def _say(self, thread: str, customer_id: str, words: str) -> str | None:
        """Say something until it is answered; the desk's words, or None when it was refused."""
        began = monotonic()
        message = {"role": "user", "content": words, "id": str(uuid4())}  # said again it is the same turn

        async def send() -> str:
            context = {"customer_id": customer_id}
            outcome = await self._follow(thread, "customer_service", input={"messages": [message]}, context=context)
            return str(outcome.values["messages"][-1]["content"])

        reply = await self._until_answered("say", send)
        if reply is not None:
            self.account.seconds_of_turns.append(monotonic() - began)
        return reply

    async def _until_answered(
        self,
        what: str,
        ask: Callable[[], Awaitable[str]],
        known: Callable[[], Awaitable[str | None]] | None = None,
    ) -> str | None:
        """What an answer says; None when it is refused for good. What `known` finds is as good as "it was done"."""
        while True:
            with self._trying(what) as refusals:
                return await ask()
            if any(status not in _BUSY for status in refusals):
                return None
            with self._trying("look"):
                if known and await known():
                    return ""
            await asyncio.sleep(AGAIN)

    async def _follow(self, thread: str, graph: str, **run: Any) -> Outcome:
        return await follow(self._client("channel"), thread, graph, lambda _: None, look="", **run)

    async def _stage(self, order_id: str) -> str | None:
        """The stage of an order as the shop has it; None when it knows nothing of it."""
        try:
            order: Any = await self._client("channel").http.get(f"/ops/orders/{quote(order_id, safe='')}")
        except APIStatusError as error:
            if error.status_code == 404:
                return None
            raise
        return str(order["stage"])

    async def _decide(self, random: Random) -> None:
        """Somebody of a role that is asked answers one request: mostly yes. Who asks for help again gets it again."""
        waiting = await self._client("operator").threads.search(status="interrupted", limit=50)
        asked = [
            (thread["thread_id"], str((thread["metadata"] or {})["graph_id"]), interrupt["value"])
            for thread in waiting
            for interrupts in thread["interrupts"].values()
            for interrupt in interrupts
            if is_approval(interrupt["value"])
        ]
        if not asked:
            return
        thread_id, graph, view = random.choice(asked)
        says_no = view["case"] == "debt" or self._is_unwilling(view)  # a yes to a debt would say it was paid by hand
        answer = decision_payload(
            "reject" if says_no else "approve",
            name="", note="please call the customer first" if says_no else "", token=view.get("token"),
        )  # fmt: skip
        await self._client(view["roles"][0]).runs.wait(
            thread_id, graph, command={"resume": answer}, multitask_strategy="reject"
        )
        self.account.decisions["no" if says_no else "yes"] += 1

    def _is_unwilling(self, view: ApprovalView) -> bool:
        return Random(f"{self._seed} {view['order_id']} {view['case']} {view['step']}").random() > 0.85

    async def _deliver(self) -> None:
        """The warehouse confirms what has arrived; what has not left yet comes again."""
        looked_at, self._undelivered = self._undelivered[:DELIVERIES], self._undelivered[DELIVERIES:]
        for order_id in looked_at:
            try:
                await self._client("warehouse").http.post(f"/ops/orders/{quote(order_id, safe='')}/deliver", json={})
            except APIStatusError as error:
                if error.status_code != 409:
                    raise
                self._undelivered.append(order_id)
            else:
                self.account.deliveries += 1

    def _client(self, role: str) -> LangGraphClient:
        """The SDK as this role. Raises LookupError when there is no token for it."""
        if role not in self._tokens:
            raise LookupError(f"there is no token of role {role}: `desk tokens init` makes one of each")
        if role not in self._clients:
            self._clients[role] = get_client(url=self._url, api_key=self._tokens[role], timeout=PATIENCE)
        return self._clients[role]

    @contextmanager
    def _trying(self, what: str) -> Iterator[list[int]]:
        """Try something that a dying server may not answer; yields the list of statuses with which it was refused."""
        statuses: list[int] = []
        try:
            yield statuses
        except httpx.HTTPStatusError as error:
            status = error.response.status_code
            self.account.refusals[f"{what}: {status}"] += 1
            if status < 500:
                statuses.append(status)
        except (httpx.TransportError, LostError):
            self.account.refusals[f"{what}: no answer"] += 1
        except DeskError:
            self.account.refusals[f"{what}: the run failed"] += 1
