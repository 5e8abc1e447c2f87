"""What a run may carry, as pure functions over the platform's `create_run` value. `auth` calls them; tests read them.

Fields are allowed by list: whatever is not named here is refused. What needs a look at the thread is in `resumes`.
"""

from collections.abc import Mapping
from typing import Any, Final
from uuid import UUID, uuid5

from pydantic import ValidationError

from agent.assistant.models import MessageError, message_text
from agent.commerce.commands import NewOrder, first_error
from agent.commerce.policy import RULES
from agent.context import Context
from agent.identity import Caller
from agent.platform import is_order_thread, order_thread

_NAMESPACE_GRAPH: Final = UUID("6ba7b821-9dad-11d1-80b4-00c04fd430c8")
"""The platform's namespace of the assistants that it makes for each graph (langgraph_api.graph)."""

GRAPH_OF_ASSISTANT: Final = {
    str(uuid5(_NAMESPACE_GRAPH, graph)): graph for graph in ("customer_service", "order_processing", "reconciler")
}

_STARTS: Final[dict[str, frozenset[str]]] = {
    "customer": frozenset(("customer_service", "order_processing")),
    "channel": frozenset(("customer_service", "order_processing")),
    "operator": frozenset(("reconciler",)),
    "service": frozenset(("customer_service", "order_processing", "reconciler")),
}
"""Which graphs a role may give new input to."""

_HARMLESS: Final = frozenset(
    ("input", "command", "config", "context", "stream_mode", "temporary", "subgraphs", "resumable", "durability",
     "checkpoint_during")
)  # fmt: skip
_MESSAGE: Final = frozenset(("role", "type", "content", "id"))
"""What chat UIs fill in of a message; the rest that they send is empty."""

_SERVER_CONFIG: Final = ("__", "langgraph_")
"""Prefixes of what the server itself puts into `configurable`."""
_ENGINE_CONFIG: Final = "__pregel_"
"""Prefix of what the engine keeps there while it runs: resume values, what to skip. Nobody sends those."""
_TOP_LEVEL: Final = frozenset(("checkpoint_ns", "checkpoint_map"))
"""Where in the graph a checkpoint is: chat UIs send them empty, which is the graph itself."""


class RunRefusedError(Exception):
    """A run that may not start; `status` is the HTTP status to answer with."""

    def __init__(self, status: int, why: str) -> None:
        super().__init__(why)
        self.status = status
        self.why = why


def check_run(caller: Caller, value: dict[str, Any]) -> None:
    """Refuse a run whose role, graph, fields or input are not allowed. Raises `RunRefusedError`."""
    graph = GRAPH_OF_ASSISTANT.get(str(value.get("assistant_id")))
    if graph is None:
        raise RunRefusedError(403, "only the project's own assistants can be run")
    kwargs = value["kwargs"]
    _check_fields(caller, value, kwargs)
    _check_thread(graph, value.get("thread_id"))
    if kwargs.get("command") is not None:
        _check_answer(kwargs)
    elif graph not in _STARTS.get(caller.role, frozenset()):
        raise RunRefusedError(403, f"role {caller.role} may not start {graph}")
    elif graph == "customer_service":
        _check_message(caller, kwargs.get("input"))
    elif graph == "order_processing":
        _check_order(caller, kwargs.get("input"), str(value["thread_id"]))


def _check_thread(graph: str, thread_id: UUID | str | None) -> None:
    """Another graph's run on a thread would throw away what waits there: an order's thread is for its order alone."""
    if graph == "reconciler":
        if thread_id is not None:
            raise RunRefusedError(422, "reconciler runs on no thread")
    elif thread_id is None:
        raise RunRefusedError(422, f"{graph} runs on a thread: create one, or its answers would be lost")
    elif is_order_thread(thread_id) != (graph == "order_processing"):
        raise RunRefusedError(422, f"{graph} does not run on this thread: another graph does")


