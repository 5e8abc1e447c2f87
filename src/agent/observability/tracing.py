"""Traces by OpenTelemetry: runs, nodes, calls of what is outside, waits for people, and events as marks (extra `otel`).

Off, and next to free, until `start`. A run is a span in the trace of what it is about: an order's is kept in the ledger
and handed in here as a W3C traceparent; a conversation's has the thread's id. Spans hold ids, enums and amounts.
A dead endpoint costs a run nothing: the queue is bounded, and an exit waits 1 s at most.
"""

import atexit
import re
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from threading import Thread
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

from langgraph.errors import GraphBubbleUp

from agent.observability.vocabulary import EventName, Fields

if TYPE_CHECKING:
    from opentelemetry.trace import Span, Tracer

QUEUE_SPANS: Final = 2_048
SEND_EVERY_MS: Final = 1_000
SEND_SECONDS: Final = 1.0
EXIT_SECONDS: Final = 1.0

WAITING: Final = "waiting"

TRACEPARENT: Final = "__traceparent"
"""Key of a run's configurable under which its nodes find it; two underscores keep it out of checkpoints."""
_SERVICE: Final = "order-desk"
_KINDS: Final = {"invoke_agent": "AGENT", "execute_tool": "TOOL", "chat": "LLM"}
"""OpenInference's, by the operation of OpenTelemetry's GenAI conventions."""
_PARENT: Final = re.compile(r"00-([0-9a-f]{32})-([0-9a-f]{16})-[0-9a-f]{2}")

_tracer: "Tracer | None" = None
_wanted: ContextVar[int | None] = ContextVar("trace of the next root", default=None)


def start(endpoint: str) -> Callable[[], None]:
    """Send traces to this OTLP/HTTP endpoint until the process ends, or what is returned is called."""
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter  # noqa: PLC0415
    from opentelemetry.sdk.resources import Resource  # noqa: PLC0415
    from opentelemetry.sdk.trace import TracerProvider  # noqa: PLC0415
    from opentelemetry.sdk.trace.export import BatchSpanProcessor  # noqa: PLC0415
    from opentelemetry.sdk.trace.id_generator import RandomIdGenerator  # noqa: PLC0415

    class Ids(RandomIdGenerator):
        """A conversation's trace has its thread's id."""

        def generate_trace_id(self) -> int:
            return _wanted.get() or super().generate_trace_id()

    global _tracer  # noqa: PLW0603  (one a process, as metrics are)
    sends = OTLPSpanExporter(f"{endpoint.rstrip('/')}/v1/traces", timeout=SEND_SECONDS)
    resource = Resource.create({"service.name": _SERVICE, "openinference.project.name": _SERVICE})
    provider = TracerProvider(resource=resource, id_generator=Ids(), shutdown_on_exit=False)
    queue = BatchSpanProcessor(sends, max_queue_size=QUEUE_SPANS, schedule_delay_millis=SEND_EVERY_MS)
    provider.add_span_processor(queue)
    _tracer = provider.get_tracer(_SERVICE)

    def stop() -> None:
        global _tracer  # noqa: PLW0603
        _tracer = None
        atexit.unregister(stop)
        last = Thread(target=provider.shutdown, daemon=True)
        last.start()
        last.join(EXIT_SECONDS)

    atexit.register(stop)
    return stop


def is_on() -> bool:
    """Whether anything is traced."""
    return _tracer is not None


@contextmanager
def run(name: str, operation: str, thread_id: str, parent: str | None) -> Iterator[str | None]:
    """A run of a graph, in the trace of `parent`; of an agent, in that of its thread. Gives what its nodes are under.

    It is nobody's current span: whoever reads the run's stream goes on in between.
    """
    if _tracer is None:
        yield None
        return
    about = {"gen_ai.operation.name": operation, "gen_ai.conversation.id": thread_id}
    kind = "gen_ai.agent.name" if operation == "invoke_agent" else "gen_ai.workflow.name"
    from opentelemetry.context import Context  # noqa: PLC0415

    of_thread = _wanted.set(_trace_of(thread_id) if operation == "invoke_agent" else None)
    try:
        above = _context(parent) or Context()
        span = _started(f"{operation} {name}", about | {kind: name}, context=above)
    finally:
        _wanted.reset(of_thread)
    try:
        yield _traceparent(span)
    except Exception as error:
        _failed(span, error)
        raise
    finally:
        span.end()


