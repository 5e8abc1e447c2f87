"""What is attacked: a payment that waits at a gate of a live server, seen from outside, through HTTP alone.

What an attacker may know of it is here; `theirs` and `ours` are the two servers. What is done to it is in `ways`.
"""

import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import httpx

PATIENCE: Final = 30.0
"""Seconds within which what was begun must come to rest."""

Json = dict[str, Any]


@dataclass(frozen=True)
class Reply:
    """A server's answer. Commands and JSON-RPC say no with HTTP 200 and an error inside."""

    status: int
    body: Any

    @property
    def refused(self) -> str:
        """Why the request was refused, beginning with the status if there is one; empty when it was not."""
        match self.body:
            case {"type": "error", "message": str(why)} | {"jsonrpc": _, "error": {"message": str(why)}}:
                return why
            case {"detail": why}:  # also with 201: a thread was made, and its state was not
                return f"{self.status} {why}"
        return f"{self.status} {self.body}" if self.status >= 400 else ""


class House(ABC):
    """A live server, and the names of those who call it."""

    url: str
    kinds: tuple[str, ...]
    """What can be at its gate."""
    at_once = 8
    """Ways at a time: mostly they wait, each for a run of its own."""

    def __init__(self) -> None:
        self._http = httpx.Client(trust_env=False, timeout=2 * PATIENCE, limits=httpx.Limits(max_connections=None))

    def kinds_for(self, number: int, unless: str) -> tuple[str, ...]:  # noqa: ARG002
        """On what a way is tried: on everything, but for what it can't be tried on."""
        return tuple(kind for kind in self.kinds if kind != unless)

    @abstractmethod
    def wait(self) -> None:
        """Wait until it serves. Raises RuntimeError with the end of its log when it does not."""

    @abstractmethod
    def headers(self, who: str) -> dict[str, str]:
        """What `who` sends to be known; a name that nobody has is LangGraph Studio's, which sends no token."""

    @abstractmethod
    def target(self, kind: str, number: int, *, steps: int, slow: bool) -> "Target":
        """A payment that needs the yes of `steps` people; when `slow`, its bank takes seconds to answer."""

    def call(self, who: str, method: str, path: str, body: Any = None) -> Reply:
        """One request in the name of `who`."""
        answer = self._http.request(method, f"{self.url}{path}", json=body, headers=self.headers(who))
        try:
            return Reply(answer.status_code, answer.json() if answer.content else {})
        except ValueError:
            return Reply(answer.status_code, answer.text)

    def drop(self, who: str, path: str, body: Json, until: Callable[[], object]) -> Reply:
        """Stream a run, and leave when `until` holds."""
        with self._http.stream("POST", f"{self.url}{path}", json=body, headers=self.headers(who)) as answer:
            wait_until(until, "the effect to begin")
            return Reply(answer.status_code, {})

    def close(self) -> None:
        """End what was started."""
        self._http.close()