def _check_fields(caller: Caller, value: dict[str, Any], kwargs: dict[str, Any]) -> None:
    if extra := sorted(_given(kwargs) - _HARMLESS):
        raise RunRefusedError(403, f"a run may not set {', '.join(extra)}")
    if value.get("after_seconds"):
        raise RunRefusedError(403, "a run starts at once: nobody could answer on a thread that waits for it")
    if value.get("multitask_strategy") not in ("reject", "enqueue"):
        raise RunRefusedError(403, "multitask_strategy must be reject or enqueue")
    context = _set_by_client(kwargs.get("context"), value.get("thread_id"))
    if extra := sorted(context - ({"customer_id"} if caller.role == "channel" else set())):
        raise RunRefusedError(403, f"role {caller.role} may not set context: {', '.join(extra)}")
    try:
        Context.model_validate({name: kwargs["context"][name] for name in context})
    except ValidationError as wrong:
        raise RunRefusedError(422, f"context.{first_error(wrong)}") from wrong
    configurable = (kwargs.get("config") or {}).get("configurable") or {}
    top_level = {name for name in _TOP_LEVEL if not configurable.get(name)}
    if own := _set_by_client(configurable, value.get("thread_id")) - context - top_level - {"checkpoint_id"}:
        raise RunRefusedError(403, f"a run may not set configurable: {', '.join(sorted(own))}")


def _given(fields: Mapping[str, Any]) -> set[str]:
    return {name for name, value in fields.items() if value not in (None, [], {}, False)}


def _set_by_client(config: Mapping[str, Any] | None, thread_id: UUID | str | None) -> set[str]:
    """The keys of a run's context or configurable that did not come from the server itself.

    In protocol v2 it names the run's own thread there.
    """
    return {
        name
        for name, value in (config or {}).items()
        if name.startswith(_ENGINE_CONFIG)
        or not (
            name == "cron_id"
            or name.startswith(_SERVER_CONFIG)
            or (name == "thread_id" and thread_id and str(value) == str(thread_id))
        )
    }


def _check_answer(kwargs: dict[str, Any]) -> None:
    """Its form only; whether it fits what waits is for `resumes`."""
    command = kwargs["command"]
    if not isinstance(command, dict) or {k for k, v in command.items() if v is not None} != {"resume"}:
        raise RunRefusedError(403, 'an answer is exactly {"resume": …}, and not null')
    if kwargs.get("input"):
        raise RunRefusedError(403, "an answer carries no input")


def _check_message(caller: Caller, given: Any) -> None:
    if caller.role == "service":
        if given != {"messages": []}:
            raise RunRefusedError(403, 'role service may not speak: its input is {"messages": []}')
        return
    messages = given.get("messages") if isinstance(given, dict) and set(given) == {"messages"} else None
    if isinstance(messages, dict):
        messages = [messages]
    message = messages[0] if isinstance(messages, list) and len(messages) == 1 else None
    if not isinstance(message, dict) or (message.get("role") or message.get("type")) not in ("user", "human"):
        raise RunRefusedError(422, f"MESSAGE-FORM: {RULES['MESSAGE-FORM']} (input.messages)")
    if _given(message) - _MESSAGE or not isinstance(message.get("id"), str | None):
        raise RunRefusedError(422, f"MESSAGE-FORM: a message has {', '.join(sorted(_MESSAGE))} (input.messages.0)")
    try:
        message_text(message.get("content"))
    except MessageError as wrong:
        raise RunRefusedError(422, f"{wrong.rule}: {RULES[wrong.rule]} (input.messages.0.content)") from wrong


def _check_order(caller: Caller, given: Any, thread_id: str) -> None:
    if not isinstance(given, dict) or set(given) != {"order"}:
        raise RunRefusedError(422, 'ORDER-INPUT: the input is {"order": {…}}')
    order = given["order"]
    if caller.role == "service":
        if not isinstance(order, dict) or set(order) != {"order_id"}:
            raise RunRefusedError(422, "ORDER-CALLER: the service account names an order by its id, and nothing else")
        return
    try:
        order_id = NewOrder.model_validate(order).order_id
    except ValidationError as wrong:
        raise RunRefusedError(422, f"ORDER-INPUT: {first_error(wrong)}") from wrong
    if thread_id != order_thread(order_id):
        raise RunRefusedError(422, f"ORDER-INPUT: order {order_id} belongs on thread {order_thread(order_id)}")
