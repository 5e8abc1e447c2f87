"""Who may do what on the platform's API. Everything is denied unless the table in `permissions` allows it.

A caller is known by a token (`x-api-key`, or `Authorization: Bearer`). These handlers are the outer wall; the gate and
the ledger are the inner one, and trust nothing that is said here but the identity.
"""

import asyncio
from typing import Any, Final

from langgraph_sdk import Auth
from langgraph_sdk.auth.types import StudioUser

from agent.identity import STUDIO_IDENTITY, Caller, caller_of, owner_of
from agent.observability.events import emit
from agent.platform import is_order_thread
from agent.server.caller_credentials import CredentialError, caller_behind, token_in
from agent.server.limits import TooManyError, throttle
from agent.server.permissions import Scope, reach
from agent.server.resumes import check_answer, check_checkpoint, check_message
from agent.server.rules import RunRefusedError, check_metadata, check_run, is_message
from agent.settings import Settings, settings

auth = Auth()

OPEN_PATHS: Final = frozenset(("/ops/health", "/ops/ready"))
"""Custom routes that anyone may read."""

OPEN_ROOM: Final = "/desk/"
"""The page of the desk, which holds no data: with whose token it asks for that, whoever opens it says."""

SIGNED_PATHS: Final = "/webhooks/"
"""Custom routes that know their callers by a signature."""

LOOPBACK: Final = frozenset(("127.0.0.1", "::1", "localhost"))
"""Addresses of clients, and names of this server, that Studio is let in from and under."""

STUDIO_ORIGIN: Final = "https://smith.langchain.com"
"""The page that Studio is; other pages of CORS' list bring tokens of their own."""

INDEX: Final = frozenset(("awaiting", "escalated_to", "due", "request_type", "request_id", "order_id"))
"""Metadata by which open requests are found; the service account keeps it, and touches no other."""

Value = dict[str, Any]
Filter = Auth.types.FilterType | bool


@auth.authenticate
async def authenticate(headers: dict[bytes, bytes], path: str, scope: dict[str, Any]) -> Auth.types.MinimalUserDict:
    """The caller behind a token. Nobody is anonymous but on `OPEN_PATHS`, and Studio on the server's own machine."""
    if path in OPEN_PATHS or f"{path}/".startswith((OPEN_ROOM, SIGNED_PATHS)):
        return _user("anyone")
    config = await asyncio.to_thread(settings)
    if headers.get(b"x-auth-scheme") == b"langsmith":
        _check_studio(config, scope.get("client"), headers)
        return _user(STUDIO_IDENTITY)
    token = token_in(headers)
    if not token:
        raise Auth.exceptions.HTTPException(401, "send a token as x-api-key, or as Authorization: Bearer")
    try:
        caller = await asyncio.to_thread(caller_behind, token, config)
    except CredentialError as error:
        raise Auth.exceptions.HTTPException(401, str(error)) from error
    return _user(caller.identity, f"role:{caller.role}")


@auth.on
async def by_the_table(ctx: Auth.types.AuthContext, value: Value) -> Filter:  # noqa: ARG001
    """What the table does not allow is denied; so is every resource and action that it has never heard of."""
    caller, whose = _allowed(ctx)
    return _of(caller, whose)


@auth.on.threads.create
async def create_thread(ctx: Auth.types.AuthContext, value: Auth.types.ThreadsCreate) -> Filter:
    """A thread belongs to who made it; its owner is written by the server, whatever the client sent."""
    caller, whose = _allowed(ctx)
    if "metadata" not in value:  # so the platform asks for a copy, which would wait for the same approval again
        raise Auth.exceptions.HTTPException(403, "threads cannot be copied")
    if whose == "all":
        return True
    try:
        await throttle(caller, settings().customer_rate)
        check_metadata(caller, value["metadata"])
    except RunRefusedError as error:
        raise _refused(error, "threads.create", caller) from error
    except TooManyError as error:
        raise _limited(error) from error
    if is_order_thread(value["thread_id"]):  # made by the order's own run, or a stranger could sit on its id
        raise Auth.exceptions.HTTPException(403, "an order's thread is made by sending the order")
    value["metadata"]["owner"] = owner_of(caller)
    if caller.role == "customer":
        value["metadata"]["customer_id"] = caller.identity
    return _of(caller, whose)


