"""The gate: the only `interrupt()` of the project (law 5). Both graphs ask here.

It asks and notes who answered; nothing else, since all of it runs again on every answer. Whether the answer counts is
settled by the next node, in the ledger.
"""

from typing import Any, NotRequired

from langgraph.runtime import Runtime
from langgraph.types import interrupt
from typing_extensions import TypedDict

from agent.approvals.models import ApprovalView
from agent.approvals.trail import Trail
from agent.identity import Caller, acting, caller_of_run
from agent.observability.events import emit


class SaidBy(TypedDict):
    """An answer as it came, with the authenticated caller who gave it; `identity` is empty when nobody was.

    The seal is over all of this and the request as it stood: an answer without it did not come through the gate.
    """

    said: Any
    identity: str
    role: str
    seal: NotRequired[str]


NOBODY = SaidBy(said=None, identity="", role="")


def ask(shown: ApprovalView, head: str, runtime: Runtime[Any], trail: Trail) -> SaidBy:
    """Ask people for their yes; one interrupt a run.

    `shown` is what they see, `head` the seal of the request as it stands in the ledger.
    """
    said = interrupt(shown)
    caller = caller_of_run(runtime)
    if caller is None:
        return NOBODY
    caller, said = acting(caller, said)
    try:
        seal = trail.of_answer(head, said, caller.identity, caller.role)
    except RecursionError:  # too deep to be written down, and so for an answer
        said, seal = None, trail.of_answer(head, None, caller.identity, caller.role)
    return SaidBy(said=said, identity=caller.identity, role=caller.role, seal=seal)


def caller_who(answer: SaidBy, head: str, trail: Trail) -> Caller | None:
    """The caller who gave an answer at the gate; None when nobody was authenticated, or it was put there otherwise."""
    if not answer["identity"]:
        return None
    if not trail.is_answer(answer.get("seal", ""), head, answer["said"], answer["identity"], answer["role"]):
        emit("approval.forged", claimed_role=answer["role"][:40])
        return None
    return Caller(answer["identity"], answer["role"])  # type: ignore[arg-type]
