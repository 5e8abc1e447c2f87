"""What a message was understood to ask. A proposal like any stranger's: policy and ledger check it afterwards."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from agent.text import Text, is_storable

RequestType = Literal[
    "order_status",
    "order_cancel",
    "order_change",
    "order_return",
    "billing_issue",
    "technical_issue",
    "security_issue",
    "account",
    "person",
    "withdraw",
    "question",
]
"""What a topic is about. `billing_issue` is about money: a refund, a charge; `person` is a wish to
be answered by one, `withdraw` to take back what was asked for; `question` is answered from articles."""

Act = Literal["request", "yes", "no", "small_talk", "out_of_scope", "unclear"]
"""What a message does. `yes` and `no` answer the desk's last question and nothing else."""

MESSAGE_LIMIT = 8_000
"""Longest message, in characters, that the desk reads; longer ones are refused whole."""


class Topic(BaseModel):
    """One thing that the customer wants, in the words that said it."""

    model_config = ConfigDict(extra="forbid")

    request_type: RequestType
    text: Text = Field(description="the customer's own words about this topic")
    order_id: Text | None = Field(default=None, description="the order as the customer named it, whatever its form")
    amount: int | None = Field(default=None, ge=0, description="an amount of money named, in minor units (cents)")
    reason: Text | None = Field(default=None, description="the customer's reason, in few words")


class Understanding(BaseModel):
    """A whole message, understood."""

    model_config = ConfigDict(extra="forbid")

    act: Act
    topics: list[Topic] = Field(default_factory=list, max_length=5)


class MessageError(ValueError):
    """A message that the desk does not read; `rule` says why."""

    def __init__(self, rule: Literal["MESSAGE-FORM", "MESSAGE-EMPTY", "MESSAGE-LONG"]) -> None:
        super().__init__(rule)
        self.rule = rule


def _block(part: object) -> str:
    """The words of one text block, which holds nothing else."""
    if isinstance(part, dict) and set(part) == {"type", "text"} and part["type"] == "text":
        text = part["text"]
        if isinstance(text, str):
            return text
    raise MessageError("MESSAGE-FORM")


def message_text(content: object) -> str:
    """The words of a message's content: a string, or the text blocks that chat UIs send. Raises `MessageError`."""
    if isinstance(content, list):
        content = "\n".join(_block(part) for part in content)
    if not isinstance(content, str) or not is_storable(content):
        raise MessageError("MESSAGE-FORM")
    if not content.strip():
        raise MessageError("MESSAGE-EMPTY")
    if len(content) > MESSAGE_LIMIT:
        raise MessageError("MESSAGE-LONG")
    return content
