"""From what was understood to what is wanted: a wish is a capability and what is known for it so far.

A wish that lacked something waits in the conversation (`Unfinished`); the customer's next words fill the gap.
"""

from typing import Any, Final

from typing_extensions import TypedDict  # with typing's own, Python 3.11 serves no schema of the graph

from agent.assistant.embedded import answer_to, other_wish, understand
from agent.assistant.models import Topic
from agent.capabilities import BY_NAME, capability_of
from agent.capabilities.base import Capability, Slots

READ: Final = ("order_id", "amount", "reason")
"""Slots that are read out of a customer's words, and only as ids, amounts and reasons; the others are their words."""


class Wish(TypedDict):
    """What is wanted: the capability's name, and its slots by name."""

    capability: str
    slots: dict[str, Any]


def plainly_asked(capability: Capability, message: str) -> str | None:
    """The customer's own words for what is done at once, as the rules read them: a model's reading is not enough."""
    topics = understand(message, pending=False).topics
    return next((topic.text for topic in topics if capability_of(topic) is capability), None)


class Unfinished(Wish):
    """A wish that lacks what the customer was asked for."""

    asked: str


def wish_of(topic: Topic, message: str | None = None) -> Wish:
    """What a topic asks for; `message` is the whole of it where a model has read it. What is done at once is passed on
    in the customer's words, so a model chooses none of them."""
    capability, said = capability_of(topic), topic.model_dump(include={"text", *READ}, exclude_none=True)
    if message is not None and capability.at_once:
        plain = plainly_asked(capability, message)
        if capability.wants and plain is None:
            capability = capability_of(topic.model_copy(update={"text": ""}))
        said["text"] = plain or message
    return Wish(capability=capability.name, slots=said)


def completed(unfinished: Unfinished, text: str) -> Wish | None:
    """The wish with the customer's answer in it; None when they said no, or want something else."""
    capability = BY_NAME.get(unfinished.get("capability", ""))
    if capability is None:  # of a release that asked for less
        return None
    slots, asked = unfinished["slots"], unfinished["asked"]
    known = {name: slots[name] for name in READ if name in slots}
    topic = Topic(request_type=capability.request_type, text=slots["text"], **known)
    if asked in READ:
        answered = answer_to(topic, text)
        added = answered.model_dump(include=set(READ), exclude_none=True) if answered else None
    elif other_wish(text, topic, says_yes_or_no=asked == "symptom"):
        added = None
    else:
        added = {asked: text}
    return Wish(capability=capability.name, slots=slots | added) if added is not None else None


def slots_of(wish: Wish) -> Slots:
    """The slots as the capability reads them."""
    return BY_NAME[wish["capability"]].slots.model_validate(wish["slots"])
