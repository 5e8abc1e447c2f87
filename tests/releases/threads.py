"""A thread as text, and back: the last checkpoint as its saver holds it, with the writes that wait beside it.

What a checkpoint holds besides JSON is spelled out by name; anything else in a state is an error when it is recorded.
"""

import json
from typing import Any

from langchain_core.messages import BaseMessage, message_to_dict, messages_from_dict
from langgraph.types import Interrupt, Send

from tests.support.threads import Thread

Recorded = dict[str, Any]


async def recorded(thread: Thread) -> Recorded:
    """Where the thread stands: its checkpoint and, for who reads the file, what that means."""
    view = await thread.waits_for()
    kept = await thread.graph.checkpointer.aget_tuple(thread.config(None))
    return {
        "graph": thread.graph.name,
        "thread_id": thread.id,
        "order_id": kept.checkpoint["channel_values"].get("order_id"),
        "next": list((await thread.graph.aget_state(thread.config(None))).next),
        "waiting_for": view["roles"] if view else [],
        "checkpoint": kept.checkpoint,
        "metadata": kept.metadata,
        "writes": kept.pending_writes,
    }


async def put_back(thread: Thread, known: Recorded) -> None:
    """Let the thread stand where it stood when it was recorded."""
    saver, checkpoint = thread.graph.checkpointer, known["checkpoint"]
    config = {"configurable": {"thread_id": thread.id, "checkpoint_ns": ""}}
    config = await saver.aput(config, checkpoint, known["metadata"], checkpoint["channel_versions"])
    for task, channel, value in known["writes"]:
        await saver.aput_writes(config, [(channel, value)], task)


def as_text(threads: list[Recorded]) -> str:
    """Recorded threads as JSON."""
    return json.dumps(threads, indent=1, default=_spelled_out) + "\n"


def of_text(text: str) -> list[Recorded]:
    """Recorded threads out of JSON."""
    return list(json.loads(text, object_hook=_meant))


def _spelled_out(value: object) -> dict[str, Any]:
    match value:
        case BaseMessage():
            return {"$message": message_to_dict(value)}
        case Interrupt():
            return {"$interrupt": {"value": value.value, "id": value.id}}
        case Send():
            return {"$send": {"node": value.node, "arg": value.arg}}
    raise TypeError(f"a thread's state holds JSON and messages, not a {type(value).__name__}")


def _meant(found: dict[str, Any]) -> object:
    match found:
        case {"$message": message}:
            return messages_from_dict([message])[0]
        case {"$interrupt": interrupt}:
            return Interrupt(**interrupt)
        case {"$send": send}:
            return Send(**send)
    return found
