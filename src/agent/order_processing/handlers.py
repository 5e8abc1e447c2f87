"""Error handlers: they only route (law 11), or answer for a branch. Effects are in the nodes they route to."""

from typing import Any, Literal

from langgraph.errors import NodeError
from langgraph.types import Command

from agent.ledger.database import Denied
from agent.observability.events import emit
from agent.order_processing.guard import StateError
from agent.order_processing.showing import refused
from agent.order_processing.state import Damage, LineTask, OrderState, ParcelTask

Update = dict[str, Any]


def to_rebuild(state: OrderState, error: NodeError) -> Command[Literal["rebuild"]]:
    """What the guard stopped goes on from the ledger; any other failure ends the run, and the reconciler drives on."""
    if isinstance(error.error, StateError):
        return _rebuild(error)
    _failed(state, error)
    raise error.error


def to_park(state: OrderState, error: NodeError) -> Command[Literal["rebuild", "park", "close"]]:
    """A rule's word ends the run; anything else, an open breaker or a lost answer, waits in `park`."""
    if isinstance(error.error, StateError):
        return _rebuild(error)
    _failed(state, error)
    if isinstance(error.error, Denied):
        return Command(goto="close", update={"error_count": 1} | refused(error.error))
    return Command(goto="park", update={"error_count": 1})


def line_failed(state: LineTask, error: NodeError) -> Update:
    """A line whose reservation could not be made or refused: the join decides."""
    return _answer(state, error, state.get("line"))


def parcel_failed(state: ParcelTask, error: NodeError) -> Update:
    """A parcel of which nobody knows whether it leaves: the join decides."""
    return _answer(state, error, state.get("parcel"))


def _rebuild(error: NodeError) -> Command[Any]:
    found = error.error.found if isinstance(error.error, StateError) else ""
    return Command(goto="rebuild", update={"damage": Damage(node=error.node, found=found)})


def _answer(state: Any, error: NodeError, key: Any) -> Update:
    _failed(state, error)
    outcome = "damaged" if isinstance(error.error, StateError) else "failed"
    return {"results": {str(key): outcome}, "error_count": 1}


def _failed(state: Any, error: NodeError) -> None:
    emit("node.failed", node=error.node, order_id=str(state.get("order_id"))[:60], error=type(error.error).__name__)
