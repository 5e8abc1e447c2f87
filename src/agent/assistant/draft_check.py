"""What a model drafted for a customer, held against the facts of this turn: what they do not say does not leave.

A statement must be said by one fact: each of its telling words, numbers, ids and tenses stands in it, and neither is a
no where the other is none. That is stricter than meaning is; what it turns away is said by the desk's own sentences.
"""

import re
from collections.abc import Iterable, Sequence
from typing import Final

LONGEST: Final = 1_500
"""Characters of a draft; a longer one is not looked at."""

_SENTENCE: Final = re.compile(r"(?<=[.!?])\s+|\n+")
CHOSEN: Final = re.compile(r"“[^”]*”")
"""A name in a fact, which its giver was free to choose."""
_EDGES: Final = " \t\"'.,;:!?()[]{}*_`“”‘’–—-•"


def _listed(words: str) -> frozenset[str]:
    return frozenset(words.split())


_GLUE: Final = _listed(
    "a an the of for to in on at by with and is are it its this that these those your you i we our here as"
    " order orders item items piece pieces"
)
"""Words that say nothing by themselves. Not among them: what makes it past, future, possible or a no."""
_COURTESY: Final = _GLUE | _listed(
    "hello hi dear thank thanks much very please sorry about glad happy help welcome me us let know if there anything"
    " else trouble writing question patience"
)
_ASKED_WITH: Final = _COURTESY | _listed(
    "which what when where how many much who do does want mean would like could tell or one ones number both all new"
    " old instead"
)
_NO: Final = _listed(
    "no not never none nothing without cannot can't won't isn't aren't doesn't don't didn't wasn't hasn't yet"
)
_ASKING: Final = re.compile(
    r"(?:which|what|when|where|how (?:many|much)|who|do you (?:want|mean)|would you like|could you|is it|are you)\b",
    re.I,
)


def sentences(text: str) -> list[str]:
    """The sentences of a text, without the white space around them."""
    return [part for sentence in _SENTENCE.split(text) if (part := sentence.strip())]


def is_founded(draft: str, facts: Sequence[str], asked: str) -> bool:
    """Whether each sentence of a draft may leave.

    Args:
        draft: a model's words, for the customer.
        facts: sentences that are true.
        asked: the customer's own words; a question may take them up, a statement may not.
    """
    return bool(draft.strip()) and len(draft) <= LONGEST and all(_may_leave(s, facts, asked) for s in sentences(draft))


def _may_leave(sentence: str, facts: Sequence[str], asked: str) -> bool:
    if sentence in facts:
        return True
    if sentence.rstrip(_EDGES.replace("?", "")).endswith("?"):
        words = _words(_without(sentence, facts))
        known = {word for text in (*facts, asked) for word in _words(CHOSEN.sub(" ", text))}
        return bool(_ASKING.match(sentence.lstrip(_EDGES))) and words <= known | _ASKED_WITH and not words & _NO
    return _words(sentence) <= _COURTESY or any(_is_said_by(fact, sentence) for fact in facts)


def _is_said_by(fact: str, sentence: str) -> bool:
    """Whether a fact says what a sentence does. A name is only ever a name, whatever words are in it."""
    words, said = _words(_without(sentence, [fact])), _words(CHOSEN.sub(" ", fact))
    telling = words - _GLUE
    return bool(telling) and telling <= said and bool(words & _NO) == bool(said & _NO)


def _without(sentence: str, facts: Sequence[str]) -> str:
    """A sentence without the names that were chosen, each as a whole."""
    for name in {name.strip("“”") for fact in facts for name in CHOSEN.findall(fact)} - {""}:
        sentence = re.sub(re.escape(name), " ", sentence, flags=re.I)
    return sentence


def _words(text: str) -> frozenset[str]:
    return frozenset(_stripped(text.split()))


def _stripped(words: Iterable[str]) -> Iterable[str]:
    return (word for each in words if (word := each.strip(_EDGES).casefold()))
