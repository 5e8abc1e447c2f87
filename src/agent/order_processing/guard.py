"""The guard (law 9): what a node is given, and what it returns, is checked against schema and ledger.

A resume does not pass START, and a checkpoint may be old, forked or damaged: so each node is guarded. From what cannot
be true, or is not so any more, the way leads to `rebuild`, which goes on from the ledger.
"""

from collections.abc import Awaitable, Callable
from typing import Any, Final, Literal, TypeVar, cast, get_args, get_type_hints

from langgraph.runtime import Runtime
from langgraph.types import Command, Overwrite
from pydantic import TypeAdapter, ValidationError
from sqlalchemy.orm import Session

from agent.approvals.card import is_of
from agent.approvals.gate import ANONYMOUS, AnswerBy, ask
from agent.approvals.models import ApprovalView
from agent.approvals.requests import requests_of
from agent.commerce.lifecycle import Stage
from agent.commerce.locks import seen
from agent.commerce.precondition import OrderMovedOnError, Precondition, StateDamagedError
from agent.identity import APPROVER_ROLES, caller_of_run
from agent.ledger.database import PolicyDenied
from agent.ledger.database_errors import UNUSABLE
from agent.ledger.traces import trace_of_thread
from agent.order_processing.state import STATE_VERSION, Damage, LineTask, OrderState, ParcelTask
from agent.platform import this_thread
from agent.services import services
from agent.text import first_error

S = TypeVar("S")
Node = Callable[[S, Runtime[None], Precondition], Awaitable[Any]]

REBUILD: Final = "rebuild"
"""The node to which the guard leads."""

ANYWHERE: Final[tuple[Stage, ...]] = get_args(Stage)

_BRANCHES: Final = {LineTask: "line", ParcelTask: "parcel"}
"""What a parallel branch is sent, and under which of it `results` has its outcome."""

_FORMS: Final[dict[type, TypeAdapter[Any]]] = {form: TypeAdapter(form) for form in (OrderState, LineTask, ParcelTask)}


def guarded(*stages: Stage) -> Callable[[Node[S]], Any]:
    """Let a node run only on a sound state of an order that is in one of these stages by the ledger.

    The node is given what must be true of its order, and holds the ledger against it in the transaction in which it
    acts. Without any stage, also where there is no order yet. What stops the node, or its update when that does not fit
    the state, or a denial by the ledger, leads to `rebuild`; a branch says so in `results`, and its join decides.
    """

    def guard(node: Node[S]) -> Any:
        form = get_type_hints(node)["state"]

        async def checked(state: Any, runtime: Runtime[None]) -> Any:
            try:
                sound(form, state)
                precondition = _precondition(form, state, this_thread(runtime), stages)
                update = await node(state, runtime, precondition)
                sound(OrderState, _written((update.update or {}) if isinstance(update, Command) else update))
            except StateDamagedError as error:
                damage = Damage(node=node.__name__, found=error.found)
                return _stopped(form, state, "damaged", {"damage": damage})
            except OrderMovedOnError as error:
                return _stopped(form, state, "overtaken", error.update | {"overtaken_at": node.__name__})
            except PolicyDenied:  # the ledger is past what the node was to do
                return _stopped(form, state, "overtaken", {"overtaken_at": node.__name__})
            if not precondition.looked:
                raise RuntimeError(f"{node.__name__} acted without a look into the ledger")
            return update

        checked.__name__, checked.__doc__ = node.__name__, node.__doc__
        hints = get_type_hints(node, include_extras=True)
        returns = hints["return"] if form in _BRANCHES else _or_rebuild(hints["return"])
        checked.__annotations__ = hints | {"runtime": Runtime[None], "return": returns}
        return checked

    return guard


async def approval(state: OrderState, runtime: Runtime[None]) -> dict[str, AnswerBy]:
    """The gate, for an open request on a sound state; else nobody is asked, and `decide`, which follows, sees why."""
    shop = await services()
    try:
        sound(OrderState, state)
        precondition = _precondition(OrderState, state, this_thread(runtime), ANYWHERE)
        request = await shop.database.read(lambda session: request_of(session, state, precondition))
    except (StateDamagedError, OrderMovedOnError):
        return {"answer": ANONYMOUS}
    caller = caller_of_run(runtime)
    if request["status"] != "open" and not (caller and caller.role in APPROVER_ROLES):
        return {"answer": ANONYMOUS}  # nobody is asked; who has answered all the same is told what became of it
    shown = cast(ApprovalView, state["approval"])
    return {"answer": ask(shown, request.get("head", ""), runtime, shop.approvals.trail)}


async def look(precondition: Precondition) -> None:
    """Hold the ledger against a state before its order is read anew; a thread that has none yet is not looked at."""
    if precondition.order_id:
        await (await services()).database.read(lambda session: seen(session, precondition))


async def trace_of(thread_id: str) -> str | None:
    """The trace of this thread's order; None while there is none, or no ledger."""
    try:
        return await trace_of_thread((await services()).database, thread_id)
    except UNUSABLE:
        return None


def request_of(session: Session, state: OrderState, precondition: Precondition) -> ApprovalView:
    """The request in the state, as it stands in the ledger, on an order of which that is true.

    Raises `StateDamagedError` when people were shown another one.
    """
    order, shown = seen(session, precondition), state.get("approval")
    for known in requests_of(session, order.id):
        if shown and shown["request_id"] == known["request_id"] and is_of(shown, known):
            return known
    raise StateDamagedError("approval: not a request about this order")


def sound(form: type, state: Any) -> None:
    """Check a state, or an update of it, against its types; not the client's input, which its reader parses, nor what
    was said, which nobody here reads."""
    try:
        _FORMS[form].validate_python(state | {"order": {}, "messages": []}, strict=True)
    except ValidationError as error:
        raise StateDamagedError(first_error(error)) from error
    if state.get("version", STATE_VERSION) > STATE_VERSION:
        raise StateDamagedError("version: written by a newer release")


def _stopped(form: type, state: Any, outcome: str, update: dict[str, Any]) -> Any:
    """Where it goes on when a node was stopped: to `rebuild`; of a branch its join is told the outcome."""
    if key := _BRANCHES.get(form):
        return {"results": {str(state.get(key))[:100]: outcome}}
    return Command(goto=REBUILD, update=update)


def _or_rebuild(returns: Any) -> Any:
    """What a node returns, and that it may be led to `rebuild`: the graph and its pictures know of it."""
    ends = get_args(get_args(returns)[0])
    return Command[Literal[(*ends, REBUILD)]]  # type: ignore[valid-type]


def _written(update: dict[str, Any]) -> dict[str, Any]:
    """The values of an update, those that take the place of what was joined before them as well."""
    return {key: value.value if isinstance(value, Overwrite) else value for key, value in update.items()}


def _precondition(form: type, state: Any, thread_id: str, stages: tuple[Stage, ...]) -> Precondition:
    """What the state says of its order. Raises `StateDamagedError` where that can't be, whatever the ledger says."""
    order_id, customer_id = state.get("order_id", ""), state.get("customer_id", "")
    if not order_id and (stages or customer_id):
        raise StateDamagedError("order_id: not in the ledger")
    if not state.get("parcel", f"{order_id}/").startswith(f"{order_id}/"):
        raise StateDamagedError("parcel: not the order's")
    return Precondition(order_id, thread_id, None if form is LineTask else customer_id, stages)
