"""Messages to other shops and banks, of which others have said what they are about: for measuring, never for training.

They are no part of this project: `MESSAGES_DIR` says where they lie. Their topics are fewer than ours.
"""

import json
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from agent.assistant.embedded import Reading
from agent.assistant.models import RequestType
from agent.capabilities import BY_NAME

FOLDER: Final = Path(os.environ.get("MESSAGES_DIR", Path(__file__).parents[3] / "shared" / "data" / "messages"))

THEIRS: Final[dict[RequestType, str]] = {
    "order_change": "general",  # they have no topic for a change: an address is of the profile
    "account": "general",
    "person": "general",
    "question": "general",  # about the shop
    "withdraw": "order_return",
}
"""How a topic of ours is called there; the others are called the same."""


@dataclass(frozen=True)
class Message:
    """A message, and the topics of which any is right."""

    text: str
    topics: frozenset[str]
    source: str


def messages() -> Iterator[Message]:
    """All of them."""
    for path in sorted(FOLDER.glob("*.jsonl")):
        for line in path.read_text(encoding="utf-8").splitlines():
            row = json.loads(line)
            yield Message(row["text"], frozenset(row["topics"]), row["source"])


def topics_of(reading: Reading) -> set[str]:
    """What a message was taken to be about, in their words; nothing when it was not understood."""
    understood = reading.understood
    if understood.act == "request":
        return {theirs(topic.request_type) for topic in understood.topics}
    return {"general"} if understood.act in ("small_talk", "out_of_scope") else set()


def offered(reading: Reading) -> set[str]:
    """What the customer was asked to choose from, in their words."""
    return {theirs(BY_NAME[name].request_type) for name in reading.choices}


def theirs(request_type: RequestType) -> str:
    """A topic of ours in their words."""
    return THEIRS.get(request_type, request_type)


def share(of: Sequence[bool]) -> float:
    """How many of them hold, from 0 to 1."""
    return sum(of) / len(of)
