"""What a thread's checkpoints tell: which node ran, on which attempt, what it changed in the state, errors, interrupts.

In ids, states, numbers and rules only: of what was said nothing is shown but who spoke. Nothing here talks to the
server.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from agent.client.runs import is_approval
from agent.client.show import ONLY_CURRENCY
from agent.money import format_money

Values = dict[str, Any]


@dataclass(frozen=True)
class Step:
    """One checkpoint: when it was written, by which nodes, in words."""

    at: str
    node: str
    says: str


def steps(history: Sequence[dict[str, Any]]) -> Iterator[Step]:
    """What happened between a thread's checkpoints, oldest first; they come as the platform gives them, newest first.

    Of the oldest only what is there is known, unless it is the thread's first.
    """
    by_id = {each["checkpoint"]["checkpoint_id"]: each for each in history}
    children = Counter[str](_parent(each) for each in history)
    seen: set[str] = set()
    for state in reversed(history):
        before, parent = by_id.get(_parent(state)), _parent(state)
        says = [*_circumstances(state), *_failures(before)]
        if parent and parent in seen and children[parent] > 1:
            says.append("a fork: the thread went another way from this checkpoint before")
        seen.add(parent)
        is_first = not parent or before is not None
        says += changes(_values(before), _values(state)) if is_first else ["what was before is not shown"]
        yield Step(state["created_at"], _nodes(before, state), "; ".join(says) or "nothing changed")
    if history:
        yield from _now(history[0])


def damage(values: object) -> str | None:
    """What of a state can't be, by its form alone; None: nothing."""
    if not isinstance(values, dict):
        return f"it is {_kind(values)}, and should be an object"
    for key, form in _FORMS.items():
        if values.get(key) is not None and not isinstance(values[key], form):
            return f"{key} is {_kind(values[key])}"
    return None


def changes(before: Values, after: Values) -> list[str]:
    """What is different, in words."""
    changed = [key for key in after if key not in _NOT_TOLD and after[key] != before.get(key)]
    told = (_told(key, before.get(key), after[key], after) for key in changed)
    return [each for each in told if each] + [f"{key} is gone" for key in before if key not in after]


def _told(key: str, old: Any, new: Any, state: Values) -> str:
    if key in _FORMS and new is not None and not isinstance(new, _FORMS[key]):
        return f"{key} is damaged: {_kind(new)}"
    if key == "order_amount":
        return f"order amount {format_money(new, state.get('currency') or ONLY_CURRENCY)}" if new is not None else ""
    if key in _IN_WORDS:
        return _IN_WORDS[key](old, new)
    name = key.replace("_", " ")
    if key not in _PLAIN:
        return f"{name} changed"
    if old is None or new is None:
        return f"{name} {'none' if new is None else _plain(new)}" if old or new else ""
    return f"{name} {_plain(old)} → {_plain(new)}"


def _messages(old: Any, new: list[Any]) -> str:
    known = {each.get("id") for each in old or [] if isinstance(each, dict)}
    come = Counter(_SPEAKERS.get(each.get("type"), "?") for each in new if each.get("id") not in known)
    left_out = "messages left out" if len(new) < len(old or []) else ""
    return ", ".join(f"{n} message{'s' * (n != 1)} of {who}" for who, n in come.items()) or left_out


def _results(old: Any, new: dict[str, Any]) -> str:
    before = old if isinstance(old, dict) else {}
    return ", ".join(f"{item} {outcome}" for item, outcome in new.items() if before.get(item) != outcome)


def _approval(_: Any, new: dict[str, Any] | None) -> str:
    if new is None:
        return "no request is shown"
    refused = f", the last answer was refused by {str(new['refused']).partition(':')[0]}" if new.get("refused") else ""
    return f"request {new.get('request_id')} is {new.get('status')}, step {new.get('step')}{refused}"


def _answer(_: Any, new: dict[str, Any] | None) -> str:
    who = (new or {}).get("identity")
    return f"an answer of {new.get('role')} {who}" if new and who else "an answer of nobody"


def _named(what: str, name: Callable[[dict[str, Any]], Any]) -> Callable[[Any, Any], str]:
    def told(_: Any, new: Any) -> str:
        each = new.get("actions", [new]) if isinstance(new, dict) else new or []
        names = [str(name(item)) for item in each if isinstance(item, dict)]
        return f"{what} {', '.join(names)}" if names else ""

    return told


