"""Nodes, timed where they are added: each attempt, by its graph, its name and how it ended."""

import inspect
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from time import perf_counter
from typing import Any, Self

from langgraph.errors import GraphBubbleUp
from langgraph.graph import StateGraph
from langgraph.typing import ContextT, InputT, OutputT, StateT

from agent.observability.metrics import NODE_SECONDS, announce_node


class ObservedGraph(StateGraph[StateT, ContextT, InputT, OutputT]):
    """A `StateGraph` whose nodes are timed as `desk_node_seconds`.

    Args:
        graph: its name there.
        state_schema: as `StateGraph` takes it, like what follows.
    """

    def __init__(self, graph: str, state_schema: type[StateT], **schemas: Any) -> None:
        super().__init__(state_schema, **schemas)
        self._graph = graph

    def add_node(self, node: Any, action: Any = None, **how: Any) -> Self:
        """Add a node, with whatever `StateGraph.add_node` takes."""
        name, act = (node.__name__, node) if action is None else (node, action)
        return super().add_node(name, _timed(self._graph, name, act), **how)


def _timed(graph: str, name: str, node: Callable[..., Any]) -> Callable[..., Any]:
    announce_node(graph, name)

    @wraps(node)
    async def awaited(*args: Any, **more: Any) -> Any:
        with _observing(graph, name):
            return await node(*args, **more)

    @wraps(node)
    def called(*args: Any, **more: Any) -> Any:
        with _observing(graph, name):
            return node(*args, **more)

    return awaited if inspect.iscoroutinefunction(node) else called


@contextmanager
def _observing(graph: str, name: str) -> Iterator[None]:
    """An interrupt is no error: a person is asked."""
    began, outcome = perf_counter(), "error"
    try:
        yield
        outcome = "ok"
    except GraphBubbleUp:
        outcome = "interrupt"
        raise
    finally:
        NODE_SECONDS.of(graph, name, outcome).observe(perf_counter() - began)
