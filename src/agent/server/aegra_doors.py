"""The doors that are open on aegra, by list, and a run's body as the platform's handlers know it. Pure functions.

This engine guards fewer of its routes than the platform does, so whatever is not listed here is not served at all.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from agent.server.rules import GRAPH_OF_ASSISTANT

_THREAD: Final = r"/threads/(?P<thread>[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})"
_DOORS: Final = tuple(
    (methods.split(), re.compile(path), resource, action)
    for methods, path, resource, action in (
        ("POST", "/assistants/search", "assistants", "search"),
        ("GET", "/assistants/[^/]+", "assistants", "read"),
        ("POST", "/threads", "threads", "create"),
        ("POST", "/threads/search", "threads", "search"),
        ("GET", _THREAD, "threads", "read"),
        ("GET", f"{_THREAD}/state", "threads", "read"),
        ("POST", f"{_THREAD}/history", "threads", "read"),
        ("PATCH", _THREAD, "threads", "update"),
        ("DELETE", _THREAD, "threads", "delete"),
        ("GET", f"{_THREAD}/runs(/[^/]+(/join|/stream)?)?", "threads", "read"),
        ("POST", f"({_THREAD})?/runs(/stream|/wait)?", "threads", "create_run"),
        ("POST", "/runs/crons", "crons", "create"),
        ("POST", "/runs/crons/(search|count)", "crons", "search"),
        ("PATCH", "/runs/crons/[^/]+", "crons", "update"),
        ("DELETE", "/runs/crons/[^/]+", "crons", "delete"),
    )
)

_OF_THE_RUN: Final = frozenset(
    ("assistant_id", "metadata", "multitask_strategy", "if_not_exists", "on_completion", "on_disconnect",
     "after_seconds", "checkpoint", "checkpoint_id", "stream_subgraphs", "stream_resumable")
)  # fmt: skip
"""What the platform keeps beside a run's `kwargs`, or under another name there."""
DEEPEST: Final = 100
"""Lists and objects within one another in a body. A checkpoint holds 255, its own around that included."""
_BIGINT: Final = 2**63
_LONG_NUMBER: Final = re.compile(rb"=[+-]?\d{19,}(?:&|$)")
_ASSISTANT_OF: Final = {graph: assistant for assistant, graph in GRAPH_OF_ASSISTANT.items()}


@dataclass(frozen=True)
class Door:
    """What a request is, to `permissions`; `thread` is that of its path."""

    resource: str
    action: str
    thread: str | None


def door(method: str, path: str) -> Door | None:
    """The door of the engine that a request is for; None when it is none that is open."""
    for methods, form, resource, action in _DOORS:
        if method in methods and (found := form.fullmatch(path)):
            return Door(resource, action, found.groupdict().get("thread"))
    return None


def check_query(query: bytes) -> None:
    """Raises ValueError for a number that no column holds, which is an internal error to the engine."""
    if _LONG_NUMBER.search(query):
        raise ValueError("the query has a number that is too large")


def check_body(body: Any) -> None:
    """Raises ValueError for a number or a depth that no store holds: the platform's own reader refuses it, and this
    engine's does not."""
    level = [body]
    for _ in range(DEEPEST + 1):
        inner: list[Any] = []
        for part in level:
            if isinstance(part, int | float) and not -_BIGINT <= part < _BIGINT:  # NaN is neither
                raise ValueError("a number is none, or too large")
            inner += part.values() if isinstance(part, dict) else part if isinstance(part, list) else ()
        level = inner
    if level:
        raise ValueError(f"more than {DEEPEST} lists and objects within one another")


def history_as_checked(body: Mapping[str, Any]) -> dict[str, Any]:
    """How many checkpoints, and before which: what the engine makes of anything else is an internal error.

    Raises ValueError.
    """
    if body.get("metadata"):
        raise ValueError("metadata: this engine searches no history by it")
    checkpoint = _checkpoint_id(body, "checkpoint")
    named = {
        "limit": body.get("limit"),
        "before": _checkpoint_id(body, "before"),
        "checkpoint": checkpoint and {"checkpoint_id": checkpoint},
    }
    return {name: value for name, value in named.items() if value is not None}


def _checkpoint_id(body: Mapping[str, Any], name: str) -> str | None:
    """The checkpoint that is named: by its id, or by an object or a config that holds it."""
    given: Any = body.get(name)
    if isinstance(given, dict):
        given = given.get("configurable", given)
    if isinstance(given, dict):
        given = given.get("checkpoint_id")
    if given is None or isinstance(given, str):
        return given
    raise ValueError(f"{name} is a checkpoint's id")


def as_on_the_platform(body: Mapping[str, Any], thread: str | None) -> dict[str, Any]:
    """The value that the platform gives to its `create_run` handlers, of this body. Raises ValueError."""
    assistant = str(body.get("assistant_id"))
    config = _object(body, "config")
    checkpoint = _object(body, "checkpoint")
    if body.get("checkpoint_id"):
        checkpoint["checkpoint_id"] = body["checkpoint_id"]
    if checkpoint or "configurable" in config:
        config["configurable"] = _object(config, "configurable") | checkpoint
    return {
        "assistant_id": _ASSISTANT_OF.get(assistant, assistant),
        "thread_id": thread,
        "metadata": _object(body, "metadata"),
        "multitask_strategy": body.get("multitask_strategy") or "enqueue",
        "after_seconds": body.get("after_seconds"),
        "kwargs": {
            **{name: value for name, value in body.items() if name not in _OF_THE_RUN},
            "config": config,
            "context": _object(body, "context") or None,
            "subgraphs": body.get("stream_subgraphs"),
            "input": body.get("input"),
        },
    }


def as_checked(body: Mapping[str, Any], value: Mapping[str, Any]) -> dict[str, Any]:
    """The body of the run as the handlers left it, and no other. What has begun goes on, whoever goes away."""
    kwargs = value["kwargs"]
    names = ("input", "command", "config", "context", "stream_mode", "durability", "checkpoint_during")
    run = {name: kwargs[name] for name in names if kwargs.get(name) is not None}
    if run.get("command"):
        run.pop("input", None)
    return {
        "assistant_id": value["assistant_id"],
        "multitask_strategy": value["multitask_strategy"],
        "stream_subgraphs": bool(body.get("stream_subgraphs")),
        "on_disconnect": "continue",
        "on_completion": body.get("on_completion") if value["thread_id"] is None else None,
        **run,
    }


def thread_as_checked(body: Mapping[str, Any]) -> dict[str, Any]:
    """What may be said of a new thread: not when it is to be deleted, which this engine would let anybody decide, nor a
    past, which it does not know.

    Raises ValueError.
    """
    _object(body, "metadata")
    if body.get("supersteps"):
        raise ValueError("supersteps: what was done on a thread is what its runs did")
    thread = {name: body[name] for name in ("thread_id", "metadata", "if_exists") if body.get(name) is not None}
    if "thread_id" in thread:  # as every door names it: by another spelling nobody would come to it
        thread["thread_id"] = _uuid(thread["thread_id"])
    return thread


def _uuid(given: object) -> str:
    try:
        return str(UUID(str(given)))
    except ValueError:
        raise ValueError("thread_id is a UUID") from None


def _object(body: Mapping[str, Any], name: str) -> dict[str, Any]:
    given = body.get(name)
    if given is not None and not isinstance(given, dict):
        raise ValueError(f"{name} is a JSON object")
    return dict(given or {})
