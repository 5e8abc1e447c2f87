"""The gate: the only `interrupt()` of the project (law 5). Both graphs ask here.

It asks and notes who answered; nothing else, since all of it runs again on every answer. Whether the answer counts is
settled by the next node, in the ledger.
"""

from typing import Any, Final, NotRequired

from langgraph.runtime import Runtime
from langgraph.types import interrupt
from typing_extensions import TypedDict

from agent.approvals.models import ApprovalView
from agent.approvals.trail import Trail
from agent.identity import Caller, acting, caller_of_run
from agent.observability.events import emit


class AnswerBy(TypedDict):
    """An answer as it came, with the authenticated caller who gave it; `identity` is empty when nobody was.

    `named` is what it named beside the request, `interrupt` or `checkpoint`, as the server has checked. The seal is
    over all of this and the request as it stood: an answer without it did not come through the gate.
    """

    said: Any
    identity: str
    role: str
    named: NotRequired[str]
    seal: NotRequired[str]


ANONYMOUS = AnswerBy(said=None, identity="", role="")


_NAMED: Final = {"named", "said"}


def addressed(said: Any, named: str) -> dict[str, Any]:
    """An answer with what it named, as the server passes every answer on: a client can't say this of its own."""
    return {"named": named, "said": said}


def ask(shown: ApprovalView, head: str, runtime: Runtime[Any], trail: Trail) -> AnswerBy:
    """Ask people for their yes; one interrupt a run.

    `shown` is what they see, `head` the seal of the request as it stands in the ledger.
    """
    said, named = interrupt(shown), ""
    if isinstance(said, dict) and set(said) == _NAMED:
        said, named = said["said"], str(said["named"])
    caller = caller_of_run(runtime)
    if caller is None:
        return ANONYMOUS
    caller, said = acting(caller, said)
    try:
        seal = trail.of_answer(head, said, caller.identity, caller.role, named=named)
    except RecursionError:  # too deep to be written down, and so for an answer
        said, seal = None, trail.of_answer(head, None, caller.identity, caller.role, named=named)
    return AnswerBy(said=said, identity=caller.identity, role=caller.role, named=named, seal=seal)


def caller_who(answer: AnswerBy, head: str, trail: Trail) -> Caller | None:
    """The caller who gave an answer at the gate; None when nobody was authenticated, or it was put there otherwise."""
    if not answer["identity"]:
        return None
    given = answer["said"], answer["identity"], answer["role"]
    if not trail.is_answer(answer.get("seal", ""), head, *given, named=answer.get("named", "")):
        emit("approval.forged", claimed_role=answer["role"][:40])
        return None
    return Caller(answer["identity"], answer["role"])  # type: ignore[arg-type]
