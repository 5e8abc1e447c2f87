"""The ordinary gate on a live server: `carol` asks, `alice` and `bob` are managers, `mallory` attacks.

What that gate is, is in `ordinary`.
"""

import json
import os
import signal
import sys
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx

from attack.ordinary import PEOPLE
from attack.target import House, Json, Target, wait_until
from tests.support.live_server import START_LIMIT, Process, free_port, wait_for

ORDINARY = Path(__file__).parent / "ordinary.py"
INBOX = {"inbox": "managers"}
"""The thread metadata by which managers find what waits for them."""


class OrdinaryHouse(House):
    """`langgraph dev` of the ordinary gate, its files and its bank in `folder`."""

    kinds = ("payment",)

    def __init__(self, folder: Path) -> None:
        super().__init__()
        folder.mkdir()
        port = free_port()
        self.url = f"http://127.0.0.1:{port}"
        self.bank = folder / "bank"
        self.bank.touch()
        config = folder / "langgraph.json"
        graphs = {"payments": f"{ORDINARY}:graph", "chat": f"{ORDINARY}:chat"}
        auth = {"path": f"{ORDINARY}:auth"}
        config.write_text(json.dumps({"dependencies": [str(ORDINARY.parent)], "graphs": graphs, "auth": auth}))
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("LANG")}
        self._process = Process(
            [str(Path(sys.executable).parent / "langgraph"), "dev", "--config", str(config), "--no-browser",
             "--no-reload", "--host", "127.0.0.1", "--port", str(port), "--n-jobs-per-worker", "4"],
            folder / "server.log", folder,
            inherited | {"BANK": str(self.bank), "LANGSMITH_TRACING": "false", "LANGGRAPH_CLI_NO_ANALYTICS": "1"},
        )  # fmt: skip

    def wait(self) -> None:
        """Wait until it serves. Raises RuntimeError."""
        wait_for(self._answers, START_LIMIT, lambda: f"the ordinary server does not answer:\n{self._log()}")

    def _answers(self) -> bool:
        if not self._process.alive:
            raise RuntimeError(f"the ordinary server ended:\n{self._log()}")
        try:
            return self.call("alice", "GET", "/ok").status == 200
        except httpx.TransportError:
            return False

    def _log(self) -> str:
        return "\n".join(self._process.log.read_text(errors="replace").splitlines()[-40:])

    def headers(self, who: str) -> dict[str, str]:
        """A name is its own token."""
        return {"x-api-key": who} if who in PEOPLE else {"x-auth-scheme": "langsmith"}

    def target(self, kind: str, number: int, *, steps: int, slow: bool) -> "OrdinaryTarget":  # noqa: ARG002
        """A payment for one manager, or for two; its bank is always slow."""
        return OrdinaryTarget(self, f"ATTACK-{number}", steps)

    def close(self) -> None:
        """End it."""
        self._process.end(signal.SIGKILL)
        super().close()


class OrdinaryTarget(Target):
    """A payment at the ordinary gate."""

    house: OrdinaryHouse
    graph = "payments"
    gate = "approval"
    beyond = ("charge",)
    other = ("chat", {"question": "when is it paid?"})
    attackers = ("mallory",)
    stranger = "mallory"
    yes = "approve"
    first = "alice"

    def __init__(self, house: OrdinaryHouse, key: str, steps: int) -> None:
        super().__init__(house, key)
        self._amount = {1: 1_500_00, 2: 6_000_00}[steps]

    def begin(self, graph: str | None = None, *, by: str = "carol") -> None:
        """Carol asks for a payment."""
        self.thread = str(uuid4())
        self.house.call(by, "POST", "/threads", {"thread_id": self.thread, "metadata": INBOX})
        self.house.call(by, "POST", f"/threads/{self.thread}/runs/wait", self._run(graph, {"input": self.input()}))

    def input(self) -> Json:
        """A payment, nobody asked yet."""
        return {"order_id": self.key, "amount": self._amount, "needed": 0, "yeses": []}

    def claim(self) -> Json:
        """Two managers have said yes."""
        return {"order_id": self.key, "amount": self._amount, "needed": 2, "yeses": ["alice", "bob"]}

    def effects(self) -> int:
        """Lines in the bank's file."""
        return sum(line.startswith(f"{self.key} ") for line in self.house.bank.read_text().splitlines())

    def mine(self, asked: Any) -> bool:
        """By the order that it names."""
        return bool(asked["order_id"] == self.key)

    def who_answers(self, values: Json, asked: Any) -> str:  # noqa: ARG002
        """Bob, once Alice has."""
        return "bob" if "alice" in values.get("yeses", []) else "alice"

    def inbox(self) -> list[Json]:
        """Interrupted threads marked for managers."""
        query = {"status": "interrupted", "metadata": INBOX, "limit": 1000}
        return list(self.house.call("alice", "POST", "/threads/search", query).body)

    def settle(self) -> None:
        """The managers answer until their inbox has nothing more about it."""
        wait_until(lambda: not self.answer_inbox(), "the managers' inbox to be empty")

    def record(self) -> str:
        """It keeps none but the thread."""
        return ""

    def begin_own(self) -> str:
        """Alice asks."""
        self.begin(by="alice")
        return "alice"

    def one_person(self) -> tuple[str, str]:
        """Alice, twice."""
        return "alice", "alice"
