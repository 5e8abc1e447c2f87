"""LangSmith's API as far as an experiment needs it, over real HTTP on a free loopback port: what was sent is kept."""

import json
from email import message_from_bytes
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Lock, Thread
from types import TracebackType
from typing import Any, Self, cast
from urllib.parse import parse_qs, urlsplit
from uuid import uuid4

MADE_AT = "2026-06-01T12:00:00+00:00"


class LangSmithSink:
    """Use it as a context manager. `url` is for LANGSMITH_ENDPOINT; `keys` are the credentials that were sent."""

    def __init__(self) -> None:
        self.datasets: dict[str, dict[str, Any]] = {}
        self.examples: dict[str, dict[str, Any]] = {}
        self.experiments: list[dict[str, Any]] = []
        self.feedback: list[dict[str, Any]] = []
        self.runs = bytearray()
        self.keys: set[str | None] = set()
        self.lock = Lock()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._thread = Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02})
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def scores(self, key: str) -> list[float]:
        """What was said of the conversations by this measure."""
        return [each["score"] for each in self.feedback if each["key"] == key]

    def answer(self, method: str, path: str, query: dict[str, list[str]], body: bytes) -> object:
        """What LangSmith would answer."""
        match method, path:
            case "GET", "/info":
                return {"version": "0.15.1"}
            case "GET", "/datasets":
                return [each for each in self.datasets.values() if each["name"] in query["name"]]
            case "POST", "/datasets":
                made = {"id": str(uuid4()), "created_at": MADE_AT} | json.loads(body)
                self.datasets[made["name"]] = made
                return made
            case "GET", path if path.startswith("/datasets/"):
                return next(each for each in self.datasets.values() if each["id"] == path.rpartition("/")[2])
            case _, "/examples" | "/examples/bulk":
                return self._examples(method, query, body)
            case "POST", "/sessions":
                made = {"tenant_id": str(uuid4()), "start_time": MADE_AT} | json.loads(body)
                self.experiments.append(made)
                return made
            case "PATCH", path if path.startswith("/sessions/"):
                made = next(each for each in self.experiments if each["id"] == path.rpartition("/")[2])
                made |= json.loads(body)
                return made
            case "POST", "/runs/multipart":
                for name, content in _parts(body):
                    if name.startswith("feedback."):
                        self.feedback.append(json.loads(content))
                    else:
                        self.runs += content
        return {}

    def _examples(self, method: str, query: dict[str, list[str]], body: bytes) -> object:
        if method == "GET":
            offset = int(query.get("offset", ["0"])[0])
            return list(self.examples.values())[offset:][: int(query.get("limit", ["100"])[0])]
        given = json.loads(body)
        for each in given:
            known = self.examples.get(each["id"], {"created_at": MADE_AT})
            self.examples[each["id"]] = known | {name: value for name, value in each.items() if value is not None}
        return [self.examples[each["id"]] for each in given] if method == "POST" else {"count": len(given)}


def _parts(body: bytes) -> list[tuple[str, bytes]]:
    """The parts of a form by name."""
    boundary = body.split(b"\r\n", 1)[0].removeprefix(b"--")
    form = message_from_bytes(b'Content-Type: multipart/form-data; boundary="' + boundary + b'"\r\n\r\n' + body)
    parts = [part for part in form.walk() if not part.is_multipart()]
    return [
        (str(part.get_param("name", header="content-disposition")), cast(bytes, part.get_payload(decode=True)))
        for part in parts
    ]


def _handler(sink: LangSmithSink) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def _answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            url = urlsplit(self.path)
            with sink.lock:
                sink.keys.add(self.headers["x-api-key"])
                answer = sink.answer(self.command, url.path, parse_qs(url.query), body)
            said = json.dumps(answer).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(said)))
            self.end_headers()
            self.wfile.write(said)

        def do_GET(self) -> None:
            self._answer()

        def do_POST(self) -> None:
            self._answer()

        def do_PATCH(self) -> None:
            self._answer()

        def log_message(self, format: str, *args: Any) -> None:
            """Keep the test run's output clean."""

    return Handler
