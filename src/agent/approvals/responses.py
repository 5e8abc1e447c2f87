"""Reads what people's clients send as an answer. Whatever is not clearly an answer is refused, and asked again.

The forms were seen on the wire of Agent Inbox, Agent Chat UI, Studio and `desk`.
"""

from typing import Any

from pydantic import ValidationError

from agent.approvals.models import Answer, Decision
from agent.identity import out_of_json
from agent.text import RULE, is_storable

_WORDS: dict[str, Decision] = {
    "approve": "approve",
    "accept": "approve",
    "edit": "edit",
    "reject": "reject",
    "response": "reject",
    "ignore": "reject",
}


class AnswerRefusedError(Exception):
    """An answer that does not count, with the rule that says so; `ask_again`: the same answer counts next time."""

    def __init__(self, rule: str, why: str, *, ask_again: bool = False) -> None:
        super().__init__(f"{rule}: {why}")
        self.rule = rule
        self.ask_again = ask_again


class UnreadableAnswerError(ValueError):
    """The answer has no form that is known; says what was expected."""


def read_answer(said: Any, action_name: str) -> Answer:
    """One answer out of what a client sent for the action called `action_name`.

    Raises `UnreadableAnswerError` for anything unclear: several answers, unknown words, another action's name.
    """
    said = out_of_json(said)
    entry = _single(said)
    if not is_storable(entry):
        raise UnreadableAnswerError(RULE)
    word, shown = entry.get("type"), entry.get("args")
    decision = _WORDS.get(word) if isinstance(word, str) else None
    if decision is None:
        raise UnreadableAnswerError('answer with {"decisions": [{"type": "approve" | "edit" | "reject"}]}')
    if isinstance(shown, dict) and shown.get("action", action_name) != action_name:
        raise UnreadableAnswerError(f"the answer must be about the action {action_name!r}")
    arguments = _edited(entry, action_name) if decision == "edit" else None
    try:
        return Answer(
            decision=decision,
            note=_note(entry),
            arguments=arguments,
            echoed=None if decision == "edit" else _echoed(entry),
            token=entry.get("token", said.get("token") if isinstance(said, dict) else None),
        )
    except ValidationError as error:
        raise UnreadableAnswerError(error.errors()[0]["msg"]) from error


def _single(said: Any) -> dict[str, Any]:
    """The one entry of an answer, whether it came bare, in a list, or under `decisions`."""
    if isinstance(said, bool):
        return {"type": "approve" if said else "reject"}
    if isinstance(said, str):
        return {"type": said.strip().lower()}
    if isinstance(said, dict) and "decisions" in said:
        said = said["decisions"]
    if isinstance(said, list) and len(said) == 1:
        said = said[0]
    if isinstance(said, dict):
        return said
    raise UnreadableAnswerError("send exactly one answer to one request")


def _note(entry: dict[str, Any]) -> str:
    note = entry.get("message") or (entry.get("args") if entry.get("type") == "response" else "") or ""
    if not isinstance(note, str):
        raise UnreadableAnswerError("the note must be text")
    return note


def _echoed(entry: dict[str, Any]) -> dict[str, Any] | None:
    """The arguments that an answer repeats, though it does not change them: Agent Inbox's approval does."""
    action = entry.get("edited_action") or entry.get("args")
    arguments = action.get("args") if isinstance(action, dict) else None
    return arguments if isinstance(arguments, dict) and arguments else None


def _edited(entry: dict[str, Any], action_name: str) -> dict[str, Any]:
    """The changed arguments: Agent Chat UI sends `edited_action`, Agent Inbox an action under `args`."""
    action = entry.get("edited_action") or entry.get("args")
    if not isinstance(action, dict):
        raise UnreadableAnswerError("an edit must carry the changed action")
    if action.get("name", action.get("action")) != action_name:
        raise UnreadableAnswerError(f"an edit must be of the action {action_name!r}")
    arguments = action.get("args")
    if not isinstance(arguments, dict):
        raise UnreadableAnswerError("an edit must carry all arguments")
    return arguments
