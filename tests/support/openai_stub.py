"""A scripted OpenAI-compatible server: real HTTP on a free loopback port, no model behind it.

It answers `POST /v1/chat/completions` step by step and remembers what it was asked. It judges nothing.
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Lock, Thread
from types import TracebackType
from typing import Any, Self

from agent.assistant.models import Understanding


@dataclass(frozen=True)
class Step:
    """One answer: after `delay_seconds` a status and a body, of which None hangs up without a word."""

    status: int = 200
    body: bytes | None = b""
    delay_seconds: float = 0.0


def completes(content: str | None, *, finish_reason: str | None = "stop", **message: Any) -> Step:
    """A chat completion whose message has this content."""
    completion = {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 0,
        "model": "scripted",
        "choices": [
            {
                "index": 0,
                "finish_reason": finish_reason,
                "message": {"role": "assistant", "content": content, **message},
            }
        ],
        "usage": {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2},
    }
    return Step(body=json.dumps(completion).encode())


def calls(*tools: tuple[str, Any], content: str | None = None) -> Step:
    """An answer that calls tools, each by its name with these arguments: JSON of them, or the text as it is."""
    made = [
        {
            "id": f"call_{number}",
            "type": "function",
            "function": {"name": name, "arguments": given if isinstance(given, str) else json.dumps(given)},
        }
        for number, (name, given) in enumerate(tools)
    ]
    return completes(content, finish_reason="tool_calls", tool_calls=made)


def understands(understanding: Understanding) -> Step:
    """A good answer."""
    return completes(understanding.model_dump_json())


def fails(status: int) -> Step:
    """An HTTP error, with the body that OpenAI gives it."""
    return Step(status=status, body=json.dumps({"error": {"message": "scripted", "type": "error"}}).encode())


def hangs() -> Step:
    """No answer until the stub is closed."""
    return Step(body=None, delay_seconds=3600.0)


class OpenAIStub:
    """Plays a script, one step a request, of which the last is repeated; or answers as a function of the request says.

    Use it as a context manager. `url` is the base URL for a client, `requests` the JSON bodies received so far.
    """

    def __init__(self, script: Sequence[Step] | Callable[[dict[str, Any]], Step]) -> None:
        self._script = script
        self._lock = Lock()
        self._closing = Event()
        self.requests: list[dict[str, Any]] = []
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = False  # closing waits for the answers under way
        self._thread = Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02})
        self.url = f"http://127.0.0.1:{self._server.server_port}/v1"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._closing.set()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def _next(self, request: dict[str, Any]) -> Step:
        with self._lock:
            self.requests.append(request)
            number = len(self.requests)
        if callable(self._script):
            return self._script(request)
        return self._script[min(number, len(self._script)) - 1]

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        stub = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                if self.path != "/v1/chat/completions":
                    self.send_error(404)
                    return
                step = stub._next(json.loads(body))
                stub._closing.wait(step.delay_seconds)
                if step.body is None:
                    return
                self.send_response(step.status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(step.body)))
                self.end_headers()
                self.wfile.write(step.body)

            def log_message(self, format: str, *args: Any) -> None:
                """Keep the test run's output clean."""

        return Handler