class Target(ABC):
    """One payment at the gate: what it is to an attacker, and what its right people do."""

    graph: str
    gate: str
    beyond: tuple[str, ...]
    """The nodes behind the gate: where a jump would go."""
    other: tuple[str, Json]
    """Another graph of the same server, and an input of it."""
    attackers: tuple[str, ...]
    stranger: str
    """Somebody with a token whose thread it is not."""
    yes: Any
    """A yes, as people's clients send it."""
    first: str
    """Who may answer the first step."""

    def __init__(self, house: House, key: str) -> None:
        self.house = house
        self.key = key
        self.thread = ""
        self.replies: list[Reply] = []

    @abstractmethod
    def begin(self, graph: str | None = None) -> None:
        """Ask for the payment, until it waits for people; by another assistant than the graph's, if one is named."""

    @abstractmethod
    def input(self) -> Json:
        """What began it."""

    @abstractmethod
    def claim(self) -> Json:
        """State that says, as the attacker would have it, that all have said yes."""

    @abstractmethod
    def effects(self) -> int:
        """How often it was paid, by the books of those who pay."""

    @abstractmethod
    def mine(self, asked: Any) -> bool:
        """Whether an interrupt asks about this payment."""

    @abstractmethod
    def who_answers(self, values: Json, asked: Any) -> str:
        """Who answers an interrupt of a thread with these values: of the right role, and has not answered yet."""

    @abstractmethod
    def settle(self) -> None:
        """Its right people go on answering what they are asked, until it is paid or nothing more comes."""

    @abstractmethod
    def record(self) -> str:
        """What is wrong with the record of who said yes to what was paid; empty when it is whole."""

    @abstractmethod
    def begin_own(self) -> str:
        """As `begin`, by somebody whose role may say yes; who that is."""

    @abstractmethod
    def one_person(self) -> tuple[str, str]:
        """One person, as who may answer the first step, and as who may answer the second."""

    # what attackers do

    def attack(self, method: str, path: str, body: Any = None) -> list[Reply]:
        """The same request by each attacker."""
        replies = [self.house.call(who, method, path.format(thread=self.thread), body) for who in self.attackers]
        self.replies += replies
        return replies

    def run(self, *, thread: str | None = None, graph: str | None = None, **what: Any) -> list[Reply]:
        """A run on its thread by each attacker, to its end."""
        return self.attack("POST", f"/threads/{thread or self.thread}/runs/wait", self._run(graph, what))

    def _run(self, graph: str | None, what: Json) -> Json:
        return {"assistant_id": graph or self.graph, "multitask_strategy": "enqueue"} | what

    # what right people do

    def answer(self, who: str, *, path: str = "runs/wait", **what: Any) -> Reply:
        """A yes as most clients send it: to whatever the thread waits for."""
        body = self._run(None, {"command": {"resume": self.yes}} | what)
        return self.house.call(who, "POST", f"/threads/{self.thread}/{path}", body)

    def answer_inbox(self) -> bool:
        """Each request about this payment is answered once, by its right person; whether there was one."""
        found = [
            (thread, interrupt)
            for thread in self.inbox()
            for task in thread["interrupts"].values()
            for interrupt in task
            if self.mine(interrupt["value"])
        ]
        for thread, interrupt in found:
            who = self.who_answers(thread["values"], interrupt["value"])
            body = self._run(None, {"command": {"resume": {interrupt["id"]: self.yes}}})
            self.house.call(who, "POST", f"/threads/{thread['thread_id']}/runs/wait", body)
        return bool(found)

    @abstractmethod
    def inbox(self) -> list[Json]:
        """The threads that its people see waiting."""

    def seen(self) -> Json:
        """Its thread, as the first of its people sees it; empty when it is gone."""
        reply = self.house.call(self.first, "GET", f"/threads/{self.thread}")
        return {} if reply.refused else dict(reply.body)

    def interrupts(self) -> list[Json]:
        """What its thread waits for."""
        return [interrupt for task in self.seen().get("interrupts", {}).values() for interrupt in task]

    def runs(self) -> list[Json]:
        """All runs of its thread."""
        reply = self.house.call(self.first, "GET", f"/threads/{self.thread}/runs?limit=1000")
        return [] if reply.refused else list(reply.body)

    def assistants(self) -> list[str]:
        """The assistants of its graph."""
        found = self.house.call(self.first, "POST", "/assistants/search", {"graph_id": self.graph}).body
        return [assistant["assistant_id"] for assistant in found]

    def rests(self) -> bool:
        """Whether nothing runs on its thread."""
        return self.seen().get("status") != "busy"


def wait_until(condition: Callable[[], object], what: str, seconds: float = PATIENCE) -> None:
    """Ask until it holds. Raises TimeoutError."""
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise TimeoutError(f"waited {seconds:.0f} s for {what}")
        time.sleep(0.05)
