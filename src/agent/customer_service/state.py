"""What a conversation remembers, and shows to whoever inspects it. The ledger is the truth."""

import operator
from typing import (
    Annotated,
    Any,
    NotRequired,  # with typing's own, Python 3.11 serves no schema of the graph
)

from langchain_core.messages import AnyMessage
from typing_extensions import TypedDict

from agent.approvals.gate import AnswerBy
from agent.approvals.models import ApprovalView
from agent.assistant.turn_budget import Allowance
from agent.capabilities.wishes import OpenWish, Unfinished, Wish
from agent.customer_service.message_history import MESSAGES


class PlannedAction(TypedDict):
    """A change that was proposed. `sentence` tells the customer exactly what, how much, to where (CONFIRM-FIRST)."""

    name: str
    arguments: dict[str, Any]
    sentence: str


class Plan(TypedDict):
    """What waits for the customer's yes. Its id is made from thread and turn, so that its effects have stable keys."""

    id: str
    actions: list[PlannedAction]


class ReadyAction(TypedDict):
    """A change that may be made now: the customer said yes and, when `request_id` is set, so did the staff."""

    key: str
    action: PlannedAction
    request_id: str | None


class Finding(TypedDict):
    """What one specialist found: words for the customer, or a change to propose; or both, a change that would be denied
    as things are, with the reason."""

    text: str
    action: PlannedAction | None
    unfinished: Unfinished | None


class DeskInput(TypedDict):
    """The graph's input: one message and nothing else."""

    messages: Annotated[list[AnyMessage], MESSAGES]


def merge(old: dict[str, Finding], new: dict[str, Finding]) -> dict[str, Finding]:
    """Join what specialists found, by topic."""
    return {**old, **new}


class DeskState(DeskInput, total=False):
    """Everything that moves between nodes. `notes` are the sentences of the next reply; `answering` is the customer's
    turn that has none yet."""

    customer_id: str | None
    allowance: Allowance | None  # what models may still cost this turn, which one has read
    vouched: bool  # a token or a channel said so; else it is the customer's own claim
    request_type: str | None
    processing_stage: str
    answering: str | None
    error_count: Annotated[int, operator.add]
    retry_count: Annotated[int, operator.add]
    human_intervention: bool
    topics: list[Wish]
    articles: list[dict[str, str]]
    findings: Annotated[dict[str, Finding], merge]
    unfinished: list[OpenWish] | None
    about: list[Wish]  # what was listed and asked comes from
    plan: Plan | None
    listed_at: str | None  # when the plan was listed last, ISO 8601
    ready: list[ReadyAction]
    notes: list[str]
    approval: ApprovalView | None
    answer: AnswerBy


class ModelTask(TypedDict):
    """What a specialist with a model needs beside its topic: what it may cost, and the conversation so far, as pairs
    of who spoke (`customer` or `desk`) and their words."""

    allowance: Allowance
    history: list[list[str]]


class Question(TypedDict):
    """All that the cached `knowledge` node sees: no customer, so that everyone may share an answer."""

    topics: list[Wish]


class TopicTask(TypedDict):
    """What one `specialist` is sent. It reads; it never writes."""

    key: str
    topic: Wish
    customer_id: str | None
    article: dict[str, str]  # empty when there is none on it
    model: NotRequired[ModelTask | None]  # None where a model did not read the message
