"""The desk on aegra, an open engine of the platform's API on PostgreSQL and Redis: what `aegra.json` names.

The handlers of `auth` stay what decides. Around them this room makes up for what the engine does otherwise. It gives
a thread to one identity, which its routes look for and nothing else: so each owner of threads is an identity of its own
(`identity.owner_of`), and one who may do something on everybody's threads is let in under the owner's, with who they
are beside it as `subject`. Runs are checked before the engine reads them, as the value that the platform would give,
and one at a time a thread, since the engine starts every run at once.
"""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from contextvars import ContextVar
from types import SimpleNamespace
from typing import Any, Final, TypeVar
from uuid import uuid4

from aegra_api.core.auth_middleware import get_auth_instance
from aegra_api.core.orm import Thread, _get_session_maker
from aegra_api.settings import settings as engine_settings
from fastapi import HTTPException
from fastapi.exception_handlers import http_exception_handler
from langgraph_sdk import Auth
from sqlalchemy import func, select
from starlette.middleware import Middleware
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from agent.identity import SERVICE_IDENTITY, Caller, caller_of, owner_of
from agent.platform import api_client
from agent.server import auth as platform
from agent.server.aegra_doors import (
    Door,
    as_checked,
    as_on_the_platform,
    check_body,
    check_query,
    door,
    history_as_checked,
    thread_as_checked,
)
from agent.server.aegra_threads import router
from agent.server.caller_credentials import token_in
from agent.server.permissions import reach
from agent.server.resumes import client_of_caller
from agent.server.webapp import app
from agent.settings import settings
from agent.text import RULE, is_storable

__all__ = ["app", "auth"]

T = TypeVar("T")

OWN_ROOMS: Final = frozenset(("ops", "webhooks", "desk", "info", "ok"))
"""First parts of paths that are served by our own routes."""
TURN_SECONDS: Final = 60.0
"""How long a run waits for the one before it on its thread: a node's longest time."""
SETTLING_SECONDS: Final = 1.0
"""How long one waits that is to be refused on a busy thread: an interrupt is shown a little before it is kept."""

