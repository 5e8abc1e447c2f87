"""What a run must fit on its thread, now: an answer the one interrupt that waits there and the request behind it, a
message what was said before.

The thread is looked at as the caller sees it; who may answer is for the ledger to say. The gate asks all of it again.
"""

import re
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from contextvars import ContextVar
from typing import Any, Final

import httpx
from langgraph_sdk import get_client
from langgraph_sdk.client import LangGraphClient
from langgraph_sdk.errors import APIStatusError
from sqlalchemy.exc import NoResultFound

from agent.approvals.gate import addressed
from agent.assistant.models import MessageError, message_text
from agent.commerce.policy import RULES
from agent.identity import APPROVER_ROLES, STUDIO_IDENTITY, Caller, acting
from agent.ledger.database_errors import UNUSABLE
from agent.ledger.schema import SchemaError
from agent.observability.events import emit
from agent.server.rules import RunRefusedError
from agent.services import services

_INTERRUPT_ID: Final = re.compile(r"[0-9a-f]{32}")
"""What the engine takes for an interrupt's id (langgraph.pregel._utils)."""


_LATER: Final = "the thread can't be looked at now: try again"


def _in_this_process() -> LangGraphClient:
    return get_client()


client_of_caller: ContextVar[Callable[[], LangGraphClient]] = ContextVar("client of caller", default=_in_this_process)
"""The API as to the caller: the one in this process, which inside an auth handler answers so (platform-fact). Where an
engine has none, another is set (`aegra`)."""


async def check_answer(caller: Caller, run: dict[str, Any], checkpoint: str = "") -> None:
    """Refuse an answer to anything but the request that waits now, or by somebody whose role may not give it.

    The answer is then addressed to its interrupt, so that a second click, queued behind the first, does not land on the
    next step; with it goes what it named: its interrupt, or `checkpoint`. Raises `RunRefusedError`.
    """
    command = run["kwargs"]["command"]
    named, said = _addressed(command["resume"])
    role = acting(caller, said)[0].role
    if role not in APPROVER_ROLES and role != "service":
        hint = ': in mode act it answers as {"as": ROLE, "decision": …}' if caller.identity == STUDIO_IDENTITY else ""
        raise RunRefusedError(403, f"role {role} may not answer an approval{hint}")
    interrupt = await _pending(str(run["thread_id"]))
    if named not in (None, interrupt["id"]):
        raise RunRefusedError(409, "that interrupt does not wait any more: look at the thread again")
    if role != "service":
        await _check_role(role, interrupt["value"])
    command["resume"] = {interrupt["id"]: addressed(said, "interrupt" if named else checkpoint)}


async def check_checkpoint(run: dict[str, Any]) -> str:
    """A run goes on from where its thread is: a client may name that checkpoint, and no older one.

    Chat UIs send the one that they display. It is taken out of the run, or what happens meanwhile would be forked.
    Returns `checkpoint` when it was named. Raises `RunRefusedError`.
    """
    configurable = (run["kwargs"].get("config") or {}).get("configurable") or {}
    shown = configurable.pop("checkpoint_id", None)
    for part in ("checkpoint_ns", "checkpoint_map"):  # empty: see `rules`
        configurable.pop(part, None)
    if shown is None:
        return ""
    async with _seen_by_caller() as client:
        latest = (await client.threads.get_state(str(run["thread_id"])))["checkpoint"]["checkpoint_id"]
    if shown != latest:
        raise RunRefusedError(409, "the thread has gone on since that checkpoint: look at it again")
    return "checkpoint"


async def check_message(run: dict[str, Any]) -> None:
    """A message whose id is there already must be that message, or its words would take others' place in the record.

    The same again is the same turn (`customer_service.nodes.triage`). Raises `RunRefusedError` MESSAGE-ID.
    """
    messages = run["kwargs"]["input"]["messages"]
    message = messages[0] if isinstance(messages, list) else messages
    if (given := message.get("id")) is None:
        return
    try:
        async with _seen_by_caller() as client:
            values = (await client.threads.get(str(run["thread_id"])))["values"]
    except RunRefusedError as error:
        if error.status == 404:  # made by this run, or refused by the platform
            return
        raise
    for before in values.get("messages", []) if isinstance(values, dict) else []:
        if before.get("id") == given and (before["type"], _words(before)) != ("human", _words(message)):
            raise RunRefusedError(422, f"MESSAGE-ID: {RULES['MESSAGE-ID']} (input.messages.0.id)")


def _words(message: dict[str, Any]) -> str | None:
    try:
        return message_text(message["content"])
    except MessageError:
        return None


def _addressed(resume: Any) -> tuple[str | None, Any]:
    """The interrupt that an answer names, if it does, and the answer itself."""
    if isinstance(resume, dict) and all(_INTERRUPT_ID.fullmatch(key) for key in resume):
        if len(resume) != 1:
            raise RunRefusedError(409, "answer exactly one interrupt")
        return next(iter(resume.items()))
    return None, resume


async def _pending(thread_id: str) -> dict[str, Any]:
    """The interrupt that waits on a thread."""
    async with _seen_by_caller() as client:
        thread = await client.threads.get(thread_id)
    waiting: list[dict[str, Any]] = [dict(each) for task in thread["interrupts"].values() for each in task]
    if len(waiting) != 1:
        raise RunRefusedError(409, "nothing waits for an answer on this thread")
    return waiting[0]


async def _check_role(role: str, shown: Any) -> None:
    try:
        roles_shown = shown["roles"]
        request = await (await services()).approvals.get(shown["request_id"])
    except (NoResultFound, TypeError, KeyError) as error:
        raise RunRefusedError(409, "what waits on this thread is no request of ours") from error
    except (*UNUSABLE, SchemaError) as error:
        raise RunRefusedError(503, "the ledger can't be asked now who may answer: try again") from error
    if role in request["roles"]:
        return
    emit("approval.answer_refused", request_id=request["request_id"], rule="APPROVAL-ROLE")
    status = 409 if role in roles_shown else 403  # 409: the step that they were shown is over
    raise RunRefusedError(status, f"APPROVAL-ROLE: this step is for {' or '.join(request['roles'])}")


@asynccontextmanager
async def _seen_by_caller() -> AsyncIterator[LangGraphClient]:
    try:
        async with client_of_caller.get()() as client:
            yield client
    except APIStatusError as error:
        if error.status_code == 404:
            raise RunRefusedError(404, "Thread or assistant not found.") from error  # as for a run on none
        raise RunRefusedError(409, _LATER) from error
    except httpx.TransportError as error:  # by URL, when the server does not answer, or stops
        raise RunRefusedError(503, _LATER) from error
