"""What is retried, by whom, how often."""

from typing import TypedDict, get_args

import httpx
import pytest
from langgraph.errors import GraphInterrupt
from langgraph.graph import END, START, StateGraph
from langgraph.types import RetryPolicy

from agent.resilience import (
    CLASSIFIER,
    LEDGER,
    PAYMENT,
    CircuitOpenError,
    Failure,
    FailureKind,
    TransientError,
    is_transient,
)

from .flights import status_error


class AnyKindError(Exception):
    """Any kind of failure."""

    def __init__(self, kind: FailureKind) -> None:
        self.kind = kind


CLASSIFIER.register(AnyKindError, lambda error: Failure(error.kind))


class State(TypedDict):
    """Nothing of note."""

    order_id: str


class LockedError(TransientError):
    """An error as another room would derive it."""


def test_only_what_may_pass_by_itself_is_transient() -> None:
    transient = {kind for kind in get_args(FailureKind) if is_transient(AnyKindError(kind))}
    assert transient == {"timeout", "connection", "server_error", "overload", "slow"}


@pytest.mark.parametrize("error", [LockedError(), httpx.ReadTimeout("late"), ConnectionError(), TimeoutError()])
def test_a_passing_trouble_is_transient(error: Exception) -> None:
    assert is_transient(error)


@pytest.mark.parametrize(
    "error",
    [CircuitOpenError("model", "timeout", 1.0), status_error(404), ValueError("a bug"), GraphInterrupt()],
)
def test_what_another_attempt_cannot_help_is_not_transient(error: Exception) -> None:
    assert not is_transient(error)


@pytest.mark.parametrize(("policy", "attempts"), [(LEDGER, 4), (PAYMENT, 3)])
async def test_langgraph_follows_a_policy(policy: RetryPolicy, attempts: int) -> None:
    calls = 0

    async def node(state: State) -> None:
        nonlocal calls
        calls += 1
        raise LockedError

    quick = policy._replace(initial_interval=0.0, max_interval=0.0, jitter=False)
    graph = StateGraph(State).add_node("node", node, retry_policy=quick).add_edge(START, "node").add_edge("node", END)
    with pytest.raises(LockedError):
        await graph.compile().ainvoke({"order_id": "W-1"})
    assert calls == attempts