@contextmanager
def span(name: str, parent: str | None = None, /, **attributes: str | int | float | bool) -> Iterator["Span | None"]:
    """Something that takes time, as the current span: beneath the one that is, or in the trace of `parent`.

    One that ends by asking people says so, and is not red.
    """
    if _tracer is None:
        yield None
        return
    from opentelemetry.trace import use_span  # noqa: PLC0415

    current = _started(name, attributes, context=_context(parent))
    with use_span(current, end_on_exit=True, record_exception=False, set_status_on_exception=False):
        try:
            yield current
        except GraphBubbleUp:
            current.set_attribute("desk.outcome", WAITING)
            raise
        except Exception as error:
            _failed(current, error)
            raise


def describe(**attributes: str | int) -> None:
    """Say this of the current span."""
    if _tracer is not None:
        from opentelemetry.trace import get_current_span  # noqa: PLC0415

        get_current_span().set_attributes(attributes)


def traceparent() -> str | None:
    """The current span, as W3C writes it; None when nothing is traced."""
    if _tracer is None:
        return None
    from opentelemetry.trace import get_current_span  # noqa: PLC0415

    current = get_current_span()
    return _traceparent(current) if current.get_span_context().is_valid else None


def is_within(parent: str) -> bool:
    """Whether the current span is in the trace of this one."""
    return (traceparent() or "")[:35] == parent[:35]


def mark(event: EventName, fields: Fields) -> None:
    """An event on the current span; a decision is the wait that it ended, too."""
    if _tracer is None:
        return
    from opentelemetry.trace import get_current_span  # noqa: PLC0415

    said: dict[str, Any] = {key: value for key, value in fields.items() if value is not None}
    get_current_span().add_event(event, said)
    if event == "approval.decided":
        _waited(said)


def called(dependency: str, outcome: str, seconds: float) -> None:
    """A call of what is outside that ended just now."""
    if _tracer is None or not traceparent():
        return
    from opentelemetry.trace import SpanKind, Status, StatusCode  # noqa: PLC0415

    now = time.time_ns()
    began, about = now - int(seconds * 1e9), {"desk.dependency": dependency, "desk.outcome": outcome}
    call = _started(f"call {dependency}", about, kind=SpanKind.CLIENT, start_time=began)
    if outcome not in ("ok", "rejected", "neutral"):
        call.set_status(Status(StatusCode.ERROR, outcome))
    call.end(now)


def _waited(decided: dict[str, Any]) -> None:
    """From when it was their turn until they decided: a span that says so, beneath what goes on from there."""
    now, role = time.time_ns(), str(decided.get("role", ""))
    began, about = now - int(decided.get("seconds", 0.0) * 1e9), {"desk.outcome": WAITING, "desk.role": role}
    wait = _started(f"waiting for {role}", about, start_time=began)
    wait.add_event("approval.decided", decided, timestamp=now)
    wait.end(now)


def _started(name: str, about: Mapping[str, Any], **how: Any) -> "Span":
    """A span, with OpenInference's kind: viewers know none of GenAI's workflows, and none of what is not GenAI's."""
    assert _tracer  # noqa: S101  (of whoever asks)
    kind = _KINDS.get(about.get("gen_ai.operation.name", ""), "CHAIN")
    return _tracer.start_span(name, attributes={**about, "openinference.span.kind": kind}, **how)


def _failed(span: "Span", error: Exception) -> None:
    from opentelemetry.trace import Status, StatusCode  # noqa: PLC0415

    span.set_status(Status(StatusCode.ERROR, type(error).__name__))


def _trace_of(thread_id: str) -> int | None:
    try:
        return UUID(thread_id).int or None
    except ValueError:
        return None


def _traceparent(span: "Span") -> str:
    context = span.get_span_context()
    return f"00-{context.trace_id:032x}-{context.span_id:016x}-{int(context.trace_flags):02x}"


def _context(parent: str | None) -> Any:
    """None: the current one. An unreadable parent is none."""
    found = _PARENT.fullmatch(parent or "")
    if not found:
        return None
    from opentelemetry.trace import (  # noqa: PLC0415
        NonRecordingSpan,
        SpanContext,
        TraceFlags,
        set_span_in_context,
    )

    ids = SpanContext(int(found[1], 16), int(found[2], 16), is_remote=True, trace_flags=TraceFlags(1))
    return set_span_in_context(NonRecordingSpan(ids))
