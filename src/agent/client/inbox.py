"""The requests that are open, and what an approver sends about one: an answer, or a question to the customer.

What people read of them is in `layout`; who may answer is for the server to say.
"""

import asyncio
import hashlib
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import quote

from langgraph_sdk.client import LangGraphClient
from langgraph_sdk.schema import ThreadSelectField

from agent.approvals.models import NOTE_LIMIT, ApprovalView, Decision, QuestionView, decision_payload
from agent.client.connection import DeskError, ExitCode, explained
from agent.client.runs import Outcome, follow, is_approval
from agent.client.session import Session

MOST = 1000
"""As many threads as the platform gives at once."""

PATIENCE = 5.0
"""Seconds that whoever watches waits for the server before they are told that it does not answer."""

Way = dict[str, Any]
"""What a search for threads filters by: their `metadata`, or nothing."""

_FIELDS: list[ThreadSelectField] = ["thread_id", "metadata", "interrupts"]


@dataclass(frozen=True)
class Pending:
    """An open request, and where its answer goes."""

    thread_id: str
    graph: str
    interrupt_id: str
    view: ApprovalView


class AwayError(DeskError):
    """The server can't be asked just now; it may be back with the next look."""


async def listed(client: LangGraphClient, role: str | None, limit: int) -> list[Pending]:
    """At most `limit` open requests, or of those that wait for `role`: the most urgent first.

    Where there are more, the server chooses: it can order threads by when they were begun, not by what is due. Those of
    a role are found by the notes on their threads, the escalated ones first. A note that could not be written is
    written by the reconciler, within a minute.
    """
    ways: list[Way] = [{"metadata": {"escalated_to": role}}, {"metadata": {"awaiting": role}}] if role else [{}]
    found: dict[str, Pending] = {}
    async for request in _open(client, ways, limit):
        if role is None or role in request.view["roles"]:
            found[request.view["request_id"]] = request
        if len(found) == limit:
            break
    return sorted(found.values(), key=lambda request: datetime.fromisoformat(request.view["due"]))


async def find(client: LangGraphClient, request_id: str) -> Pending:
    """The open request of this id, by its thread's note; without one among all that wait. Raises `DeskError`
    NOT_FOUND."""
    async for request in _open(client, [{"metadata": {"request_id": request_id}}, {}], MOST):
        if request.view["request_id"] == request_id:
            return request
    raise DeskError(
        f"not found: no open request {request_id}; `desk approvals list` shows the open ones",
        ExitCode.NOT_FOUND,
    )


async def _open(client: LangGraphClient, ways: list[Way], page: int) -> AsyncIterator[Pending]:
    """The requests at which threads wait that are found in each of these ways, `page` threads at a time."""
    for way in ways:
        offset, got = 0, page
        while got == page:
            threads = await client.threads.search(
                **way, status="interrupted", select=_FIELDS, sort_by="created_at", sort_order="asc",
                limit=page, offset=offset,
            )  # fmt: skip
            for thread in threads:
                graph = (thread["metadata"] or {}).get("graph_id", "")
                for interrupt in (each for task in thread["interrupts"].values() for each in task):
                    if is_approval(interrupt["value"]):
                        yield Pending(thread["thread_id"], graph, interrupt["id"], interrupt["value"])
            got = len(threads)
            offset += got


@asynccontextmanager
async def patiently(session: Session) -> AsyncIterator[None]:
    """Ask for who looks again and again: raises `AwayError` for what may pass, and `DeskError` for what won't."""
    try:
        with explained(session.url):
            async with asyncio.timeout(PATIENCE):
                yield
    except TimeoutError as late:
        raise AwayError(f"no answer from {session.url} within {PATIENCE:g} s", ExitCode.UNREACHABLE) from late
    except DeskError as error:
        if error.exit_code in (ExitCode.UNREACHABLE, ExitCode.OTHER):
            raise AwayError(error.message, error.exit_code) from error
        raise


async def send(
    client: LangGraphClient,
    request: Pending,
    decision: Decision,
    progress: Callable[[str], None],
    *,
    note: str = "",
    arguments: dict[str, Any] | None = None,
) -> Outcome:
    """Send an answer and follow what comes of it. Raises `DeskError` REFUSED with the reason when it is not taken."""
    check_note(decision, note)
    name, token = request.view["action_requests"][0]["name"], request.view.get("token")
    payload = decision_payload(decision, name=name, note=note, arguments=arguments, token=token)
    outcome = await follow(
        client, request.thread_id, request.graph, progress, command={"resume": {request.interrupt_id: payload}}
    )
    request_id, waiting = request.view["request_id"], outcome.waiting
    if waiting and waiting["request_id"] == request_id and waiting["refused"]:
        raise DeskError(f"your answer to {request_id} was not taken: {waiting['refused']}", ExitCode.REFUSED)
    return outcome


def check_note(decision: Decision, note: str) -> None:
    """Raise `DeskError` (USAGE) for a rejection without its reason, and for a note that is too long."""
    if decision == "reject" and not note.strip():
        raise DeskError("a rejection needs its reason, as its note", ExitCode.USAGE)
    if len(note) > NOTE_LIMIT:
        raise DeskError(f"the note is longer than {NOTE_LIMIT} characters", ExitCode.USAGE)


async def ask_customer(client: LangGraphClient, request_id: str, text: str) -> QuestionView:
    """Ask the customer about a request; who says the same again asks once. Raises `DeskError` USAGE for no text."""
    if not text.strip():
        raise DeskError("the question is empty", ExitCode.USAGE)
    key = hashlib.sha256(text.encode()).hexdigest()
    return await client.http.post(  # type: ignore[no-any-return]
        f"/ops/approvals/{quote(request_id, safe='')}/ask", json={"text": text}, headers={"idempotency-key": key}
    )


async def questions(client: LangGraphClient, request_id: str) -> list[QuestionView]:
    """What the customer was asked about a request, and what they said."""
    path = f"/ops/approvals/{quote(request_id, safe='')}/questions"
    return await client.http.get(path)  # type: ignore[no-any-return]
