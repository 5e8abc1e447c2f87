"""`desk debug`: what happened to an order or in a conversation, what comes next, and what one could do.

The ledger's story comes from `/ops/stories`, the process's from the platform's checkpoints (`history`). It only reads.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Annotated, Any
from urllib.parse import quote
from uuid import UUID

import typer
from langgraph_sdk.errors import APIStatusError, NotFoundError
from rich.console import RenderableType

from agent.client.connection import DeskError, ExitCode
from agent.client.history import damage, steps
from agent.client.session import Session, remote
from agent.client.show import due_in, facts, plain, table

Document = dict[str, Any]


@dataclass
class _Found:
    """What is known of the threads: how each stands, what happened on it, and what is wrong."""

    threads: list[Document] = field(default_factory=list)
    timeline: list[Document] = field(default_factory=list)
    problems: list[DeskError] = field(default_factory=list)


@remote(default_role="operator")
async def debug(
    session: Session,
    which: Annotated[str, typer.Argument(metavar="THREAD|ORDER", help="A thread's id, or an order's.")],
    last: Annotated[int, typer.Option(min=1, max=500, help="How much of what happened, the latest.")] = 40,
) -> None:
    """Tell what happened to an order or in a conversation, who is waited for, what comes next, what one could do.

    It reads only, and shows no word of a customer's.
    """
    story, threads = await _story(session, which, last)
    found = _Found()
    for thread_id in threads:
        had_one = story["order"] is None or story["order"]["placed_here"]
        await _look(session, thread_id, last, found, must_be_there=had_one and thread_id == threads[-1])
    told = [entry | {"source": "ledger"} for entry in story["entries"]] + found.timeline
    told.sort(key=lambda entry: datetime.fromisoformat(entry["at"]))
    if not (told or found.threads):
        raise DeskError(f"neither the ledger nor the platform knows {which}", ExitCode.NOT_FOUND)
    left_out = story["left_out"] + max(0, len(told) - last)
    document = {
        "order": story["order"],
        "threads": found.threads,
        "timeline": told[-last:],
        "left_out": left_out,
        **{name: story[name] for name in ("waits_for", "next", "commands")},
        "problems": [problem.message for problem in found.problems],
    }
    session.screen.document(document)
    session.screen.print(*_layout(document, datetime.now(UTC)))
    if left_out and not session.screen.as_json:
        session.screen.progress(f"{left_out} earlier ones are left out: --last {min(500, 2 * last)}")
    if found.problems:
        raise found.problems[0]


async def _story(session: Session, which: str, last: int) -> tuple[Document, list[str]]:
    """The ledger's part, and the threads that belong to it, the present one last.

    Raises `DeskError` NOT_FOUND for an order that nobody knows.
    """
    if not _is_thread(which):
        try:
            story = await _get(session, f"orders/{quote(which, safe='')}", last)
        except NotFoundError as error:
            raise DeskError(f"neither an order nor a thread is called {which}", ExitCode.NOT_FOUND) from error
        return story, story["order"]["threads"]
    story = await _get(session, f"threads/{which}", last)
    if story["order"] is None and (order_id := await _order_on(session, which)):
        story = await _get(session, f"orders/{quote(order_id, safe='')}", last)  # one of its threads of before
    return story, [each for each in (story["order"] or {}).get("threads", []) if each != which] + [which]


async def _get(session: Session, path: str, last: int) -> Document:
    story: Document = await session.client.http.get(f"/ops/stories/{path}?last={last}")
    return story


async def _order_on(session: Session, thread_id: str) -> str | None:
    try:
        thread = await session.client.threads.get(thread_id)
    except NotFoundError:
        return None
    values = thread.get("values")
    order_id = values.get("order_id") if isinstance(values, dict) else None
    return order_id if isinstance(order_id, str) and order_id else None


async def _look(session: Session, thread_id: str, last: int, found: _Found, *, must_be_there: bool) -> None:
    """What the platform knows of a thread. One of before may be gone, and an imported order's may never have been."""
    try:
        thread = await session.client.threads.get(thread_id)
    except NotFoundError:
        if must_be_there:
            gone = f"thread {thread_id} is gone from the platform: what happened on it can't be shown any more"
            found.problems.append(DeskError(gone, ExitCode.NOT_FOUND))
        return
    metadata = thread.get("metadata") or {}
    shown = {"thread_id": thread_id, "status": thread["status"], "graph": metadata.get("graph_id")}
    found.threads.append(shown | {"owner": metadata.get("owner"), "updated_at": str(thread["updated_at"])})
    try:
        history: list[Any] = list(await session.client.threads.get_history(thread_id, limit=min(last + 1, 500)))
    except APIStatusError as error:
        if error.response.status_code < 500:
            raise
        unread = f"the platform can't read the states of thread {thread_id} (HTTP {error.response.status_code})"
        found.problems.append(DeskError(f"{unread}; see the server's log", ExitCode.OTHER))
        return
    if history and (wrong := damage(history[0]["values"])):
        text = f"the state of thread {thread_id} is damaged: {wrong}"
        found.problems.append(DeskError(f"{text}; an order goes on from the ledger at its next run", ExitCode.OTHER))
    found.timeline += [
        {"at": step.at, "what": step.node, "says": step.says, "source": thread_id[:8]} for step in steps(history)
    ]


def _is_thread(which: str) -> bool:
    try:
        return str(UUID(which)) == which.lower()
    except ValueError:
        return False


def _layout(told: Document, now: datetime) -> Iterator[RenderableType]:
    if order := told["order"]:
        why = f", {order['reason']}" if order["reason"] else ""
        stands = f"{order['stage']} ({order['status']}){why}"
        parcels = ", ".join(f"{parcel} {state}" for parcel, state in order["parcels"].items())
        yield facts(
            [
                ("order", order["id"]),
                ("customer", order["customer_id"]),
                ("stands at", f"{stands}, since {_at(order['touched_at'])}"),
                ("parcels", parcels or None),
                ("generation", order["generation"] or None),
                ("trace", order.get("trace_id")),
            ]
        )
    yield facts(
        (
            f"thread {each['thread_id'][:8]}",
            f"{each['status']}, {each['graph']}, of {each['owner']}, {each['thread_id']}",
        )
        for each in told["threads"]
    )
    rows = ((_at(each["at"]), each["source"], each["what"], _says(each)) for each in told["timeline"])
    yield table(["at (UTC)", "from", "what", "happened"], rows)
    waits = [(f"{each['who']}, for {each['what']}", _until(each["until"], now)) for each in told["waits_for"]]
    yield table(["waited for", "until"], waits) if waits else plain("Nobody is waited for.")
    coming = [(_until(each["when"], now) or "when the reconciler is run", each["what"]) for each in told["next"]]
    yield table(["by itself", "happens next"], coming) if coming else plain("Nothing comes by itself.")
    if told["commands"]:
        yield table(["one could give", "why"], ((each["command"], each["why"]) for each in told["commands"]))


def _says(entry: Document) -> str:
    note = f" “{entry['note']}”" if entry.get("note") else ""
    return f"{entry['says']}{note}"


def _at(stamp: str) -> str:
    return f"{datetime.fromisoformat(stamp).astimezone(UTC):%Y-%m-%d %H:%M:%S}"


def _until(stamp: str | None, now: datetime) -> str:
    return f"{due_in(stamp, now)} ({datetime.fromisoformat(stamp).astimezone(UTC):%m-%d %H:%M})" if stamp else ""