_PLAIN: Final = frozenset(
    ("order_id", "customer_id", "currency", "payment_status", "processing_stage", "error_count", "retry_count",
     "human_approval_needed", "human_intervention", "vouched", "request_type", "ledger_fact", "overtaken_at", "lines",
     "parcels", "version")
)  # fmt: skip
"""Keys of a state whose values are ids, states and numbers."""

_NOT_TOLD: Final = frozenset(("order", "allowance", "answering", "notes", "unfinished", "articles", "findings"))
"""What is of use to the next node only, or is what somebody sent."""

_IN_WORDS: Final[dict[str, Callable[[Any, Any], str]]] = {
    "messages": _messages,
    "results": _results,
    "approval": _approval,
    "answer": _answer,
    "denial": lambda _, new: f"refused by {new.get('rule')}" if new else "",
    "damage": lambda _, new: f"damaged before {new.get('node')}: {new.get('found')}" if new else "",
    "plan": _named("planned", lambda action: action.get("name")),
    "ready": _named("ready", lambda ready: (ready.get("action") or {}).get("name")),
    "topics": _named("asked about", lambda wish: wish.get("capability")),
}

_FORMS: Final[dict[str, type | tuple[type, ...]]] = {
    "messages": list,
    "results": dict,
    "approval": dict,
    "answer": dict,
    "denial": dict,
    "damage": dict,
    "plan": dict,
    "ready": list,
    "topics": list,
    "lines": list,
    "parcels": list,
    "order_id": str,
    "customer_id": str,
    "processing_stage": str,
    "order_amount": int,
    "error_count": int,
    "retry_count": int,
}
_SPEAKERS: Final = {"human": "the customer", "ai": "the desk"}


def _circumstances(state: dict[str, Any]) -> Iterator[str]:
    metadata = state.get("metadata") or {}
    if (attempt := metadata.get("run_attempt") or 1) > 1:
        yield f"attempt {attempt} of the run"
    if metadata.get("source") == "update":
        yield "written from outside"


def _failures(state: dict[str, Any] | None) -> Iterator[str]:
    for task in (state or {}).get("tasks") or []:
        if task.get("error"):
            yield f"{task['name']} failed with {_error(task['error'])}"


def _now(head: dict[str, Any]) -> Iterator[Step]:
    """What is pending at the last checkpoint: an error, people, or a node that is yet to run."""
    for task in head.get("tasks") or []:
        waits = [each.get("value") for each in task.get("interrupts") or []]
        if task.get("error"):
            says = f"failed with {_error(task['error'])}, and the run ended there"
        elif waits:
            shown = [
                f"request {each['request_id']}, for {' or '.join(each['roles'])}" for each in waits if is_approval(each)
            ]
            says = f"waits for an answer: {'; '.join(shown) or 'an interrupt that is no request of ours'}"
        else:
            says = "is next, and has not ended yet"
        yield Step(head["created_at"], str(task.get("name")), says)


def _nodes(before: dict[str, Any] | None, state: dict[str, Any]) -> str:
    if (state.get("metadata") or {}).get("source") == "input":
        return "input"
    ran = Counter(str(task.get("name")) for task in (before or {}).get("tasks") or [])
    return ", ".join(f"{node} × {n}" if n > 1 else node for node, n in ran.items()).replace("__start__", "start") or "?"


def _parent(state: dict[str, Any]) -> str:
    return str((state.get("parent_checkpoint") or {}).get("checkpoint_id") or "")


def _values(state: dict[str, Any] | None) -> Values:
    values = (state or {}).get("values")
    return values if isinstance(values, dict) else {}


def _error(error: object) -> str:
    """The error's name: its text may say anything."""
    name = str(error).partition("(")[0].partition(":")[0].strip()
    return name if name.isidentifier() else "an error"


def _plain(value: Any) -> str:
    return ", ".join(map(str, value)) or "none" if isinstance(value, list) else str(value)


def _kind(value: object) -> str:
    return {dict: "an object", list: "a list", str: "text", bool: "true or false"}.get(
        type(value), type(value).__name__
    )
