"""How the tests speak to a live server: as any client would, with langgraph-sdk and one of the roles' tokens.

Only asking and listening live here; what must come of it is in the tests.
"""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import cycle
from threading import Lock
from typing import Any, Self, TypeVar

import httpx
from langgraph_sdk.client import SyncLangGraphClient
from langgraph_sdk.errors import ConflictError

from agent.approvals.models import ApprovalView, Decision, decision_payload
from agent.platform import order_thread
from tests.support.live_server import LiveServer, wait_for

T = TypeVar("T")


@dataclass
class Run:
    """What a client saw of a run: progress in its order, the thread's values at the end, the request that waits."""

    thread: str
    graph: str
    progress: list[dict[str, Any]] = field(default_factory=list)
    values: dict[str, Any] = field(default_factory=dict)
    waiting: ApprovalView | None = None

    @property
    def stage(self) -> str:
        """Where the work stands."""
        return str(self.values["processing_stage"])

    @property
    def rule(self) -> str | None:
        """The rule that refused an order, if one did."""
        return (self.values.get("denial") or {}).get("rule")

    @property
    def said(self) -> str:
        """What the desk said last."""
        return str(self.values["messages"][-1]["content"])


class Driver:
    """Clients of one server, by role; of several that are one desk, each role's at the next of them."""

    def __init__(self, server: LiveServer, *others: LiveServer) -> None:
        self.server = server
        self._servers = cycle((server, *others))
        self._clients: dict[str, SyncLangGraphClient] = {}
        self._at: dict[str, LiveServer] = {}
        self._making = Lock()
        self._bare = httpx.Client(base_url=server.url, trust_env=False, timeout=60)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for client in self._clients.values():
            client.close()
        self._bare.close()

    def client(self, role: str) -> SyncLangGraphClient:
        """The SDK as this role."""
        server = self._server_of(role)
        with self._making:
            if role not in self._clients:
                self._clients[role] = server.client(role)
            return self._clients[role]

    def http(self, role: str, method: str, path: str, body: object = None) -> httpx.Response:
        """A bare request as this role: what goes out is what is here, whatever the SDK would make of it."""
        url = self._server_of(role).url + path
        return self._bare.request(method, url, json=body, headers={"x-api-key": self.server.tokens[role]})

    def raw(self, role: str, path: str, body: str) -> httpx.Response:
        """POST these bytes as this role, as a UI in a browser does."""
        headers = {"x-api-key": self.server.tokens[role], "content-type": "application/json"}
        return self._bare.post(self._server_of(role).url + path, content=body, headers=headers)

    @contextmanager
    def listening(self, role: str, path: str, body: object) -> Iterator[Iterator[bytes]]:
        """POST as this role, and read the answer as it comes, until the connection is closed at the end."""
        headers = {"x-api-key": self.server.tokens[role]}
        with self._bare.stream("POST", self._server_of(role).url + path, json=body, headers=headers) as answer:
            yield answer.iter_raw()

    def _server_of(self, role: str) -> LiveServer:
        with self._making:
            if role not in self._at:
                self._at[role] = next(self._servers)
            return self._at[role]

    def run(self, role: str, thread: str, graph: str, **what: Any) -> Run:
        """Start a run and follow it to its end. Raises AssertionError when it fails."""
        seen = Run(thread, graph)
        for part in self.client(role).runs.stream(
            thread, graph, stream_mode=["custom", "values"], multitask_strategy="reject", **what
        ):
            assert part.event != "error", part.data
            if part.event == "custom":
                seen.progress.append(part.data)
            elif part.event == "values":
                seen.values = part.data
        interrupts = seen.values.get("__interrupt__") or [{"value": None}]
        assert len(interrupts) == 1
        seen.waiting = interrupts[0]["value"]
        return seen

    def order(self, order: dict[str, Any], *, role: str = "channel") -> Run:
        """Send an order in and follow it."""
        owner = {"customer": "customer:ada_park", "channel": "channel:channel-1"}[role]
        thread = order_thread(order["order_id"], owner)
        return self.run(role, thread, "order_processing", input={"order": order}, if_not_exists="create")

    def completed(self, order: dict[str, Any]) -> Run:
        """Send an order in and have everybody who is asked say yes: what a customer orders in a day is summed up."""
        seen = self.order(order)
        while seen.waiting:
            seen = self.answer(seen.waiting["roles"][0], seen, "approve")
        assert seen.stage == "completed"
        return seen

    def conversation(self) -> str:
        """A new conversation's thread."""
        return str(self.client("channel").threads.create(graph_id="customer_service")["thread_id"])

    def ask(self, text: str, *, customer: str = "ada_park", thread: str | None = None) -> Run:
        """Say something in a customer's name, in a new conversation or on its thread."""
        return self.run(
            "channel",
            thread or self.conversation(),
            "customer_service",
            input={"messages": [{"role": "user", "content": text}]},
            context={"customer_id": customer},
        )

    def answer(self, role: str, asked: Run, decision: Decision, note: str = "") -> Run:
        """Answer what `asked` waits for, once nobody else, such as the reconciler, has a run on that thread.

        Raises `ConflictError` when it does not wait any more.
        """
        assert asked.waiting
        name = asked.waiting["action_requests"][0]["name"]
        payload = decision_payload(decision, name=name, note=note, token=asked.waiting.get("token"))

        def taken() -> Run | None:
            try:
                return self.run(role, asked.thread, asked.graph, command={"resume": payload})
            except ConflictError:
                if not self._still_asked(asked):
                    raise
                return None

        answered = wait_for(taken, 30, lambda: f"{asked.thread} is never free")
        assert answered
        return answered

    def _still_asked(self, asked: Run) -> bool:
        thread = self.client("operator").threads.get(asked.thread)
        waiting = [each["value"] for task in thread["interrupts"].values() for each in task]
        return thread["status"] == "busy" or asked.waiting in waiting

    def reconcile(self) -> None:
        """Run the reconciler as the operator does, to its end."""
        self.client("operator").runs.wait(None, "reconciler", input={})

    def order_row(self, order_id: str) -> dict[str, Any]:
        """An order as the operator sees it."""
        return dict(self.client("operator").http.get(f"/ops/orders/{order_id}"))


def an_order(
    order_id: str, lines: dict[str, int], *, customer: str = "ada_park", method: str = "ada_card"
) -> dict[str, Any]:
    """An order of {sku: pieces}."""
    return {
        "order_id": order_id,
        "customer_id": customer,
        "lines": [{"sku": sku, "quantity": quantity} for sku, quantity in lines.items()],
        "payment_method_id": method,
    }


def together(*acts: Callable[[], T]) -> list[T]:
    """Do several things at once; their results in the order given."""
    with ThreadPoolExecutor(len(acts)) as pool:
        return [act.result() for act in [pool.submit(act) for act in acts]]
