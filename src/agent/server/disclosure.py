"""What a customer is shown of the staff's side of their own threads and orders: the request's status, whose role it
waits for, and why it was rejected. No names, no notes of a yes, no risk, no seals.

The thread must hold the rest for the approvers' clients, as its interrupt, its state and its runs. So it is taken out
of what goes to a customer: every JSON answer, event stream and WebSocket, whatever route it comes by.
"""

import json
from typing import Any, Final

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from agent.identity import caller_of

_OF_STAFF: Final = frozenset(
    ("kwargs", "command", "user_id", "langgraph_auth_user", "langgraph_auth_user_id", "langgraph_auth_permissions")
)
"""What runs, checkpoints and configurations hold of who started them: for instance an approver, with an answer."""
_REQUEST: Final = frozenset(("request_id", "action_hash", "roles"))
"""By these a request is known (`approvals.models.ApprovalView`)."""
_SAID_BY: Final = frozenset(("said", "identity", "role"))
"""By these a kept answer is known (`approvals.gate.AnswerBy`)."""


def for_customer(value: Any) -> Any:
    """The value without what is the staff's."""
    if isinstance(value, list):
        return [for_customer(part) for part in value]
    if not isinstance(value, dict):
        return value
    if value.keys() >= _REQUEST:
        rejected = value.get("status") == "rejected"
        seen = {name: value.get(name) for name in ("request_id", "order_id", "status", "roles")}
        return seen | ({"note": value.get("note")} if rejected else {})
    if value.keys() >= _SAID_BY:
        return None
    return {name: for_customer(part) for name, part in value.items() if name not in _OF_STAFF}


class Disclosure:
    """ASGI middleware, outside of authentication: who is asking is known when the answer begins."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            return await self._app(scope, receive, send)
        answer: _Answer | None = None

        async def shown(message: Message) -> None:
            nonlocal answer
            if message["type"] in ("http.response.start", "websocket.accept") and _is_customers(scope):
                answer = _Answer(message)
            await send(answer.without_staff(message) if answer else message)

        return await self._app(scope, receive, shown)


class _Answer:
    """One answer on its way to a customer; what is not JSON is let through as it is."""

    def __init__(self, start: Message) -> None:
        kind = dict(start.get("headers", [])).get(b"content-type", b"")
        self._lines = kind.startswith(b"text/event-stream")
        self._whole = kind.startswith(b"application/json")
        self._rest = b""

    def without_staff(self, message: Message) -> Message:
        """The message as the customer gets it; an unfinished line, or document, waits for its end."""
        if message["type"] == "websocket.send" and message.get("text"):
            return {**message, "text": _document(message["text"].encode()).decode()}
        if message["type"] == "http.response.start" and self._whole:
            kept = [(name, value) for name, value in message["headers"] if name.lower() != b"content-length"]
            return {**message, "headers": kept}
        if message["type"] != "http.response.body" or not (self._lines or self._whole):
            return message
        last = not message.get("more_body")
        text = self._rest + message.get("body", b"")
        if self._lines:
            *lines, self._rest = text.split(b"\n")
            return {**message, "body": b"".join(_line(line) + b"\n" for line in lines) + (_line(self._rest) * last)}
        if not text.strip():  # sent so that nobody takes the connection for dead
            return message
        self._rest = b"" if last else text
        return {**message, "body": _document(text) if last else b""}


def _line(line: bytes) -> bytes:
    if not line.startswith(b"data:"):
        return line
    end = b"\r" if line.endswith(b"\r") else b""
    return b"data: " + _document(line.removeprefix(b"data:")) + end


def _document(text: bytes) -> bytes:
    """JSON without what is the staff's. What can't be read is not shown."""
    try:
        value = for_customer(json.loads(text))
    except (ValueError, RecursionError):
        return b"null"
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")


def _is_customers(scope: Scope) -> bool:
    try:
        return caller_of(scope.get("user")).role == "customer"
    except PermissionError:
        return False
