"""The gate: the only `interrupt()` of the project (law 5). Both graphs use this node as it is.

It asks and notes who answered; nothing else, since all of it runs again on every answer. Whether the answer counts is
settled by the next node, in the ledger.
"""

from typing import Any

from langgraph.runtime import Runtime
from langgraph.types import interrupt
from typing_extensions import TypedDict

from agent.approvals.models import ApprovalView
from agent.identity import Caller, caller_of_run


class SaidBy(TypedDict):
    """An answer as it came, with the authenticated caller who gave it; `identity` is empty when nobody was."""

    said: Any
    identity: str
    role: str


NOBODY = SaidBy(said=None, identity="", role="")


class AtTheGate(TypedDict):
    """What of a graph's state the gate sees: the open request."""

    approval: ApprovalView


def approval(state: AtTheGate, runtime: Runtime[Any]) -> dict[str, SaidBy]:
    """Ask people for their yes to the request in `state`; one interrupt a run."""
    said = interrupt(state["approval"])
    caller = caller_of_run(runtime)
    if caller is None:
        return {"answer": SaidBy(said=said, identity="", role="")}
    return {"answer": SaidBy(said=said, identity=caller.identity, role=caller.role)}


def caller_who(answer: SaidBy) -> Caller | None:
    """The caller in an answer, or None when nobody was authenticated."""
    return Caller(answer["identity"], answer["role"]) if answer["identity"] else None  # type: ignore[arg-type]
