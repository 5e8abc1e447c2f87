"""Error handlers: they only route (law 11). Effects are in the nodes they route to.

A handler takes the place of its node's static edges: so those of the branches name their join.
"""

from typing import Any, Literal

from langgraph.errors import NodeError
from langgraph.types import Command

from agent.observability.events import emit
from agent.order_processing.state import LineTask, OrderState, ParcelTask


def to_park(state: OrderState, error: NodeError) -> Command[Literal["park"]]:
    """An open breaker, a lost answer, a ledger that is away: the order waits in `park`, and nothing is guessed."""
    _failed(state, error)
    return Command(goto="park", update={"error_count": 1})


def line_failed(state: LineTask, error: NodeError) -> Command[Literal["assess"]]:
    """A line whose reservation could not be made or refused: the join decides."""
    return Command(goto="assess", update=_answer(state, error, state["line"]))


def parcel_failed(state: ParcelTask, error: NodeError) -> Command[Literal["complete"]]:
    """A parcel of which nobody knows whether it leaves: the join decides."""
    return Command(goto="complete", update=_answer(state, error, state["parcel"]))


def _answer(state: Any, error: NodeError, key: int | str) -> dict[str, Any]:
    _failed(state, error)
    return {"results": {str(key): "failed"}, "error_count": 1}


def _failed(state: Any, error: NodeError) -> None:
    emit("node.failed", node=error.node, order_id=state.get("order_id"), error=type(error.error).__name__)
