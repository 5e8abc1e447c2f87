"""What an approval looks like to people and programs. Pure data: the `desk` client imports this module and no other."""

from typing import (
    Any,
    Literal,
    NotRequired,  # pydantic checks states by it, also on Python 3.11
)

from pydantic import BaseModel, ConfigDict, Field
from typing_extensions import TypedDict

from agent.text import Text

Decision = Literal["approve", "edit", "reject"]
NOTE_LIMIT = 2000
"""Longest note, in characters, that is kept with a decision."""


class Answer(BaseModel):
    """One person's answer to a request, whatever client it came from."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    decision: Decision
    note: Text = Field(default="", max_length=NOTE_LIMIT)
    arguments: dict[str, Any] | None = None  # for edit: the whole changed arguments
    echoed: dict[str, Any] | None = None  # of any other answer: the arguments that it says it is about
    token: str | None = None  # of the card that was answered


class ActionRequest(TypedDict):
    """What would be done, as text (see `card`). `arguments` repeats `args`, since Agent Inbox reads only that."""

    name: str
    args: dict[str, Any]
    arguments: dict[str, Any]
    description: str


class ReviewConfig(TypedDict):
    """Which answers an action takes."""

    action_name: str
    allowed_decisions: list[Decision]


class Ended(TypedDict):
    """What became of a request, when, and through whom; nobody decided one that expired or is void."""

    status: str
    actor: str | None
    role: str | None
    at: str | None


class ApprovalView(TypedDict):
    """An open request as the interrupt shows it; also its copy in a thread's state.

    `roles` may answer now; `step` of `steps` counts from 1; times are ISO 8601 in UTC. `refused` says why the last
    answer was not taken. `head` is the seal of the last decision, or of the request; those made before there were
    seals have none. `token` stands for exactly what is shown, and is sent back with the answer. `arguments` are the
    action's own, amounts in minor units of `currency`. `asked_again` are digests of who was told that the request has
    changed. What releases before this one have shown lacks the last five.
    """

    action_requests: list[ActionRequest]
    review_configs: list[ReviewConfig]
    request_id: str
    case: str
    subject: str
    order_id: str | None
    asked_by: str
    roles: list[str]
    step: int
    steps: int
    due: str
    action_hash: str
    status: str
    note: str
    refused: str | None
    head: NotRequired[str]
    token: NotRequired[str]
    arguments: NotRequired[dict[str, Any]]
    currency: NotRequired[str]
    ended: NotRequired[Ended]
    asked_again: NotRequired[list[str]]


class QuestionView(TypedDict):
    """What an approver asked the customer about a request; `number` counts from 1. An answer decides nothing."""

    number: int
    asked_by: str
    text: str
    at: str
    answer: str | None
    answered_at: str | None


def decision_payload(
    decision: Decision, *, name: str, note: str = "", arguments: dict[str, Any] | None = None, token: str | None = None
) -> dict[str, Any]:
    """The answer in the form that the platform's own clients send (Agent Chat UI's), with the `token` of what was
    shown."""
    entry: dict[str, Any] = {"type": decision}
    if note:
        entry["message"] = note
    if decision == "edit":
        entry["edited_action"] = {"name": name, "args": arguments or {}}
    return {"decisions": [entry]} | ({"token": token} if token else {})
