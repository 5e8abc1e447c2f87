"""`desk ask`: a customer's message to the desk, and what the desk says to it."""

from typing import Annotated, Any

import typer

from agent.client.connection import DeskError, ExitCode
from agent.client.runs import follow, read_source
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
    outcome = await follow(
        session.client,
        thread,
        GRAPH,
        session.screen.progress,
        input={"messages": [{"role": "user", "content": message}]},
        context=named,
    )
    answers = replies(outcome.values["messages"])
    if not answers:
        raise DeskError(f"no answer came on thread {thread}; go on with --thread {thread}", ExitCode.OTHER)
    session.screen.document({"thread_id": thread, "messages": answers, "waiting": outcome.waiting})
    session.screen.print(*(plain(answer) for answer in answers))
    if outcome.waiting:
        session.screen.print(plain(f"This {waits(outcome.waiting)}.", "yellow"))
    session.screen.print(plain(f"thread {thread}", "dim"))


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
