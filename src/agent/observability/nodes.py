"""Graphs whose runs are traced, and whose nodes are timed and traced where they are added."""

import inspect
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import aclosing, contextmanager
from functools import wraps
from time import perf_counter
from typing import Any, Literal, Self, cast

from langgraph.checkpoint.base import BaseCheckpointSaver
from langgraph.config import get_config
from langgraph.errors import GraphBubbleUp
from langgraph.graph import StateGraph
from langgraph.graph.state import CompiledStateGraph
from langgraph.runtime import RunControl, get_runtime
from langgraph.typing import ContextT, InputT, OutputT, StateT

from agent.drain import DRAIN
from agent.observability import tracing
from agent.observability.metrics import NODE_SECONDS, announce_node

TraceOf = Callable[[str], Awaitable[str | None]]
"""Gives the W3C traceparent that is kept of what a thread is about."""


class ObservedGraph(StateGraph[StateT, ContextT, InputT, OutputT]):
    """A `StateGraph` whose nodes are timed as `desk_node_seconds`, and whose runs and nodes are traced.

    Args:
        graph: its name there.
        state_schema: as `StateGraph` takes it, like the other schemas.
        operation: what a run is called, by OpenTelemetry's conventions for GenAI.
        trace_of: where the trace of a run's thread is kept.
    """

    def __init__(
        self,
        graph: str,
        state_schema: type[StateT],
        *,
        operation: Literal["invoke_workflow", "invoke_agent"] = "invoke_workflow",
        trace_of: TraceOf | None = None,
        **schemas: Any,
    ) -> None:
        super().__init__(state_schema, **schemas)
        self.graph_name, self.operation, self.trace_of = graph, operation, trace_of

    def add_node(self, node: Any, action: Any = None, **how: Any) -> Self:
        """Add a node, with whatever `StateGraph.add_node` takes."""
        name, act = (node.__name__, node) if action is None else (node, action)
        return super().add_node(name, _observed(self.graph_name, name, act), **how)

    def compile(self, *args: Any, **how: Any) -> CompiledStateGraph[StateT, ContextT, InputT, OutputT]:
        """Compile, with whatever `StateGraph.compile` takes."""
        compiled = super().compile(*args, **how)
        compiled.__class__ = _ObservedRuns  # what it makes is named in its source; copies keep the class
        return compiled


class _ObservedRuns(CompiledStateGraph[StateT, ContextT, InputT, OutputT]):
    """A graph whose runs are spans and can be drained; `ainvoke` and the server come through here."""

    def astream(self, input: Any, config: Any = None, **how: Any) -> AsyncIterator[Any]:
        """Run, as `Pregel.astream` does, until the worker is to stop."""

        def start(control: RunControl) -> AsyncIterator[Any]:
            return self._begun_once(input, config, {**how, "control": control})

        return DRAIN.parts(start)

    async def _begun_once(self, given: Any, config: Any, how: Any) -> AsyncIterator[Any]:
        """A run that the engine begins again, because it was held or cut, goes on from its checkpoint: with its input
        it would say a customer's message twice."""
        if await self._has_begun(config):
            given, config = None, {**config, "configurable": {**config["configurable"], "checkpoint_id": None}}
        runs = self._traced if tracing.is_on() else super().astream
        async with aclosing(cast(Any, runs)(given, config, **how)) as parts:
            async for part in parts:
                yield part

    async def _has_begun(self, config: Any) -> bool:
        """Whether the thread's last checkpoint is of this run, whose id the server gives with its metadata."""
        run_id = ((config or {}).get("metadata") or {}).get("run_id")
        if not run_id or not isinstance(self.checkpointer, BaseCheckpointSaver):
            return False
        thread = {"thread_id": config["configurable"]["thread_id"], "checkpoint_ns": ""}
        last = await self.checkpointer.aget_tuple({"configurable": thread})
        return bool(last and last.metadata.get("run_id") == run_id)

    async def _traced(self, given: Any, config: Any, **how: Any) -> AsyncIterator[Any]:
        config = config or {}
        graph, configurable = cast(ObservedGraph[Any, Any, Any, Any], self.builder), config.get("configurable", {})
        thread_id = str(configurable.get("thread_id", ""))
        parent = await graph.trace_of(thread_id) if graph.trace_of else None
        with tracing.run(graph.graph_name, graph.operation, thread_id, parent) as run:
            inside: Any = {**config, "configurable": {**configurable, tracing.TRACEPARENT: run}}
            async with aclosing(cast(Any, super().astream(given, inside, **how))) as parts:
                async for part in parts:
                    yield part


def _observed(graph: str, name: str, node: Callable[..., Any]) -> Callable[..., Any]:
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
        if tracing.is_on():
            run = get_config().get("configurable", {}).get(tracing.TRACEPARENT)
            info = get_runtime().execution_info
            about: dict[str, Any] = {"desk.node": name, "desk.attempt": info.node_attempt if info else 1}
            with tracing.span(name, run, **about):
                yield
        else:
            yield
        outcome = "ok"
    except GraphBubbleUp:
        outcome = "interrupt"
        raise
    finally:
        NODE_SECONDS.of(graph, name, outcome).observe(perf_counter() - began)
