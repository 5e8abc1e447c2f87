"""What customers say to the desk's own question: yes, no, what it listed once more, or one thing of it otherwise.

Rules alone read these, before any model (CONFIRM-FIRST). What is made of a correction is for the dialogue.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from agent import order_numbers
from agent.assistant import dialogue_phrases
from agent.assistant.entities import amount, cancel_reason, numbers_as_amounts, order_ids, plain
from agent.assistant.models import Understanding
from agent.assistant.pattern_language import vocabulary

ANSWERS: Final = (dialogue_phrases.YES, dialogue_phrases.NO, dialogue_phrases.FILLER)
_PIECE: Final = re.compile(r"\w+")
_WORD: Final = re.compile(r"\w[\w']*")
_PLAN_WORDS: Final = frozenset(
    ("it", "that", "this", "them", "my", "the", "me", "all", "order", "orders", "please", "i", "want")
)
"""What a yes that repeats a plan may say besides the plan's own words."""
_BEGINS_YES: Final = re.compile(r"\W*(?:yes|yeah|yep|yup|sure|ok|okay|correct|right|please do)\b", re.I)
_NOT_BUT: Final = re.compile(
    r"(?<![\w.,])(?:(\d{1,4}) ?,? not (\d{1,4})|not (\d{1,4}) ?,? (?:but )?(\d{1,4}))(?![\w]|[.,]\d)", re.I
)
_OTHER: Final = re.compile(r"\b(?:the|my) other (?:one|order)\b", re.I)


@lru_cache(16)
def _vocabulary(known: tuple[re.Pattern[str], ...]) -> frozenset[str]:
    return vocabulary(*known)


def yes_or_no(words: str) -> Understanding | None:
    """A plain yes or no, which says nothing else and asks nothing; else None."""
    rest, refusals = dialogue_phrases.NO.subn(" ", words)
    agreements = len(dialogue_phrases.YES.findall(rest))
    if "?" in words or bool(refusals) == bool(agreements) or says_more(rest, *ANSWERS):
        return None
    return Understanding(act="no" if refusals else "yes")


def says_more(words: str, *known: re.Pattern[str]) -> bool:
    """Whether words are left when all that is known is taken away."""
    if not _vocabulary(known).issuperset(_PIECE.findall(words.lower())):
        return True
    for pattern in known:
        words = pattern.sub(" ", words)
    return bool(_WORD.search(words))


def repeats(text: str, sentences: Sequence[str]) -> bool:
    """Whether this is a yes that says the listed plan over again, all of it and nothing else.

    Every word of it is one of the plan's; of several changes none is left out by naming the others.
    """
    words = " ".join(plain(text).split())
    if not _BEGINS_YES.match(words) or "?" in words:
        return False
    named, listed = set(order_ids(words)), set(order_ids("\n".join(sentences)))
    if named and {order_numbers.bare(each) for each in named} != {order_numbers.bare(each) for each in listed}:
        return False
    rest = order_numbers.without(words)
    for pattern in (dialogue_phrases.YES, dialogue_phrases.FILLER):
        rest = pattern.sub(" ", rest)
    said = {word.lower() for word in _WORD.findall(rest)} - _PLAN_WORDS
    verbs = {sentence.split()[0].lower() for sentence in sentences}
    known = {word.lower() for sentence in sentences for word in _WORD.findall(sentence)}
    return said <= known and not (said & verbs and not verbs <= said)


@dataclass(frozen=True)
class Correction:
    """What a customer says otherwise: each None when it stays. `other` is another order than was meant."""

    order_ids: tuple[str, ...] = ()
    other: bool = False
    amount: int | None = None
    number: int | None = None
    instead_of: int | None = None
    reason: str | None = None


def correction(text: str) -> Correction | None:
    """What a message puts right of what was said before, if that is how it begins."""
    words = " ".join(plain(text).split())
    if not dialogue_phrases.CORRECTION.match(words):
        return None
    ids = tuple(order_ids(words))
    numbers = None if ids else _NOT_BUT.search(words)
    if numbers:
        new, old = (numbers[1], numbers[2]) if numbers[1] else (numbers[4], numbers[3])
        return Correction(number=int(new), instead_of=int(old))
    rest = numbers_as_amounts(words)
    found = Correction(
        order_ids=ids,
        other=bool(_OTHER.search(words)),
        amount=amount(words) or (rest.pop() if len(rest) == 1 else None),
        reason=cancel_reason(words),
    )
    return found if found != Correction() else None
