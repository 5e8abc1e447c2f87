"""The guard (law 9): what a node is given, and what it returns, is checked against schema and ledger.

A resume does not pass START, and a checkpoint may be old, forked or damaged: so each node is guarded. From what cannot
be true, or is not so any more, the way leads to `rebuild`, which goes on from the ledger.
"""

from collections.abc import Awaitable, Callable
from functools import wraps
from typing import Any, Final, TypeVar, cast, get_args, get_type_hints

from langgraph.runtime import Runtime
from langgraph.types import Command
from pydantic import TypeAdapter, ValidationError

from agent.approvals.gate import NOBODY, SaidBy, ask
from agent.approvals.models import ApprovalView
from agent.commerce.commands import first_error
from agent.commerce.lifecycle import Stage
from agent.ledger.database import Denied
from agent.order_processing.state import STATE_VERSION, Damage, LineTask, OrderState, ParcelTask
from agent.platform import this_thread
from agent.services import services

Node = TypeVar("Node", bound=Callable[[Any, Runtime[None]], Awaitable[Any]])

ANYWHERE: Final[tuple[Stage, ...]] = get_args(Stage)

_BRANCHES: Final = {LineTask: "line", ParcelTask: "parcel"}
"""What a parallel branch is sent, and under which of it `results` has its outcome."""

_FORMS: Final[dict[type, TypeAdapter[Any]]] = {form: TypeAdapter(form) for form in (OrderState, LineTask, ParcelTask)}


class StateError(Exception):
    """A node must not run on this state. `found` says what is damaged in it; never the value, which may be anything.

    Without it the state is sound, but the order has gone on without this thread.
    """

    def __init__(self, found: str = "") -> None:
        super().__init__(found or "the order has gone on without this thread")
        self.found = found[:300]


def guarded(*stages: Stage) -> Callable[[Node], Node]:
    """Let a node run only on a sound state of an order that is in one of these stages by the ledger.

    Without any stage, also where there is no order yet. What stops the node, or its update when that does not fit the
    state, or a denial by the ledger, leads to `rebuild`; a branch says so in `results`, and its join decides.
    """

    def guard(node: Node) -> Node:
        form = get_type_hints(node)["state"]

        @wraps(node)
        async def checked(state: Any, runtime: Runtime[None]) -> Any:
            try:
                sound(form, state)
                await _by_the_ledger(form, state, this_thread(runtime), stages)
                update = await node(state, runtime)
                sound(OrderState, (update.update or {}) if isinstance(update, Command) else update)
            except (StateError, Denied) as stopped:
                found = stopped.found if isinstance(stopped, StateError) else ""
                if key := _BRANCHES.get(form):
                    return {"results": {str(state.get(key))[:100]: "damaged" if found else "overtaken"}}
                return Command(goto="rebuild", update={"damage": Damage(node=node.__name__, found=found)})
            return update

        return cast(Node, checked)

    return guard


async def approval(state: OrderState, runtime: Runtime[None]) -> dict[str, SaidBy]:
    """The gate, for an open request on a sound state; else nobody is asked, and `decide`, which follows, sees why."""
    try:
        sound(OrderState, state)
        await _by_the_ledger(OrderState, state, this_thread(runtime), ANYWHERE)
        request = await request_of(state)
    except StateError:
        return {"answer": NOBODY}
    if request["status"] != "open":
        return {"answer": NOBODY}
    shown, trail = cast(ApprovalView, state["approval"]), (await services()).approvals.trail
    return {"answer": ask(shown, request.get("head", ""), runtime, trail)}


async def request_of(state: OrderState) -> ApprovalView:
    """The request in the state, as it stands in the ledger. Raises `StateError` when people were shown another one."""
    seen = state.get("approval")
    for known in await (await services()).approvals.of_order(state["order_id"]):
        if seen and (known["request_id"], known["action_requests"]) == (seen["request_id"], seen["action_requests"]):
            return known
    raise StateError("approval: not a request about this order")


def sound(form: type, state: Any) -> None:
    """Check a state, or an update of it, against its types; not the client's input, which its reader parses, nor what
    was said, which nobody here reads."""
    try:
        _FORMS[form].validate_python(state | {"order": {}, "messages": []}, strict=True)
    except ValidationError as wrong:
        raise StateError(first_error(wrong)) from wrong
    if state.get("version", STATE_VERSION) > STATE_VERSION:
        raise StateError("version: written by a newer release")


async def _by_the_ledger(form: type, state: Any, thread_id: str, stages: tuple[Stage, ...]) -> None:
    """The order is the one of this thread, its customer's, and where this node may act."""
    order_id = state.get("order_id", "")
    if not order_id and not stages and not state.get("customer_id"):
        return  # there is no order yet, or there never will be
    known = await (await services()).reads.whereabouts(order_id)
    if known is None:
        raise StateError("order_id: not in the ledger")
    if thread_id not in known.threads:
        raise StateError("order_id: another order's thread")
    if form is not LineTask and state.get("customer_id") != known.customer_id:
        raise StateError("customer_id: not the order's")
    if not state.get("parcel", f"{order_id}/").startswith(f"{order_id}/"):
        raise StateError("parcel: not the order's")
    if stages and known.stage not in stages:
        raise StateError
