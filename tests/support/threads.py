"""One thread of a graph, run in this process: checkpoints in memory, and the authenticated caller that the test names.

The platform would put the caller in the same place; what it adds around that is for the integration tests.
"""

from copy import copy
from types import SimpleNamespace
from typing import Any

from langgraph.checkpoint.memory import InMemorySaver
from langgraph.types import Command
from prometheus_client import REGISTRY

from agent.approvals.models import ApprovalView
from agent.identity import Caller, Role
from agent.observability.cache import CountingCache

APPROVE = {"decisions": [{"type": "approve"}]}
LOOK_AGAIN = "look again"

SERVICE = Caller("service-1", "service")


def reject(note: str) -> dict[str, Any]:
    """A rejection with its reason, as Agent Chat UI sends it."""
    return {"decisions": [{"type": "reject", "message": note}]}


def seen(view: ApprovalView, said: dict[str, Any]) -> dict[str, Any]:
    """An answer with the token of the card that it answers, as `desk` sends it."""
    return said | {"token": view["token"]}


def staff(role: Role, number: int = 1) -> Caller:
    """Somebody of this role."""
    return Caller(f"{role.replace('_', '-')}-{number}", role)


def user(who: Caller | None) -> Any:
    """The caller as the platform hands it on: an identity with permissions; nobody is None."""
    return who and SimpleNamespace(identity=who.identity, permissions=[f"role:{who.role}"])


def events(name: str) -> float:
    """How often an event was emitted in this process."""
    return REGISTRY.get_sample_value("desk_events_total", {"event": name}) or 0.0


class Thread:
    """A thread with a memory of its own. Every run says who is authenticated; None means nobody."""

    def __init__(self, graph: Any, thread_id: str = "thread-1") -> None:
        own = {"checkpointer": InMemorySaver()} | ({"cache": CountingCache("test")} if graph.cache else {})
        self.graph = graph.copy(update=own)
        self.id = thread_id

    def beside(self, thread_id: str) -> "Thread":
        """Another thread on the same server: it shares memory and node cache."""
        other = copy(self)
        other.id = thread_id
        return other

    def config(self, who: Caller | None, **configurable: Any) -> dict[str, Any]:
        """What the platform would put into a run's config; a run that goes round and round fails."""
        return {
            "recursion_limit": 60,
            "configurable": {"thread_id": self.id, "langgraph_auth_user": user(who), **configurable},
        }

    async def run(self, given: Any, who: Caller | None, *, context: Any = None, checkpoint: Any = None) -> Any:
        """A run with this input; from an older checkpoint when its id is given. Returns the values it ends with."""
        config = self.config(who, **({"checkpoint_id": checkpoint} if checkpoint else {}))
        return await self.graph.ainvoke(given, config, context=context)

    async def answer(self, said: Any, who: Caller | None) -> Any:
        """Answer the pending interrupt."""
        return await self.run(Command(resume=said), who)

    async def values(self) -> dict[str, Any]:
        """The whole state, not only what a run returns."""
        return dict((await self.graph.aget_state(self.config(None))).values)

    async def waits_for(self) -> ApprovalView | None:
        """The request at the gate, as people are shown it."""
        interrupts = (await self.graph.aget_state(self.config(None))).interrupts
        assert len(interrupts) <= 1, "one interrupt a node run"
        return interrupts[0].value if interrupts else None

    async def before(self, node: str) -> str:
        """The id of the newest checkpoint at which this node was next."""
        async for snapshot in self.graph.aget_state_history(self.config(None)):
            if node in snapshot.next:
                return str(snapshot.config["configurable"]["checkpoint_id"])
        raise AssertionError(f"{node} never ran")
