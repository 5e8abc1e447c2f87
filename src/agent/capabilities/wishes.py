"""From what was understood to what is wanted: a wish is a capability and what is known for it so far.

A wish that lacked something waits in the conversation (`Unfinished`); the customer's next words fill the gap.
"""

import re
from collections.abc import Sequence
from typing import Any, Final

from typing_extensions import TypedDict  # with typing's own, Python 3.11 serves no schema of the graph

from agent.assistant.answers import Correction
from agent.assistant.classifier import classifier
from agent.assistant.embedded import answer_to, other_wish, read, rule_names, understand
from agent.assistant.entities import amount, cancel_reason, order_ids, stated_reason
from agent.assistant.models import Topic
from agent.capabilities import BY_NAME, capability_of
from agent.capabilities.base import Capability, Slots
from agent.money import exponent
from agent.shop import SHOP

READ: Final = ("order_id", "amount", "reason")
"""Slots that are read out of a customer's words, and only as ids, amounts and reasons; the others are their words."""

ALL: Final = re.compile(
    r"\b(?:all of (?:it|them|that)|everything|the (?:whole|full|entire)|in full|full refund|all)\b", re.I
)
"""How an amount is named that is whatever there is."""
_ORDINALS: Final = (
    re.compile(r"\b(?:first|1st|former|number one)\b|^\W*1\W*$", re.I),
    re.compile(r"\b(?:second|2nd|number two)\b|^\W*2\W*$", re.I),
    re.compile(r"\b(?:third|3rd|number three)\b|^\W*3\W*$", re.I),
    re.compile(r"\b(?:fourth|4th)\b|^\W*4\W*$", re.I),
    re.compile(r"\b(?:fifth|5th)\b|^\W*5\W*$", re.I),
)
_LAST: Final = re.compile(r"\b(?:last|latter|bottom) (?:one|of)?\b", re.I)
_CHOICE: Final = "choice"
"""What is asked when it is not sure what is wanted."""


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


class OpenWish(Unfinished, total=False):
    """The same as it waits in the conversation: how the customer was asked; or, while it is not sure what they want,
    the capabilities that they were asked to choose from."""

    question: str
    choices: list[str]


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


def to_choose(text: str, choices: Sequence[str]) -> OpenWish:
    """A message of which it is to be asked which of these capabilities is wanted."""
    return OpenWish(capability="", slots={"text": text}, asked=_CHOICE, choices=list(choices))


def ordinal(text: str, of: int) -> int | None:
    """Which of so many things is meant by "the second one", from 0."""
    if _LAST.search(text):
        return of - 1
    return next((n for n, pattern in enumerate(_ORDINALS[:of]) if pattern.search(text)), None)


def chosen(unfinished: OpenWish, text: str) -> list[Wish]:
    """The wishes of the choice that an answer names, by its place or in its words; none when it names none."""
    choices = [name for name in unfinished.get("choices", []) if name in BY_NAME]
    at = ordinal(text, len(choices)) if len(text) < 60 else None
    if at is None:
        reading = read(text, pending=False)
        meant = [capability_of(topic).name for topic in reading.understood.topics]
        likely = {each.label.name: each.likelihood for each in classifier().guesses(text, rule_names(text))}
        best = max(choices, key=lambda name: (name in meant, likely.get(name, 0)), default=None)
        if best is None or not (best in meant or (not meant and likely[best] >= 0.25)):
            return []
        at = choices.index(best)
    said, request_type = unfinished["slots"]["text"], BY_NAME[choices[at]].request_type
    cancels = request_type == "order_cancel"
    slots = {
        "text": said,
        "amount": amount(said),
        "reason": cancel_reason(f"{said} {text}") if cancels else stated_reason(said),
    }
    known = {name: value for name, value in slots.items() if value is not None}
    ids = order_ids(said) or order_ids(text)
    return [Wish(capability=choices[at], slots=known | {"order_id": each}) for each in ids] or [
        Wish(capability=choices[at], slots=known)
    ]


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
        if added is None and asked == "amount" and ALL.search(text):
            added = {"all": True}
    elif other_wish(text, topic, says_yes_or_no=asked == "symptom"):
        added = None
    else:
        added = {asked: text}
    return Wish(capability=capability.name, slots=slots | added) if added is not None else None


def corrected(wishes: Sequence[Wish], said: Correction) -> list[Wish] | None:
    """The wishes with what the customer put right; None when none of them has such a thing.

    Another order takes the place of the one that it is "not", or else of the last wish's.
    """
    changed = [Wish(capability=each["capability"], slots=dict(each["slots"])) for each in wishes]
    for wish in reversed(changed):
        slots, fields = wish["slots"], BY_NAME[wish["capability"]].slots.model_fields
        named = [each for each in said.order_ids if each != slots.get("order_id")]
        if said.order_ids and "order_id" in slots:
            if len(named) != 1:
                return None
            wish["slots"] = slots | {"order_id": named[0]}
        elif said.other and "order_id" in slots:
            del slots["order_id"]
        elif said.number is not None and "amount" in fields and slots.get("amount") == _minor(said.instead_of):
            slots["amount"] = _minor(said.number)
        elif said.number is not None and "quantity" in fields:
            slots["quantity"] = str(said.number)
        elif said.amount is not None and "amount" in slots:
            slots["amount"] = said.amount
        elif said.reason is not None and "reason" in slots:
            slots["reason"] = said.reason
        else:
            continue
        return changed
    return None


def _minor(number: int | None) -> int | None:
    return None if number is None else number * 10 ** exponent(SHOP.currency)


def slots_of(wish: Wish) -> Slots:
    """The slots as the capability reads them."""
    return BY_NAME[wish["capability"]].slots.model_validate(wish["slots"])
