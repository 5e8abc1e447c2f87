"""Where traces go in tests: OTLP over HTTP (protobuf) and LangSmith's wire form, on a free loopback port.

It keeps what it was sent, as it came and read. What must be in it is said by the tests.
"""

import gzip
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Thread
from types import TracebackType
from typing import Any, Final, NamedTuple, Self

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from agent.observability import tracing

PATIENCE: Final = 20.0
INGEST: Final = {
    "use_multipart_endpoint": False,
    "scale_up_qsize_trigger": 1_000,
    "scale_up_nthreads_limit": 16,
    "scale_down_nempty_trigger": 4,
    "size_limit": 100,
    "size_limit_bytes": 20_971_520,
}
"""LangSmith's own words at `/info`, of a server that takes batches as JSON."""


class Span(NamedTuple):
    """A span as it arrived."""

    trace: str
    id: str
    parent: str
    name: str
    is_red: bool
    seconds: float
    attributes: dict[str, Any]
    events: list[tuple[str, dict[str, Any]]]


class TraceSink:
    """A server of both. `delay` seconds pass before any answer, such as of one that hangs."""

    def __init__(self, delay: float = 0.0) -> None:
        self.bodies: list[bytes] = []
        self.spans: list[Span] = []
        self.runs: dict[str, dict[str, Any]] = {}
        self._came, self._ends = Event(), Event()
        sink = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                sink._ends.wait(delay)
                self._answer({"version": "0", "batch_ingest_config": INGEST})

            def do_POST(self) -> None:
                sink._ends.wait(delay)
                body = self.rfile.read(int(self.headers["content-length"]))
                body = gzip.decompress(body) if self.headers.get("content-encoding") == "gzip" else body
                sink.bodies.append(body)
                if self.path == "/v1/traces":
                    sink.spans += _spans(body)
                elif self.path == "/runs/batch":
                    sink._keep(json.loads(body))
                sink._came.set()
                self._answer({})

            def _answer(self, body: object) -> None:
                self.send_response(200)
                self.end_headers()
                self.wfile.write(json.dumps(body).encode() if self.path != "/v1/traces" else b"")

            def log_message(self, *_: object) -> None:
                """Not among what the tests say."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> Self:
        Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        self._ends.set()
        self._server.shutdown()
        self._server.server_close()

    def until(self, so: Callable[[], object]) -> None:
        """Wait until what came makes it so. Raises AssertionError after `PATIENCE`."""
        for _ in range(int(PATIENCE / 0.05)):
            if so():
                return
            self._came.wait(0.05)
            self._came.clear()
        raise AssertionError("it never came")

    def _keep(self, batch: dict[str, Any]) -> None:
        for run in [*batch.get("post", ()), *batch.get("patch", ())]:
            known = self.runs.setdefault(run["id"], {})
            known |= {key: value for key, value in run.items() if value is not None}


def _spans(body: bytes) -> Iterator[Span]:
    request = ExportTraceServiceRequest.FromString(body)
    for span in (span for one in request.resource_spans for scope in one.scope_spans for span in scope.spans):
        yield Span(
            span.trace_id.hex(),
            span.span_id.hex(),
            span.parent_span_id.hex(),
            span.name,
            span.status.code == span.status.STATUS_CODE_ERROR,
            (span.end_time_unix_nano - span.start_time_unix_nano) / 1e9,
            _values(span.attributes),
            [(event.name, _values(event.attributes)) for event in span.events],
        )


def _values(pairs: Any) -> dict[str, Any]:
    return {pair.key: getattr(pair.value, pair.value.WhichOneof("value")) for pair in pairs}


@contextmanager
def traced() -> Iterator[list[Span]]:
    """What happens meanwhile is traced; the spans have arrived when it ends."""
    with TraceSink() as sink:
        stop = tracing.start(sink.url)
        try:
            yield sink.spans
        finally:
            stop()


def named(spans: list[Span], name: str) -> list[Span]:
    """Those of this name."""
    return [span for span in spans if span.name == name]
