"""An answer that goes on for long ends when its caller's token does: revoked, expired, or another's by now."""

import asyncio
import time
from contextlib import suppress
from typing import Final

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from agent.identity import Caller, caller_of
from agent.observability.events import emit
from agent.server.caller_credentials import CredentialError, caller_behind, token_in
from agent.settings import settings

CHECK_EVERY_SECONDS: Final = 0.5
"""How old the last look at the token may be when something is sent. The platform sends a sign of life each 5 s."""


class Revocation:
    """ASGI middleware: looks at the token again before it sends what comes `CHECK_EVERY_SECONDS` after it last did."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        token = token_in(dict(scope.get("headers", [])))
        if not token:  # the server's own start, its calls to itself, Studio, open paths
            await self._app(scope, receive, send)
            return
        looked_at, over, heard_before = time.monotonic(), asyncio.Event(), False

        async def checked(message: Message) -> None:
            nonlocal looked_at
            if over.is_set():
                return
            if time.monotonic() - looked_at >= CHECK_EVERY_SECONDS:
                looked_at = time.monotonic()
                if not await _still_holds(token, scope):
                    over.set()
                    emit("stream.ended")
                    for last in _end(message):
                        await send(last)
                    return
            await send(message)

        async def heard() -> Message:
            nonlocal heard_before
            if not heard_before:  # nearly always all that there is
                heard_before = True
                return await receive()
            return await _first_of(receive, over, scope)

        await self._app(scope, heard, checked)


async def _still_holds(token: str, scope: Scope) -> bool:
    """Whether the token still stands for whom authentication took it for; on open paths that is nobody."""
    known: Caller | None = None
    with suppress(PermissionError):
        known = caller_of(scope.get("user"))
    try:
        return known is None or known == await asyncio.to_thread(caller_behind, token, settings())
    except CredentialError:
        return False


async def _first_of(receive: Receive, over: asyncio.Event, scope: Scope) -> Message:
    """What the client does next, or that it is gone: so whoever streams hears that nobody listens any more."""
    client, end = asyncio.ensure_future(receive()), asyncio.ensure_future(over.wait())
    try:
        await asyncio.wait((client, end), return_when=asyncio.FIRST_COMPLETED)
        return {"type": f"{scope['type']}.disconnect", "code": 1008} if over.is_set() else client.result()
    finally:
        client.cancel()
        end.cancel()


def _end(message: Message) -> list[Message]:
    """What is sent in a message's place, and ends the answer."""
    if message["type"].startswith("websocket"):
        return [{"type": "websocket.close", "code": 1008}]
    begun = [] if message["type"] == "http.response.body" else [{**message, "status": 401, "headers": []}]
    return [*begun, {"type": "http.response.body", "body": b"", "more_body": False}]
