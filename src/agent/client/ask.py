"""`desk ask`: a customer's message to the desk, and what the desk says to it."""

from typing import Annotated, Any, cast
from uuid import uuid4

import httpx
import typer
from langgraph_sdk.errors import PermissionDeniedError
from langgraph_sdk.schema import Thread

from agent.client.connection import DeskError, ExitCode, LostError, failure
from agent.client.outage import until_settled
from agent.client.runs import Outcome, follow, is_approval, read_source
from agent.client.session import Session, remote
from agent.client.show import plain, waits

GRAPH = "customer_service"


@remote(default_role="channel")
async def ask(
    session: Session,
    text: Annotated[str, typer.Argument(metavar="TEXT", help="The message; - reads it from stdin.")],
    customer: Annotated[str | None, typer.Option(metavar="ID", help="In whose name you speak, as a channel.")] = None,
    thread: Annotated[str | None, typer.Option(metavar="ID", help="The conversation to go on with.")] = None,
) -> None:
    """Say something as a customer and read the desk's answer."""
    message = _message(text)
    named = {"customer_id": customer} if customer else {}
    if thread is None:
        thread = (await session.client.threads.create(metadata=named, graph_id=GRAPH))["thread_id"]
    outcome = await _say(session, thread, message, named)
    answers = replies(outcome.values["messages"])
    if not answers:
        raise DeskError(f"no answer came on thread {thread}; go on with --thread {thread}", ExitCode.OTHER)
    session.screen.document({"thread_id": thread, "messages": answers, "waiting": outcome.waiting})
    session.screen.print(*(plain(answer) for answer in answers))
    if outcome.waiting:
        session.screen.print(plain(f"This {waits(outcome.waiting)}.", "yellow"))
    session.screen.print(plain(f"to go on in this conversation: --thread {thread}", "dim"))


async def _say(session: Session, thread: str, message: str, named: dict[str, str]) -> Outcome:
    """Say one thing on a thread. When the connection breaks the thread is read for the answer.

    Raises `LostError` when none can be had, and `DeskError` UNAUTHORISED for a name that the token may not use.
    """
    message_id = str(uuid4())
    try:
        return await follow(
            session.client, thread, GRAPH, session.screen.progress, context=named,
            input={"messages": [{"role": "user", "content": message, "id": message_id}]},
            look=f"Read on, or say it again, with --thread {thread}",
        )  # fmt: skip
    except PermissionDeniedError as error:
        if not named:
            raise
        raise DeskError(
            f"{failure(session.url, error).message}. A customer's own token speaks for that customer: leave out "
            "--customer",
            ExitCode.UNAUTHORISED,
        ) from error
    except LostError as error:
        session.screen.progress(f"{error.message}; looking for the answer")
        return await _found(session, thread, message_id, error)


async def _found(session: Session, thread_id: str, message_id: str, lost: LostError) -> Outcome:
    """The answer to a message as the thread has it. Raises `lost` when there is none."""

    async def read() -> tuple[Thread, list[dict[str, Any]]]:
        thread = await session.client.threads.get(thread_id)
        said = cast(dict[str, Any], thread["values"] or {}).get("messages", [])
        own = [number for number, each in enumerate(said) if each.get("id") == message_id]
        return thread, said[own[0] :] if own and thread["status"] != "busy" else []

    try:
        thread, said = await until_settled(read, lambda found: bool(replies(found[1])))
    except httpx.HTTPError as error:
        raise lost from error
    if not replies(said):
        raise lost
    waiting = (each["value"] for task in thread["interrupts"].values() for each in task)
    return Outcome(cast(dict[str, Any], thread["values"]), next(filter(is_approval, waiting), None))


def replies(messages: list[dict[str, Any]]) -> list[str]:
    """What the desk said after the customer's last message."""
    last = max((number for number, message in enumerate(messages) if message["type"] == "human"), default=-1)
    return [message["content"] for message in messages[last + 1 :] if message["type"] == "ai"]


def _message(text: str) -> str:
    try:
        message = read_source("-").decode() if text == "-" else text
        message.encode()
    except UnicodeError as error:
        raise DeskError("the message is not UTF-8 text", ExitCode.USAGE) from error
    if not message.strip():
        raise DeskError("the message is empty", ExitCode.USAGE)
    return message
