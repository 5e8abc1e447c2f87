"""What a capability is: one thing that a customer can have done by talking, as a record.

What reads the records: triage, the specialists, the plan, its making, the claims, "what can you do?", docs and tests.
"""

import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict
from sqlalchemy.orm import Session

from agent.approvals.requests import Action
from agent.assistant.models import RequestType
from agent.commerce.commands import Command
from agent.commerce.types import Form
from agent.services import Services
from agent.shop import Case

Arguments = dict[str, Any]


class Slots(BaseModel):
    """What a customer has said so far: `text` in their words, the rest by name. A capability names its own."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    text: str = ""
    order_id: str | None = None


@dataclass(frozen=True)
class Question:
    """One thing that is missing, asked back for; the customer's next words fill `slot`."""

    slot: str
    text: str


@dataclass(frozen=True)
class Proposal:
    """What would be done. `sentence` tells the customer exactly what, how much, to where (CONFIRM-FIRST)."""

    arguments: Arguments
    sentence: str


ANONYMOUS = ""
"""Not a customer."""

Outcome = str | Question | Proposal
"""What comes of a wish: words (none: the article that was found), a question, or a change that is proposed."""

Propose = Callable[[Services, str, Any], Awaitable[Outcome]]
"""Given the customer, who is `ANONYMOUS` while nobody vouches for them, and the slots. It reads, and changes nothing.
Raises `PolicyDenied` with the rule in the way."""


@dataclass(frozen=True)
class Requester:
    """In whose name a command is run, and under which key."""

    key: str
    customer_id: str

    def as_fields(self) -> Arguments:
        """The fields that every command has."""
        return {"key": self.key, "actor": self.customer_id, "subject": self.customer_id}


@dataclass(frozen=True)
class PlannedChange:
    """A change of an agreed plan that people are to be asked about: `key` is its own, `of_plan` are those of the whole
    plan, `planned` what refunds of the plan sum up to, in minor units."""

    name: str
    arguments: Arguments
    sentence: str
    subject: str
    key: str
    of_plan: frozenset[str]
    planned: int
    is_known: bool
    now: datetime


@dataclass(frozen=True, kw_only=True)
class Capability:
    """One thing that the desk can do.

    Args:
        name: of the change in plans, approvals and keys; a model's tool will have it too.
        request_type: the topic that triage finds.
        does: what it does, in a few words that follow "I can".
        propose: looks into a wish (see `Propose`).
        slots: what it must know.
        form: the slots that a model may fill in, with types; what is missing in it is taken from the customer's words.
        wants: tells it from the others of its request type; the last one of a type takes what no other wants.
        reach: who may ask: the customer that somebody vouches for, whoever claims to be them, or anybody.
        command: the shop's command for a proposal's arguments; None when nothing is ever changed.
        done: what the customer is told when the command has answered.
        approval: what people are asked, whose yes it takes besides the customer's; None when it takes nobody's.
        at_once: it is made without asking the customer first, for it only passes their words on.
    """

    name: str
    request_type: RequestType
    does: str
    propose: Propose
    slots: type[Slots] = Slots
    form: type[Form] = Form
    wants: re.Pattern[str] | None = None
    reach: Literal["anybody", "claimed", "vouched"] = "vouched"
    command: Callable[[Requester, Arguments], Command] | None = None
    done: Callable[[Arguments, dict[str, Any]], str] | None = None
    approval: Callable[[Session, PlannedChange], tuple[Action, Case]] | None = None
    at_once: bool = False
