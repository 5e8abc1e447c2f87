"""People at work on a thread: a customer's conversation with the desk, an order on the line, and staff who decide.

What they say and hear goes to a scene. Runs are made by `stage`; who says what is in `good_day` and `bad_day`.
"""

from abc import ABC, abstractmethod
from typing import Any, ClassVar
from urllib.parse import quote

from agent.approvals.models import Decision, decision_payload
from agent.platform import order_thread
from demo.cast import CAST, NAMES
from demo.stage import Stage, Stop
from demo.telling import Scene, shortened


def name_of(customer_id: str) -> str:
    """The first name of a customer of the shop."""
    return NAMES[customer_id]


def heard(stop: Stop, phrase: str) -> str:
    """The phrase, if the desk's last words hold it; else those words."""
    words = str(stop.values["messages"][-1]["content"])
    return phrase if phrase in words else words


class _Thread(ABC):
    """A thread of one graph, on which people can decide."""

    graph: ClassVar[str]

    def __init__(self, stage: Stage, scene: Scene, customer_id: str, thread_id: str) -> None:
        self._stage = stage
        self._scene = scene
        self._customer_id = customer_id
        self._thread_id = thread_id
        self._token: str | None = None  # of what was shown last (law 17)

    async def decide(self, role: str, decision: Decision, note: str = "") -> Stop:
        """Somebody of the staff answers what the thread waits for."""
        self._scene.say("staff", role, f"{decision}s: {note}" if note else f"{decision}s")
        said = decision_payload(decision, name="", note=note, token=self._token)
        return await self._run(role, command={"resume": said})

    async def is_asked(self) -> bool:
        """Whether the thread stands at a request, and can be decided on."""
        thread = await self._stage.client("operator").threads.get(self._thread_id)
        return thread["status"] == "interrupted"

    async def _run(self, role: str, **what: Any) -> Stop:
        stop = await self._stage.run(role, self._thread_id, self.graph, **what)
        self._tell(stop)
        self._token = stop.waiting.get("token") if stop.waiting else None
        if view := stop.waiting:
            waits = f"waits for {' or '.join(view['roles'])} (step {view['step']} of {view['steps']})"
            self._scene.say("shop", "approvals", f"not taken. {view['refused']}" if view["refused"] else waits)
        return stop

    @abstractmethod
    def _tell(self, stop: Stop) -> None: ...


class Conversation(_Thread):
    """What a customer writes to the desk, through the storefront, and what the desk answers."""

    graph = "customer_service"
    _told = 0

    @classmethod
    async def begin(cls, stage: Stage, scene: Scene, customer_id: str) -> "Conversation":
        """A new conversation of this customer."""
        thread = await stage.client("channel").threads.create(graph_id=cls.graph)
        return cls(stage, scene, customer_id, thread["thread_id"])

    async def say(self, text: str) -> Stop:
        """The customer writes."""
        self._scene.say("customer", name_of(self._customer_id), text)
        message = {"role": "user", "content": text}
        return await self._run("channel", input={"messages": [message]}, context={"customer_id": self._customer_id})

    def _tell(self, stop: Stop) -> None:
        messages = stop.values["messages"]
        for message in messages[self._told :]:
            if message["type"] == "ai":
                self._scene.say("desk", "desk", shortened(message["content"]))
        self._told = len(messages)


class Order(_Thread):
    """An order that a customer places in the storefront."""

    graph = "order_processing"

    def __init__(self, stage: Stage, scene: Scene, customer_id: str, order_id: str) -> None:
        super().__init__(stage, scene, customer_id, order_thread(order_id, "channel:channel-1"))
        self.id = order_id

    async def place(self, lines: dict[str, int], card: str = "good") -> Stop:
        """The customer orders pieces by sku, and pays with the card that does what `card` says."""
        items = ", ".join(f"{pieces} × {sku}" for sku, pieces in lines.items())
        method = CAST.paid_with(self._customer_id, card)
        self._scene.say("customer", name_of(self._customer_id), f"orders {items} with {method} ({self.id})")
        order = {
            "order_id": self.id,
            "customer_id": self._customer_id,
            "lines": [{"sku": sku, "quantity": pieces} for sku, pieces in lines.items()],
            "payment_method_id": method,
        }
        return await self._run("channel", input={"order": order}, create_thread=True)

    async def pay(self, card: str) -> None:
        """The customer pays with another card, and the order goes on by itself."""
        method = CAST.paid_with(self._customer_id, card)
        self._scene.say("customer", name_of(self._customer_id), f"pays {self.id} with {method} instead")
        await self._stage.client("channel").http.post(
            f"/ops/orders/{quote(self.id, safe='')}/pay", json={"payment_method_id": method}
        )

    def _tell(self, stop: Stop) -> None:
        if steps := [text for text in stop.progress if not text.startswith("waits for")]:  # told by all threads
            self._scene.say("shop", self.id, " → ".join(steps))
        if denial := stop.values.get("denial"):
            self._scene.say("shop", self.id, f"{denial['rule']}: {denial['sentence']}")
