"""A breaker within a LangGraph node: what the platform does to the node, and what the breaker makes of it."""

import asyncio
from collections.abc import Awaitable
from dataclasses import replace
from datetime import timedelta
from typing import Any, Protocol, TypedDict

import pytest
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.errors import NodeTimeoutError
from langgraph.graph import START, StateGraph
from langgraph.types import RetryPolicy, interrupt

from agent.resilience import CircuitBreaker, CircuitOpenError

from .flights import CONFIG


class State(TypedDict):
    """Nothing of note."""

    order_id: str


class Node(Protocol):
    """A node as LangGraph takes it."""

    def __call__(self, state: State) -> Awaitable[None]:
        """Do nothing to the state."""


def graph(node: Node, **policies: Any) -> Any:
    built = StateGraph(State).add_node("node", node, **policies).add_edge(START, "node")
    return built.compile(checkpointer=InMemorySaver())


def thread(number: int) -> Any:
    return {"configurable": {"thread_id": str(number)}}


async def test_timeouts_of_the_node_open_it() -> None:
    breaker = CircuitBreaker("model", replace(CONFIG, slow_call_duration=0.02))

    async def node(state: State) -> None:
        await breaker.call(asyncio.Event().wait)

    impatient = graph(node, timeout=timedelta(seconds=0.05))
    for number in range(CONFIG.minimum_number_of_calls):
        with pytest.raises(NodeTimeoutError):
            await impatient.ainvoke({"order_id": "W-1"}, thread(number))
    assert (breaker.snapshot().state, breaker.snapshot().why) == ("open", "slow")


async def test_interrupts_leave_it_closed() -> None:
    breaker = CircuitBreaker("model", CONFIG)

    async def ask() -> None:
        interrupt("may I?")

    async def node(state: State) -> None:
        await breaker.call(ask)

    asking = graph(node)
    for number in range(5):
        assert "__interrupt__" in await asking.ainvoke({"order_id": "W-1"}, thread(number))
    assert breaker.snapshot().state == "closed"


async def test_the_default_retry_policy_does_not_repeat_a_refused_call() -> None:
    breaker = CircuitBreaker("model", CONFIG)
    breaker.force_open()
    attempts = 0

    async def node(state: State) -> None:
        nonlocal attempts
        attempts += 1
        await breaker.call(asyncio.sleep, 0)

    with pytest.raises(CircuitOpenError):
        await graph(node, retry_policy=RetryPolicy(initial_interval=0.0)).ainvoke({"order_id": "W-1"}, thread(1))
    assert attempts == 1
