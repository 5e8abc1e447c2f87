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
DECISIONS: tuple[Decision, ...] = ("approve", "edit", "reject")
NOTE_LIMIT = 2000
"""Longest note, in characters, that is kept with a decision."""


class Answer(BaseModel):
    """One person's answer to a request, whatever client it came from."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    decision: Decision
    note: Text = Field(default="", max_length=NOTE_LIMIT)
    arguments: dict[str, Any] | None = None  # for edit: the whole changed arguments


class ActionRequest(TypedDict):
    """What would be done. `arguments` repeats `args`, since Agent Inbox reads only that."""

    name: str
    args: dict[str, Any]
    arguments: dict[str, Any]
    description: str


class ReviewConfig(TypedDict):
    """Which answers an action takes."""

    action_name: str
    allowed_decisions: list[Decision]


class ApprovalView(TypedDict):
    """An open request as the interrupt shows it; also its copy in a thread's state.

    `roles` may answer now; `step` of `steps` counts from 1; times are ISO 8601 in UTC; amounts minor units.
    `refused` says why the last answer was not taken. `head` is the seal of the last decision, or of the request; those
    made before there were seals have none.
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


class QuestionView(TypedDict):
    """What an approver asked the customer about a request; `number` counts from 1. An answer decides nothing."""

    number: int
    asked_by: str
    text: str
    at: str
    answer: str | None
    answered_at: str | None


def decision_payload(
    decision: Decision, *, name: str, note: str = "", arguments: dict[str, Any] | None = None
) -> dict[str, Any]:
    """The answer in the form that the platform's own clients send (Agent Chat UI's)."""
    entry: dict[str, Any] = {"type": decision}
    if note:
        entry["message"] = note
    if decision == "edit":
        entry["edited_action"] = {"name": name, "args": arguments or {}}
    return {"decisions": [entry]}
