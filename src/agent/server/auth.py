"""Who may do what on the platform's API. Everything is denied unless a handler here allows it.

A caller is known by a token (`x-api-key`, or `Authorization: Bearer`). These handlers are the outer wall; the gate and
the ledger are the inner one, and trust nothing that is said here but the identity.
"""

import asyncio
from typing import Any, Final

from langgraph_sdk import Auth
from langgraph_sdk.auth.types import StudioUser

from agent.identity import STUDIO_IDENTITY, Caller, TokensError, caller_of, read_tokens
from agent.server.rules import RunRefusedError, check_run, is_order_thread
from agent.settings import settings

auth = Auth()

OPEN_PATHS: Final = frozenset(("/ops/health",))
"""Custom routes that anyone may read."""

SIGNED_PATHS: Final = "/webhooks/"
"""Custom routes that know their callers by a signature."""

ANYONES_THREADS: Final = frozenset(("customer", "channel"))
"""Roles that see and use their own threads only; the others see all, and may do with them what `rules` allows."""


@auth.authenticate
async def authenticate(headers: dict[bytes, bytes], path: str) -> Auth.types.MinimalUserDict:
    """The caller behind a token. Nobody is anonymous but on /ops/health."""
    if path in OPEN_PATHS or path.startswith(SIGNED_PATHS):
        return {"identity": "anyone", "permissions": [], "is_authenticated": True}
    token = headers.get(b"x-api-key") or headers.get(b"authorization", b"").removeprefix(b"Bearer ")
    if not token:
        raise Auth.exceptions.HTTPException(401, "send a token as x-api-key, or as Authorization: Bearer")
    config = await asyncio.to_thread(settings)
    try:
        callers = await asyncio.to_thread(read_tokens, config.tokens_file)
    except TokensError as unusable:
        raise Auth.exceptions.HTTPException(401, f"no token can be checked: {unusable}") from unusable
    caller = callers.get(token.decode("latin-1"))
    if caller is None:
        raise Auth.exceptions.HTTPException(401, "this token is not known")
    return {"identity": caller.identity, "permissions": [f"role:{caller.role}"], "is_authenticated": True}


@auth.on
async def deny(ctx: Auth.types.AuthContext, value: Any) -> bool:  # noqa: ARG001
    """What no handler below allows is denied."""
    raise Auth.exceptions.HTTPException(403, f"{_who(ctx)} may not {ctx.action} {ctx.resource}")


@auth.on(resources="assistants", actions=["read", "search"])
async def read_assistants(ctx: Auth.types.AuthContext, value: Any) -> bool:  # noqa: ARG001
    """The graphs and their schemas are no secret to whoever has a token."""
    return bool(_caller(ctx))


@auth.on.threads.create
async def create_thread(ctx: Auth.types.AuthContext, value: Auth.types.ThreadsCreate) -> Auth.types.FilterType | bool:
    """A thread belongs to who made it; its owner is written by the server, whatever the client sent.

    The service account makes a lost thread again, for the one whose it was.
    """
    caller = _caller(ctx)
    if caller.role not in (*ANYONES_THREADS, "service"):
        raise Auth.exceptions.HTTPException(403, f"{_who(ctx)} may not create threads")
    if "metadata" not in value:  # so the platform asks for a copy, which would wait for the same approval again
        raise Auth.exceptions.HTTPException(403, "threads cannot be copied")
    metadata = value["metadata"]
    if caller.role == "service":
        return True
    if is_order_thread(value["thread_id"]):  # made by the order's own run, or a stranger could sit on its id
        raise Auth.exceptions.HTTPException(403, "an order's thread is made by sending the order")
    metadata["owner"] = caller.identity
    if caller.role == "customer":
        metadata["customer_id"] = caller.identity
    return {"owner": caller.identity}


@auth.on(resources="threads", actions=["read", "search"])
async def read_threads(ctx: Auth.types.AuthContext, value: Any) -> Auth.types.FilterType | bool:  # noqa: ARG001
    """Customers and channels see their own threads; staff sees all."""
    caller = _caller(ctx)
    return {"owner": caller.identity} if caller.role in ANYONES_THREADS else True


@auth.on.threads.create_run
async def create_run(ctx: Auth.types.AuthContext, value: Auth.types.RunsCreate) -> Auth.types.FilterType | bool:
    """A run carries what `rules` allows its role, and nothing else."""
    caller = _caller(ctx)
    try:
        check_run(caller, dict(value))
    except RunRefusedError as refused:
        raise Auth.exceptions.HTTPException(refused.status, refused.why) from refused
    own = caller.role in ANYONES_THREADS
    if own or value["thread_id"] is None:  # it gets a thread for its time: see `delete_thread`
        value.setdefault("metadata", {})["owner"] = caller.identity
    return {"owner": caller.identity} if own else True


@auth.on.threads.delete
async def delete_thread(ctx: Auth.types.AuthContext, value: Any) -> Auth.types.FilterType:  # noqa: ARG001
    """Threads stay, but for the one that the platform gave to a run of the reconciler.

    It deletes that one when the run is done, from Python 3.12 on in the name of who started the run. Refused, the run
    would never end for whoever waits for it.
    """
    caller = _caller(ctx)
    if caller.role not in ("operator", "service"):
        raise Auth.exceptions.HTTPException(403, f"{_who(ctx)} may not delete threads")
    return {"owner": caller.identity}


@auth.on.crons
async def crons(ctx: Auth.types.AuthContext, value: Any) -> bool:  # noqa: ARG001
    """Only the server itself keeps crons."""
    if _caller(ctx).role != "service":
        raise Auth.exceptions.HTTPException(403, f"{_who(ctx)} may not use crons")
    return True


def _caller(ctx: Auth.types.AuthContext) -> Caller:
    """The caller of a request. A cron's run comes with its creator's bare identity: the service account's."""
    if isinstance(ctx.user, StudioUser) or ctx.user.identity == STUDIO_IDENTITY:
        if settings().studio_mode == "off":
            raise Auth.exceptions.HTTPException(
                403, "Studio is switched off: set STUDIO_MODE=on on a development server"
            )
        return Caller(STUDIO_IDENTITY, "channel")
    try:
        return caller_of(ctx.user)
    except PermissionError as nobody:
        raise Auth.exceptions.HTTPException(403, str(nobody)) from nobody


def _who(ctx: Auth.types.AuthContext) -> str:
    return f"role {_caller(ctx).role}"
