"""The guard (law 9): what a node is given, and what it returns, is checked against schema and ledger.

A resume does not pass START, and a checkpoint may be old, forked or damaged: so each node that acts is guarded. What
cannot be true, or is not so any more, raises; the handler routes to `rebuild`, which goes on from the ledger.
"""

from collections.abc import Awaitable, Callable
from functools import wraps
from typing import Any, Final, TypeVar, cast, get_args, get_type_hints

from langgraph.runtime import Runtime
from langgraph.types import Command
from pydantic import TypeAdapter, ValidationError

from agent.approvals.gate import NOBODY, AtTheGate, SaidBy
from agent.approvals.gate import approval as gate
from agent.commerce.commands import first_error
from agent.commerce.lifecycle import Stage
from agent.order_processing.state import STATE_VERSION, LineTask, OrderState, ParcelTask
from agent.platform import this_thread
from agent.services import services

Node = TypeVar("Node", bound=Callable[[Any, Runtime[None]], Awaitable[Any]])

ANYWHERE: Final[tuple[Stage, ...]] = get_args(Stage)

_FORMS: Final = {form: TypeAdapter[Any](form) for form in (OrderState, LineTask, ParcelTask)}


class StateError(Exception):
    """A node must not run on this state. `found` says what is damaged in it; never the value, which may be anything."""

    def __init__(self, found: str = "") -> None:
        super().__init__(found or "the order has gone on without this thread")
        self.found = found


def guarded(*stages: Stage) -> Callable[[Node], Node]:
    """Let a node run only on a sound state of an order that is in one of these stages by the ledger.

    Raises `StateError` before the node runs, or in place of an update that does not fit the state.
    """

    def guard(node: Node) -> Node:
        form = _FORMS[get_type_hints(node)["state"]]

        @wraps(node)
        async def checked(state: Any, runtime: Runtime[None]) -> Any:
            sound(form, state)
            await _by_the_ledger(state, this_thread(runtime), stages)
            update = await node(state, runtime)
            sound(_FORMS[OrderState], (update.update or {}) if isinstance(update, Command) else update, partly=True)
            return update

        return cast(Node, checked)

    return guard


async def approval(state: OrderState, runtime: Runtime[None]) -> dict[str, SaidBy]:
    """The gate, on a sound state. On another nobody is asked: `decide`, which follows, finds the same damage."""
    try:
        sound(_FORMS[OrderState], state)
    except StateError:
        return {"answer": NOBODY}
    return gate(cast(AtTheGate, state), runtime)


def sound(form: TypeAdapter[Any], state: Any, *, partly: bool = False) -> None:
    """Check a state, or a part of it, against its types. Raises `StateError`."""
    try:
        form.validate_python({"order": {}} | state if partly else state, strict=True)
    except ValidationError as wrong:
        raise StateError(first_error(wrong)) from wrong
    if state.get("version", STATE_VERSION) > STATE_VERSION:
        raise StateError("version: written by a newer release")


async def _by_the_ledger(state: OrderState, thread_id: str, stages: tuple[Stage, ...]) -> None:
    """The order is the one of this thread, its customer's, and where this node may act."""
    known = await (await services()).reads.whereabouts(state.get("order_id", ""), thread_id)
    if "order_id" not in state and known.order_of_thread is None:
        return  # refused: there never was an order
    if known.stage is None:
        raise StateError("order_id: not in the ledger")
    if known.order_of_thread not in (None, state["order_id"]):
        raise StateError("order_id: another order's thread")
    if known.customer_id != state.get("customer_id", known.customer_id):
        raise StateError("customer_id: another customer's order")
    if known.stage not in stages:
        raise StateError
