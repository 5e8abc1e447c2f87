"""Checkpoints damaged behind the graph's back, as by a broken release, a broken disk, or a hand in the database."""

from collections.abc import Callable
from typing import Any

from langgraph.types import Send

from tests.support.threads import Thread

TASKS = "__pregel_tasks"
"""The channel in which `Send`s wait."""

Change = Callable[[dict[str, Any]], None]


async def tamper(thread: Thread, change: Change) -> None:
    """Change the state in the thread's newest checkpoint; what runs next and what has been written stays."""
    saver = thread.graph.checkpointer
    kept = await saver.aget_tuple(thread.config(None))
    checkpoint = kept.checkpoint
    change(checkpoint["channel_values"])
    versions = checkpoint["channel_versions"]
    newest = max(versions.values())
    checkpoint["channel_versions"] = dict.fromkeys(checkpoint["channel_values"], newest) | versions
    config = {"configurable": {"thread_id": thread.id, "checkpoint_ns": ""}}
    await saver.aput(config, checkpoint, kept.metadata, checkpoint["channel_versions"])


def setting(**values: Any) -> Change:
    """These keys have these values."""
    return lambda state: state.update(values)


def without(key: str) -> Change:
    """This key is missing."""
    return lambda state: state.pop(key)


def sending(**arguments: Any) -> Change:
    """The first branch that waits to run was sent these arguments."""

    def change(state: dict[str, Any]) -> None:
        first, *others = state[TASKS]
        state[TASKS] = [Send(first.node, first.arg | arguments), *others]

    return change
