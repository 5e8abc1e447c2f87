"""The requests that are open, and what an approver sends about one: an answer, or a question to the customer.

What people read of them is in `layout`; who may answer is for the server to say.
"""

import asyncio
import hashlib
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypedDict
from urllib.parse import quote

import httpx
from langgraph_sdk.client import LangGraphClient
from langgraph_sdk.errors import NotFoundError
from langgraph_sdk.schema import ThreadSelectField

from agent.approvals.models import NOTE_LIMIT, ApprovalView, Decision, QuestionView, decision_payload
from agent.client.connection import DeskError, ExitCode, explained, failure, sending
from agent.client.outage import until_settled
from agent.client.runs import Outcome, address, follow, is_approval
from agent.client.session import Session

MAX_LISTED = 1000
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


class DecisionMade(TypedDict):
    """What somebody has said to a request; `mine`: they are who asks."""

    step: int
    decision: Decision
    actor: str
    role: str
    note: str
    at: str
    mine: bool


class Known(ApprovalView):
    """A request as the ledger has it, open or not."""

    decisions: list[DecisionMade]


class UnavailableError(DeskError):
    """The server can't be asked just now; it may be back with the next look."""


async def listed(client: LangGraphClient, role: str | None, limit: int, offset: int = 0) -> tuple[list[Pending], bool]:
    """At most `limit` open requests, or of those that wait for `role`, the most urgent first; whether there are more.

    Where there are more, the server chooses: it can order threads by when they were begun, not by what is due. In that
    order `offset` passes over the first. Those of a role are found by the notes on their threads, the escalated ones
    first. A note that could not be written is written by the reconciler, within a minute.
    """
    ways: list[Way] = [{"metadata": {"escalated_to": role}}, {"metadata": {"awaiting": role}}] if role else [{}]
    wanted = offset + limit
    found: dict[str, Pending] = {}
    async for request in _open(client, ways, min(wanted + 1, MAX_LISTED)):
        if role is None or role in request.view["roles"]:
            found[request.view["request_id"]] = request
        if len(found) > wanted:
            break
    page = list(found.values())[offset:wanted]
    return sorted(page, key=lambda request: datetime.fromisoformat(request.view["due"])), len(found) > wanted


async def find(client: LangGraphClient, request_id: str) -> Pending:
    """The open request of this id, and where it waits.

    Raises `DeskError`: REFUSED with what was decided when it waits no more, NOT_FOUND when there is none.
    """
    if request := await shown_now(client, request_id):
        return request
    known = await look_up(client, request_id)
    if known["status"] != "open":
        raise not_taken(known)
    raise DeskError(
        f"{request_id} is open, and no thread shows it now: look again, or `desk ops reconcile` has it asked again",
        ExitCode.NOT_FOUND,
    )


async def shown_now(client: LangGraphClient, request_id: str) -> Pending | None:
    """The request of this id that a thread shows, found by the thread's note; without one among all that wait."""
    async for request in _open(client, [{"metadata": {"request_id": request_id}}, {}], MAX_LISTED):
        if request.view["request_id"] == request_id:
            return request
    return None


async def look_up(client: LangGraphClient, request_id: str) -> Known:
    """A request as the ledger has it, open or not. Raises `DeskError` NOT_FOUND."""
    try:
        return await client.http.get(_path(request_id))  # type: ignore[no-any-return]
    except NotFoundError as error:
        raise DeskError(
            f"not found: no open request {request_id}, and no decided one; `desk approvals list` shows the open ones",
            ExitCode.NOT_FOUND,
        ) from error


def not_taken(known: Known) -> DeskError:
    """Why an answer to this request counted for nothing: what was decided, by whom and when."""
    return DeskError(f"Not taken: {story(known)}", ExitCode.REFUSED)


def story(known: Known) -> str:
    """How a request stands, and who said what to it when, in one line."""
    said = [
        f"{each['decision']} by {each['actor']} ({each['role']}) at {each['at']}"
        + (f", “{each['note']}”" if each["note"] else "")
        for each in known["decisions"]
    ]
    stands = f"waits for {' or '.join(known['roles'])}" if known["status"] == "open" else f"is {known['status']}"
    ended = known["note"] if known["status"] == "expired" else ""
    return f"{known['request_id']} {stands}: {'; '.join([*said, *filter(None, [ended])]) or 'nobody has answered it'}"


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
    """Ask for who looks again and again: raises `UnavailableError` for what may pass, and `DeskError` for what
    won't."""
    try:
        with explained(session.url):
            async with asyncio.timeout(PATIENCE):
                yield
    except TimeoutError as error:
        raise UnavailableError(f"no answer from {session.url} within {PATIENCE:g} s", ExitCode.UNREACHABLE) from error
    except DeskError as error:
        if error.exit_code in (ExitCode.UNREACHABLE, ExitCode.OTHER):
            raise UnavailableError(error.message, error.exit_code) from error
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
    """Send an answer and follow what comes of it.

    Raises `DeskError` REFUSED with the reason when it is not taken, also when the request was decided before. Where the
    connection broke, or the run failed, the ledger says whether it was: when not, that is raised.
    """
    check_note(decision, note)
    request_id = request.view["request_id"]
    before = await look_up(client, request_id)
    if before["status"] != "open":
        raise not_taken(before)
    name, token = request.view["action_requests"][0]["name"], request.view.get("token")
    payload = decision_payload(decision, name=name, note=note, arguments=arguments, token=token)
    lost: DeskError | None = None
    try:
        outcome = await follow(
            client, request.thread_id, request.graph, progress, command={"resume": {request.interrupt_id: payload}},
            look=f"`desk approvals show {request_id}` tells whether your answer was taken",
        )  # fmt: skip
    except httpx.HTTPStatusError as error:
        refusal = failure(address(client), error)
        raise DeskError(f"Not taken: {refusal.message}", refusal.exit_code) from error
    except DeskError as error:  # a run may fail, as well as its stream, after the answer was recorded
        lost, outcome = error, Outcome({}, None)
        progress(f"{error.message}; looking whether it was taken")
    waiting = outcome.waiting
    if waiting and waiting["request_id"] == request_id and waiting["refused"]:
        raise DeskError(f"Not taken: {waiting['refused']}", ExitCode.REFUSED)
    after = await _afterwards(client, before, lost)
    if _mine(after) == _mine(before):
        raise lost or not_taken(after)
    return Outcome({}, after if after["status"] == "open" else None) if lost else outcome


async def _afterwards(client: LangGraphClient, before: Known, lost: DeskError | None) -> Known:
    """The request after an answer to it; a lost one is waited for. Raises `lost` when nobody answers."""
    request_id = before["request_id"]
    if lost is None:
        return await look_up(client, request_id)
    try:
        return await until_settled(
            lambda: look_up(client, request_id),
            lambda known: known["status"] != "open" or _mine(known) > _mine(before),
        )
    except httpx.HTTPError as error:
        raise lost from error


def _mine(known: Known) -> int:
    return sum(said["mine"] for said in known["decisions"])


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
    with sending(address(client), "Ask it again: the same words are one question"):
        return await client.http.post(  # type: ignore[no-any-return]
            f"{_path(request_id)}/ask", json={"text": text}, headers={"idempotency-key": key}
        )


async def questions(client: LangGraphClient, request_id: str) -> list[QuestionView]:
    """What the customer was asked about a request, and what they said."""
    return await client.http.get(f"{_path(request_id)}/questions")  # type: ignore[no-any-return]


def _path(request_id: str) -> str:
    return f"/ops/approvals/{quote(request_id, safe='')}"
