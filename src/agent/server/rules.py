"""What a run may carry, as pure functions over the platform's `create_run` value. `auth` calls them; tests read them.

Fields are allowed by list: whatever is not named here is refused. What needs a look at the thread is in `resumes`.
"""

import re
from collections.abc import Mapping
from typing import Any, Final
from uuid import UUID, uuid5

from pydantic import ValidationError

from agent.assistant.models import MessageError, message_text
from agent.commerce.commands import NewOrder
from agent.commerce.policy import RULES
from agent.context import Context
from agent.identity import STUDIO_IDENTITY, Caller, owner_of
from agent.platform import is_order_thread, order_thread
from agent.text import first_error

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

_OTHER_THREAD: Final = {
    "customer_service": "this is an order's thread, and customer_service runs on one of its own: create one",
    "order_processing": "a chat takes no orders: one is order_id, customer_id, payment_method_id and lines, on the "
    "thread that is made from its order_id; send it by `desk orders submit`, or as the README's ten lines of "
    "langgraph-sdk do, and chat with customer_service",
}
"""What to do instead, when a graph is run on a thread that is not its own."""

_HARMLESS: Final = frozenset(
    ("input", "command", "config", "context", "stream_mode", "temporary", "subgraphs", "resumable", "durability",
     "checkpoint_during")
)  # fmt: skip
_MESSAGE: Final = frozenset(("role", "type", "content", "id"))
"""What chat UIs fill in of a message."""
_MESSAGE_ID: Final = re.compile(r"[A-Za-z0-9._-]+")
"""The desk's own ids have a colon: nobody can take one before it does."""
_EMPTY: Final = frozenset(
    ("name", "additional_kwargs", "response_metadata", "example", "tool_calls", "invalid_tool_calls", "usage_metadata")
)
"""What they send besides, as long as it is empty."""
_METADATA: Final = frozenset(("owner", "customer_id", "graph_id", "assistant_id"))
"""What customers and channels may say of a thread or a run; the first two are written by the server."""
_A2A: Final = frozenset(("task_id", "task_start_id", "a2ui", "a2ui_active", "a2ui_mime_type"))
_CONFIG: Final = frozenset(("configurable", "tags"))
"""What a run's `config` may hold: the rest would steer the engine, or be kept on the thread."""
_CONFIG_OF_STUDIO: Final = _CONFIG | {"metadata", "recursion_limit"}
"""Studio sends more. It sits on the server's own machine, and not in production."""

ID_LIMIT: Final = 100
"""Longest id that a client gives: characters of a message's id, of a tag, of a value in metadata."""
TAG_LIMIT: Final = 10
"""Most tags of a run."""

_SERVER_CONFIG: Final = frozenset(
    ("langgraph_auth_user", "langgraph_auth_user_id", "langgraph_auth_permissions", "langgraph_request_id",
     "__request_start_time_ms__", "__after_seconds__", "__context_provided__", "__encryption_context__",
     "__otel_traceparent__", "__otel_tracestate__", "__dd_trace_headers__", "__event_streaming_v2")
)  # fmt: skip
"""What the server itself puts into `configurable` (langgraph_api.models.run); most of it a client can't send."""
_TOP_LEVEL: Final = frozenset(("checkpoint_ns", "checkpoint_map"))
"""Where in the graph a checkpoint is: chat UIs send them empty, which is the graph itself."""


class RunRefusedError(Exception):
    """A run that may not start; `status` is the HTTP status to answer with."""

    def __init__(self, status: int, why: str) -> None:
        super().__init__(why)
        self.status = status
        self.why = why


def is_message(value: dict[str, Any]) -> bool:
    """Whether a run that `check_run` let in says something to the desk, and does not merely fetch its notifications."""
    of_the_desk = GRAPH_OF_ASSISTANT[str(value["assistant_id"])] == "customer_service"
    kwargs = value["kwargs"]
    return of_the_desk and not kwargs.get("command") and kwargs["input"] != {"messages": []}


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
        raise RunRefusedError(422, _OTHER_THREAD[graph])


