"""The edge: what a request must be before any part of the server sees it. A listed path, a size, text that can be kept.

The platform puts the middleware of its custom app around the whole server, so that this stands before authentication
and before routes that the platform adds for itself. Who may do what is in `auth`.
"""

import asyncio
import re
from typing import Final

from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from agent.drain import DRAIN
from agent.text import RULE

PATHS: Final = frozenset(
    ("assistants", "threads", "runs", "store", "mcp", "a2a", ".well-known", "ok", "info", "docs", "openapi.json",
     "ops", "webhooks", "desk")
)  # fmt: skip
"""First parts of the paths that are served: of the platform's documented API, of MCP and A2A, and our own. Whatever
else the platform serves, on the development server ahead of authentication, is answered 404."""

LONGEST_PATH: Final = 1_000
"""Characters of path and query."""
LARGEST_HEADERS: Final = 16 * 1024
"""Bytes of all headers' names and values: a JWT has a few hundred."""
LARGEST_BODY: Final = 256 * 1024
"""Bytes, also of one WebSocket message. The longest message of a customer takes 96 kB, each character escaped twice."""
SLOWEST_BODY_SECONDS: Final = 30.0

_UNSTORABLE: Final = re.compile(rb"\0|(?<!\\)(?:\\\\)*\\u0000")
"""NUL, as it is or escaped in JSON; after an even number of backslashes, or it is those words themselves."""


_CANCELS: Final = re.compile(rb'"on_disconnect"\s*:\s*"cancel"')
"""In a body: unescaped quotes, so that nobody's words are meant."""
_CANCELS_JOINED: Final = re.compile(rb"(?<![^&])cancel_on_disconnect=[^&]*&?", re.IGNORECASE)
"""In a query. Nobody may cancel a run (`auth.index_thread`), and the platform would try to in the name of whoever goes
away, be refused, and log that as an error of its own: what has begun goes on."""


_STARTS: Final = re.compile(r"/(?:threads/[^/]+/)?(?:runs(?:/(?:wait|stream|batch))?|commands)/?|/(?:mcp|a2a)(?:/.*)?")
"""Paths that a POST starts a run by."""
_CUT_OFF: Final = "this worker stops, and did not see this to its end: look what became of it before you send it again"
RETRY_SECONDS: Final = 5
"""When another worker may be there, or this one again, as `Retry-After`."""


class Edge:
    """ASGI middleware: refuses what is not listed or too large, with a `detail` as the platform's errors have."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):  # the server's own start and end
            return await self._app(scope, receive, send)
        try:
            _check_head(scope)
            scope["query_string"] = _CANCELS_JOINED.sub(b"", scope["query_string"])
            if scope["type"] == "http":
                receive = await _whole_body(scope, receive)
            else:
                receive = _bounded_messages(receive, send)
        except RefusedError as error:
            return await _refuse(error, scope, receive, send)
        answers = False

        async def answering(message: Message) -> None:
            nonlocal answers
            answers = True
            await send(message)

        try:
            async with DRAIN.answering():
                await self._app(scope, receive, answering)
        except TimeoutError:
            if not DRAIN.begun:
                raise
            if not answers:
                await _refuse(RefusedError(503, _CUT_OFF), scope, receive, send)


class RefusedError(Exception):
    """A request that goes no further; `status` is the HTTP status to answer with."""

    def __init__(self, status: int, why: str) -> None:
        super().__init__(why)
        self.status = status


def _check_head(scope: Scope) -> None:
    """Path, query and headers. Raises `RefusedError`."""
    path: str = scope["path"]
    first, *others = path.removeprefix("/").split("/")
    if not path.startswith("/") or first not in PATHS or {".", ".."} & {*others} or "" in others[:-1]:
        raise RefusedError(404, "Not Found")
    if DRAIN.begun and scope.get("method") == "POST" and _STARTS.fullmatch(path):
        raise RefusedError(503, "this worker stops and takes no new run: send it again")
    if "\0" in path or b"%00" in scope["query_string"]:
        raise RefusedError(422, RULE)
    if len(path) + len(scope["query_string"]) > LONGEST_PATH:
        raise RefusedError(414, f"path and query are longer than {LONGEST_PATH} characters")
    if sum(len(name) + len(value) for name, value in scope["headers"]) > LARGEST_HEADERS:
        raise RefusedError(431, f"the headers are larger than {LARGEST_HEADERS} bytes")


async def _whole_body(scope: Scope, receive: Receive) -> Receive:
    """Read the body, which is then handed on in one piece. Raises `RefusedError`."""
    too_large = RefusedError(413, f"the body is larger than {LARGEST_BODY} bytes")
    announced = dict(scope["headers"]).get(b"content-length", b"0")
    if announced.isdigit() and int(announced) > LARGEST_BODY:
        raise too_large
    body = b""
    try:
        async with asyncio.timeout(SLOWEST_BODY_SECONDS):
            while True:
                message = await receive()
                body += message.get("body", b"")
                if len(body) > LARGEST_BODY:
                    raise too_large
                if not message.get("more_body"):
                    break
    except TimeoutError:
        raise RefusedError(408, f"the body took longer than {SLOWEST_BODY_SECONDS:.0f} s") from None
    if _UNSTORABLE.search(body):
        raise RefusedError(422, RULE)
    body = _CANCELS.sub(b'"on_disconnect":"continue"', body)
    whole = [{**message, "body": body} if message["type"] == "http.request" else message]

    async def handed_on() -> Message:
        return whole.pop() if whole else await receive()

    return handed_on


def _bounded_messages(receive: Receive, send: Send) -> Receive:
    """A WebSocket is closed whose client sends a message that is too large (1009) or can't be kept (1007)."""

    async def bounded() -> Message:
        message = await receive()
        said = (message.get("text") or "").encode() or message.get("bytes") or b""
        code = 1009 if len(said) > LARGEST_BODY else 1007 if _UNSTORABLE.search(said) else None
        if code is None:
            return message
        await send({"type": "websocket.close", "code": code})
        return {"type": "websocket.disconnect", "code": code}

    return bounded


async def _refuse(refused: RefusedError, scope: Scope, receive: Receive, send: Send) -> None:
    if scope["type"] == "websocket":
        await send({"type": "websocket.close", "code": 1008})
    else:
        headers = {"retry-after": str(RETRY_SECONDS)} if refused.status == 503 else None
        await JSONResponse({"detail": str(refused)}, refused.status, headers)(scope, receive, send)