@auth.on.threads.update
async def index_thread(ctx: Auth.types.AuthContext, value: Auth.types.ThreadsUpdate) -> Filter:
    """Metadata of the index, and nothing else: not the state, which comes without metadata, and no run is cancelled."""
    caller, whose = _allowed(ctx)
    if not value.get("metadata") or set(value["metadata"]) - INDEX:
        raise Auth.exceptions.HTTPException(403, "of a thread only the index of its open request is written")
    return _of(caller, whose)


@auth.on.threads.create_run
async def create_run(ctx: Auth.types.AuthContext, value: Auth.types.RunsCreate) -> Filter:
    """A run carries what `rules` allows its role; an answer is for the request that waits now."""
    caller, whose = _allowed(ctx)
    run: Value = dict(value)  # its kwargs are the platform's own, and what is changed in them counts
    try:
        await throttle(caller, settings().customer_rate)
        check_run(caller, run)
        checkpoint = await check_checkpoint(run)
        if is_message(run):
            await check_message(run)
        if run["kwargs"].get("command"):
            await check_answer(caller, run, checkpoint)
            return True
    except RunRefusedError as error:
        raise _refused(error, "threads.create_run", caller) from error
    except TooManyError as error:
        raise _limited(error) from error
    if whose == "own" or value["thread_id"] is None:  # a run without a thread is given one for its time
        value.setdefault("metadata", {})["owner"] = owner_of(caller)
    return _of(caller, whose)


def _allowed(ctx: Auth.types.AuthContext) -> tuple[Caller, Scope]:
    """The caller of a request, and whose things it may do this with."""
    caller = _caller(ctx)
    whose = reach(caller, settings(), ctx.resource, ctx.action)
    if whose is None:
        emit("request.denied", role=caller.role, action=f"{ctx.resource}.{ctx.action}")
        raise Auth.exceptions.HTTPException(403, f"{_name(caller)} may not {ctx.action} {ctx.resource}")
    return caller, whose


def _refused(refused: RunRefusedError, action: str, caller: Caller) -> Exception:
    emit("request.denied", role=caller.role, action=action, status=refused.status)
    return Auth.exceptions.HTTPException(refused.status, refused.why)


def _limited(many: TooManyError) -> Exception:
    return Auth.exceptions.HTTPException(429, str(many), many.headers)


def _of(caller: Caller, whose: Scope) -> Filter:
    return True if whose == "all" else {"owner": owner_of(caller)}


def _caller(ctx: Auth.types.AuthContext) -> Caller:
    """A cron's run comes with its creator's bare identity: the service account's."""
    if isinstance(ctx.user, StudioUser):  # let in by the platform itself, which asks nobody where it is
        raise Auth.exceptions.HTTPException(403, "langgraph.json must set auth.disable_studio_auth")
    if ctx.user.identity == STUDIO_IDENTITY:
        return Caller(STUDIO_IDENTITY, "channel")
    try:
        return caller_of(ctx.user)
    except PermissionError as error:
        raise Auth.exceptions.HTTPException(403, str(error)) from error


def _name(caller: Caller) -> str:
    return "Studio" if caller.identity == STUDIO_IDENTITY else f"role {caller.role}"


def _check_studio(config: Settings, client: tuple[str, int] | None, headers: dict[bytes, bytes]) -> None:
    """Studio comes without a token, so only from this machine; and under its name, or a web page could have its own
    name point here (DNS rebinding); and from Studio's own page or none, or any page that CORS lets in could act."""
    if config.studio_mode == "off":
        raise Auth.exceptions.HTTPException(403, "Studio is switched off: see STUDIO_MODE")
    host = headers.get(b"host", b"").decode("latin-1")
    name = host.rpartition(":")[0].strip("[]") or host
    if client is None or client[0] not in LOOPBACK or name not in LOOPBACK:
        raise Auth.exceptions.HTTPException(403, "Studio is let in from the server's own machine only")
    if headers.get(b"origin", STUDIO_ORIGIN.encode()) != STUDIO_ORIGIN.encode():
        raise Auth.exceptions.HTTPException(403, f"Studio is {STUDIO_ORIGIN}: another page needs a token")


def _user(identity: str, *permissions: str) -> Auth.types.MinimalUserDict:
    return {"identity": identity, "permissions": list(permissions), "is_authenticated": True}