def _check_fields(caller: Caller, value: dict[str, Any], kwargs: dict[str, Any]) -> None:
    if extra := sorted(_given(kwargs) - _HARMLESS):
        raise RunRefusedError(403, f"a run may not set {', '.join(extra)}")
    if value.get("after_seconds"):
        raise RunRefusedError(403, "a run starts at once: nobody could answer on a thread that waits for it")
    if value.get("multitask_strategy") not in ("reject", "enqueue"):
        raise RunRefusedError(403, "multitask_strategy must be reject or enqueue")
    _check_config(caller, kwargs.get("config") or {})
    check_metadata(caller, value.get("metadata"))
    context = _set_by_client(kwargs.get("context"), value.get("thread_id"))
    if extra := sorted(context - ({"customer_id"} if caller.role == "channel" else set())):
        raise RunRefusedError(403, f"role {caller.role} may not set context: {', '.join(extra)}")
    try:
        Context.model_validate({name: kwargs["context"][name] for name in context})
    except ValidationError as error:
        raise RunRefusedError(422, f"context.{first_error(error)}") from error
    configurable = (kwargs.get("config") or {}).get("configurable") or {}
    top_level = {name for name in _TOP_LEVEL if not configurable.get(name)}
    if own := _set_by_client(configurable, value.get("thread_id")) - context - top_level - {"checkpoint_id"}:
        raise RunRefusedError(403, f"a run may not set configurable: {', '.join(sorted(own))}")


def check_metadata(caller: Caller, metadata: Mapping[str, Any] | None) -> None:
    """Refuse what customers and channels may not say of a thread or a run. Raises `RunRefusedError`."""
    if caller.role not in ("customer", "channel") or caller.identity == STUDIO_IDENTITY:
        return
    given = _without_a2a(metadata)
    if set(given) - _METADATA or not all(_is_id(said) for said in given.values()):
        allowed = ", ".join(sorted(_METADATA))
        raise RunRefusedError(422, f"metadata is {allowed}, each a text of 1 to {ID_LIMIT} characters")


def _check_config(caller: Caller, config: Mapping[str, Any]) -> None:
    allowed = _CONFIG_OF_STUDIO if caller.identity == STUDIO_IDENTITY else _CONFIG
    if set(config) - allowed:
        raise RunRefusedError(422, f"config of a run is {' and '.join(sorted(allowed))}, and nothing else")
    tags = config.get("tags", [])
    if not isinstance(tags, list) or len(tags) > TAG_LIMIT or not all(_is_id(tag) for tag in tags):
        raise RunRefusedError(422, f"config.tags: at most {TAG_LIMIT}, each of 1 to {ID_LIMIT} characters")


def _without_a2a(given: Mapping[str, Any] | None) -> dict[str, Any]:
    """Metadata, or a message's `additional_kwargs`, without what the platform's A2A routes add: ids of their tasks."""
    return {
        name: said
        for name, said in (given or {}).items()
        if not (
            name == "a2a"
            and isinstance(said, dict)
            and _A2A.issuperset(said)
            and all(isinstance(part, bool) or _is_id(part) for part in said.values())
        )
    }


def _is_id(given: object) -> bool:
    return isinstance(given, str) and 1 <= len(given) <= ID_LIMIT


def _given(fields: Mapping[str, Any]) -> set[str]:
    return {name for name, value in fields.items() if value not in (None, [], {}, False)}


def _set_by_client(config: Mapping[str, Any] | None, thread_id: UUID | str | None) -> set[str]:
    """The keys of a run's context or configurable that did not come from the server itself.

    In protocol v2 it names the run's own thread there.
    """
    return {
        name
        for name, value in (config or {}).items()
        if name not in _SERVER_CONFIG
        and not (name == "cron_id" and _is_id(value))
        and not (name == "thread_id" and thread_id and str(value) == str(thread_id))
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
    speakers = [message[key] for key in ("role", "type") if key in message] if isinstance(message, dict) else []
    if not isinstance(message, dict) or speakers not in (["user"], ["human"]):
        raise RunRefusedError(422, f"MESSAGE-FORM: {RULES['MESSAGE-FORM']} (input.messages)")
    more = message.get("additional_kwargs")
    given = {**message, "additional_kwargs": _without_a2a(more) if isinstance(more, dict) else more}
    if set(message) - _MESSAGE - _EMPTY or _given(given) - _MESSAGE:
        raise RunRefusedError(422, "MESSAGE-FORM: a message has role or type, content, id (input.messages.0)")
    if (given_id := message.get("id")) is not None and not (_is_id(given_id) and _MESSAGE_ID.fullmatch(given_id)):
        why = f"MESSAGE-FORM: an id has 1 to {ID_LIMIT} letters, digits, or any of . _ - (input.messages.0.id)"
        raise RunRefusedError(422, why)
    try:
        message_text(message.get("content"))
    except MessageError as error:
        raise RunRefusedError(422, f"{error.rule}: {RULES[error.rule]} (input.messages.0.content)") from error


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
    except ValidationError as error:
        raise RunRefusedError(422, f"ORDER-INPUT: {first_error(error)}") from error
    if thread_id != (own := order_thread(order_id, owner_of(caller))):
        raise RunRefusedError(422, f"ORDER-INPUT: order {order_id} of yours belongs on thread {own}")
