"""Traces to LangSmith, as the environment says: what of a run goes there, and how long an exit may wait for it.

Its own anonymizer leaves names, tags, events, keys and attachments alone, and an interrupt looks like an error. Here a
run is shown by its form alone (`redaction.shown`), a wait for people is a tag, and an order's runs have its id.
"""

import atexit
from collections.abc import Sequence
from typing import Any, Final

import langsmith
from langsmith import Client
from langsmith.utils import tracing_is_enabled

from agent.observability.redaction import error_text, scrub, shown

EXIT_SECONDS: Final = 1.0
"""How long an exit waits for what is not sent yet."""
WAITING: Final = "waiting"
"""The tag of a run that ended by asking people."""

_FREE: Final = frozenset(("inputs", "outputs", "error", "extra", "tags", "events", "attachments", "serialized", "name"))


class TraceClient(Client):
    """A client that shows of runs what may be seen, and holds no exit up."""

    _use_daemon_threads = property(lambda _: True, lambda *_: None)  # its threads would be waited for, up to a minute

    def create_run(self, name: str, inputs: dict[str, Any], run_type: Any, **more: Any) -> None:
        """Begin a run."""
        super().create_run(scrub(name), shown(inputs), run_type, **_seen(more, inputs))

    def update_run(self, run_id: Any, **more: Any) -> None:
        """End a run."""
        super().update_run(run_id, **_seen(more, more.get("inputs"), more.get("outputs")))


def start_langsmith() -> TraceClient | None:
    """Use such a client for all traces of this process, if the environment asks for them (LANGSMITH_TRACING)."""
    if not tracing_is_enabled():
        return None
    client = TraceClient(timeout_ms=(1_000, 5_000))
    langsmith.configure(client=client)
    atexit.register(client.flush, EXIT_SECONDS)
    return client


def _seen(run: dict[str, Any], *states: Any) -> dict[str, Any]:
    """The same call, of what may be seen."""
    seen = {key: value for key, value in run.items() if key not in _FREE}
    for key in ("inputs", "outputs"):
        if run.get(key) is not None:
            seen[key] = shown(run[key])
    if run.get("name"):
        seen["name"] = scrub(run["name"])
    tags = [scrub(tag) for tag in run.get("tags") or ()]
    if error := run.get("error"):
        if error.startswith("GraphInterrupt"):
            tags.append(WAITING)
        else:
            seen["error"] = error_text(error)
    extra = shown(run.get("extra") or {})
    if order_id := _order_of(states):
        extra.setdefault("metadata", {})["order_id"] = scrub(order_id)
    events = [_event(event) for event in run.get("events") or ()]
    return seen | {"tags": tags, "extra": extra, "events": events}


def _event(event: dict[str, Any]) -> dict[str, Any]:
    """Our own are of the vocabulary; others hold inputs, outputs, names of files."""
    said = event.get("kwargs") or {}
    return {
        "name": scrub(str(event.get("name"))),
        "time": event.get("time"),
        "kwargs": said if event.get("desk") else shown(said),
    }


def _order_of(states: Sequence[Any]) -> str | None:
    """The id of the order that a run is about, by what it was given and what came of it."""
    for state in states:
        for known in (state, state.get("order") if isinstance(state, dict) else None):
            if isinstance(known, dict) and isinstance(order_id := known.get("order_id"), str) and order_id:
                return order_id
    return None