_CONNECTIONS: Final = engine_settings.pool.SQLALCHEMY_POOL_SIZE + engine_settings.pool.SQLALCHEMY_MAX_OVERFLOW
_turns: Final = asyncio.Semaphore(max(1, _CONNECTIONS // 3))
"""Of the engine's connections a run holds one while it is let in, and the engine takes up to two more to make it: if
such runs held them all, none would get on."""

_request: ContextVar[Scope] = ContextVar("request")
_as: ContextVar[str | None] = ContextVar("whose thread", default=None)
_checked: ContextVar[bool] = ContextVar("run was checked", default=False)

HANDLERS: Final[Any] = platform  # as `entry` lets them be: a server that is not fit to start has ended there
auth = Auth()


async def authenticate(headers: dict[str, str]) -> dict[str, Any]:  # noqa: ARG001
    """Who the platform's handler says that it is, as `subject`; their threads' owner, or the thread's, as identity."""
    scope = _request.get()
    user: dict[str, Any] = dict(await HANDLERS.authenticate(dict(scope["headers"]), scope["path"], scope))
    if not user["permissions"]:  # on paths that are open to anyone
        return user
    return {**user, "subject": user["identity"], "identity": _as.get() or _own(_caller(user))}


async def by_the_table(ctx: Auth.types.AuthContext, value: dict[str, Any]) -> Any:
    """As on the platform."""
    return await HANDLERS.by_the_table(ctx, value)


async def create_thread(ctx: Auth.types.AuthContext, value: dict[str, Any]) -> Any:
    """As on the platform, where a thread has metadata and an id before it is asked."""
    value["metadata"] = value.get("metadata") or {}
    value["thread_id"] = value.get("thread_id") or uuid4()
    return await HANDLERS.create_thread(ctx, value)


async def index_thread(ctx: Auth.types.AuthContext, value: dict[str, Any]) -> Any:
    """As on the platform."""
    return await HANDLERS.index_thread(ctx, value)


async def create_run(ctx: Auth.types.AuthContext, value: dict[str, Any]) -> bool:  # noqa: ARG001
    """A run comes by `Doors`, which had it checked, or not at all."""
    return _checked.get()


class RefusedError(Exception):
    """A request that goes no further; `status` is the HTTP status to answer with."""

    def __init__(self, status: int, why: str, headers: dict[str, str] | None = None) -> None:
        super().__init__(why)
        self.status = status
        self.headers = headers


class Doors:
    """ASGI middleware: lets in by `aegra_doors`, under whose identity the engine should look, a run when it is its
    turn."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
        elif scope["type"] == "http":
            await self._answer(scope, receive, send)
        else:
            await send({"type": "websocket.close", "code": 1008})

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        _request.set(scope)
        try:
            await self._enter(scope, receive, send)
        except RefusedError as error:
            await JSONResponse({"detail": str(error)}, error.status, error.headers)(scope, receive, send)

    async def _enter(self, scope: Scope, receive: Receive, send: Send) -> None:
        if get_auth_instance() is not auth:  # the engine lets everybody in when it can't load what guards it
            raise RefusedError(503, "aegra.json must name agent.server.aegra:auth")
        if scope["path"].split("/")[1] in OWN_ROOMS:
            await self._app(scope, receive, send)
        elif opened := door(scope["method"], scope["path"]):
            await self._through(opened, scope, receive, send)
        else:
            raise RefusedError(404, "Not Found")

    async def _through(self, opened: Door, scope: Scope, receive: Receive, send: Send) -> None:
        caller, user = await _authenticated(scope)
        if opened.thread and (owner := await _owner(opened.thread)) not in (None, _own(caller)):
            if reach(caller, settings(), opened.resource, opened.action) != "all":
                raise RefusedError(404, f"Thread with ID {opened.thread} not found")
            _as.set(owner)
        _readable(check_query, scope["query_string"])
        if opened.action == "create_run":
            await self._run(opened, user, (scope, receive, send))
            return
        if scope["method"] in ("POST", "PATCH"):
            body = await _json(receive)
            if opened.action == "create" and opened.resource == "threads":
                body = _readable(thread_as_checked, body)
                if caller.role == "service":  # a lost thread is made again, for the one whose it was
                    _as.set((body.get("metadata") or {}).get("owner"))
            elif scope["path"].endswith("/history"):
                body = _readable(history_as_checked, body)
            receive = _saying(body)
        await self._app(scope, receive, send)

    async def _run(self, opened: Door, user: dict[str, Any], asgi: tuple[Scope, Receive, Send]) -> None:
        scope, receive, send = asgi
        body = await _json(receive)
        value = _readable(as_on_the_platform, body, opened.thread)
        thread = opened.thread
        async with _turn(thread, value["multitask_strategy"] == "reject") as is_new:
            if thread and is_new and body.get("if_not_exists") != "create":
                raise RefusedError(404, f"Thread with ID {thread} not found")
            await _check(user, value, scope)
            _checked.set(True)
            started = asyncio.Event()

            async def sent(message: Message) -> None:
                started.set()
                await send(message)

            answering = asyncio.ensure_future(self._app(scope, _saying(as_checked(body, value)), sent))
            waiting = asyncio.create_task(started.wait())
            await asyncio.wait((answering, waiting), return_when=asyncio.FIRST_COMPLETED)
            waiting.cancel()
        await answering


async def _authenticated(scope: Scope) -> tuple[Caller, dict[str, Any]]:
    try:
        user = dict(await HANDLERS.authenticate(dict(scope["headers"]), scope["path"], scope))
    except Auth.exceptions.HTTPException as error:
        raise RefusedError(error.status_code, error.detail) from error
    try:
        return _caller(user), user
    except PermissionError as error:  # Studio, which this engine does not know
        raise RefusedError(403, str(error)) from error


async def _check(user: dict[str, Any], value: dict[str, Any], scope: Scope) -> None:
    """Have the platform's handler look at a run, and change it. Raises `RefusedError`."""
    token = token_in(dict(scope["headers"]))
    client_of_caller.set(lambda: api_client(settings().langgraph_api_url, token))
    context = Auth.types.AuthContext(
        user=SimpleNamespace(**user), permissions=user["permissions"], resource="threads", action="create_run"
    )
    try:
        await HANDLERS.create_run(context, value)
    except Auth.exceptions.HTTPException as error:
        raise RefusedError(error.status_code, error.detail, dict(error.headers or {})) from error


@asynccontextmanager
async def _turn(thread: str | None, must_be_free: bool) -> AsyncIterator[bool]:
    """Hold a thread, over all workers, while nothing runs on it; whether it is new. Raises `RefusedError`."""
    if thread is None:
        yield True
        return
    end: float | None = None
    while end is None or time.monotonic() < end:
        async with _turns, _get_session_maker()() as session:
            held = await session.scalar(select(func.pg_try_advisory_xact_lock(func.hashtextextended(thread, 0))))
            status = await session.scalar(select(Thread.status).where(Thread.thread_id == thread))
            if held and status != "busy":
                yield status is None
                return
        end = end or time.monotonic() + (SETTLING_SECONDS if must_be_free else TURN_SECONDS)
        await asyncio.sleep(0.05)
    raise RefusedError(409, "a run is at work on this thread: try again when it is done")


async def _owner(thread: str) -> str | None:
    async with _get_session_maker()() as session:
        found: str | None = await session.scalar(select(Thread.user_id).where(Thread.thread_id == thread))
        return found


def _caller(user: dict[str, Any]) -> Caller:
    return caller_of(SimpleNamespace(**user))


def _own(caller: Caller) -> str:
    """Under what the engine keeps this caller's threads. A cron's run comes with nothing else: the service account's
    says who it is."""
    return SERVICE_IDENTITY if caller.role == "service" else owner_of(caller)


async def _json(receive: Receive) -> dict[str, Any]:
    """The body, which `edge` hands on in one piece."""
    try:
        body = json.loads((await receive()).get("body", b""))
    except (ValueError, RecursionError):
        raise RefusedError(422, "the body is not JSON") from None
    if not isinstance(body, dict):
        raise RefusedError(422, "the body is a JSON object")
    if not is_storable(body):  # half a surrogate pair, which the platform's own reader refuses
        raise RefusedError(422, RULE)
    return body


def _readable(read: Callable[..., T], *what: Any) -> T:
    try:
        return read(*what)
    except ValueError as error:
        raise RefusedError(422, str(error)) from None


def _saying(body: dict[str, Any]) -> Receive:
    """The body that the engine reads; what our own rules have a word for was refused by them."""
    _readable(check_body, body)
    said = [{"type": "http.request", "body": json.dumps(body).encode(), "more_body": False}]
    over = asyncio.Event()

    async def receive() -> Message:
        if said:
            return said.pop()
        await over.wait()  # the client's going away changes nothing
        return {"type": "http.disconnect"}

    return receive


_guard: Any = auth  # the SDK types handlers by what the platform hands them
_guard.authenticate(authenticate)
_guard.on(by_the_table)
_guard.on.threads.create(create_thread)
_guard.on.threads.update(index_thread)
_guard.on.threads.create_run(create_run)

app.user_middleware.append(Middleware(Doors))  # the innermost: what it is handed has passed `edge`
app.router.routes += router.routes
app.exception_handlers[HTTPException] = http_exception_handler  # or the engine's drops `detail` and Retry-After
app.state.engine = "aegra-api"
