"""What a model drafted for a customer, held against the facts of this turn: what they do not say does not leave.

A statement leaves when it is one fact, the whole of it, in the fact's own words and their order: what is left out, or
put elsewhere, may be what turns it round. A question leaves when it asks for what is missing and claims nothing.
That is far stricter than meaning is; what it turns away is said by the desk's own sentences.
"""

import re
from collections.abc import Sequence
from typing import Final

from agent.assistant.entities import order_ids

LONGEST: Final = 1_500
"""Characters of a draft; a longer one is not looked at."""

_SENTENCE: Final = re.compile(r"(?<=[.!?])\s+|\n+")
CHOSEN: Final = re.compile(r"“[^”]*”")
"""A name in a fact, which its giver was free to choose; see `chosen`."""
_QUOTED: Final = re.compile(r'"([^"“”]*)"')
_PART: Final = re.compile(r"“[^”]*”|[^\s“]+")
_EDGES: Final = "'.,;:!?()*_`’"
_BULLETS: Final = frozenset("-–—•")


def _listed(words: str) -> frozenset[str]:
    return frozenset(words.split())


_GLUE: Final = _listed("a an the your order")
"""Words that a statement may leave out of a fact, or add: none of them says what is, was, or is not."""
_COURTESY: Final = frozenset(
    tuple(phrase.split())
    for phrase in (
        "hello", "hi", "sorry", "i'm sorry", "i am sorry", "thanks", "thank you", "thank you very much", "of course",
        "thank you for writing", "thank you for patience", "you're welcome", "i'm happy to help", "happy to help",
        "let me know if there is anything else",
    )
)  # fmt: skip
"""All that may be said without a fact, each as a whole and without `_GLUE`."""
_ASKED_WITH: Final = _GLUE | _listed(
    "which what how many much do does would could can you want mean like tell write me is are it of for to or"
    " and please one ones number item items piece pieces product option colour color size reason amount payment method"
    " address e-mail street city postcode country new another orders"
)
"""All words of a question, beside names and ids of orders: none of them can say that something was done."""
_ASKING: Final = _listed("which what how do would could can is are")


def sentences(text: str) -> list[str]:
    """The sentences of a text, without the white space around them."""
    return [part for sentence in _SENTENCE.split(text) if (part := sentence.strip())]


def chosen(name: object) -> str:
    """A name as it stands in a fact: on one line in “ ”, which nothing in it ends."""
    words = " ".join(str(name).split())
    return f"“{words.translate(str.maketrans('“”', '‘’'))}”"


def is_founded(draft: str, facts: Sequence[str], asked: str) -> bool:
    """Whether each sentence of a draft may leave.

    Args:
        draft: a model's words, for the customer.
        facts: sentences that are true.
        asked: the customer's own words; a question may take up the orders that they name.
    """
    said = {_words(fact) for fact in facts}
    known = {each.casefold() for each in order_ids("\n".join((*facts, asked)))}
    known |= {name.casefold() for fact in facts for name in CHOSEN.findall(fact)}
    return bool(draft.strip()) and len(draft) <= LONGEST and all(_may_leave(s, said, known) for s in sentences(draft))


def _may_leave(sentence: str, facts: set[tuple[str, ...]], known: set[str]) -> bool:
    words = _words(sentence)
    if sentence.rstrip(_EDGES.replace("?", "")).endswith("?"):
        return bool(words) and words[0] in _ASKING and set(words) <= _ASKED_WITH | known
    return bool(words) and (words in facts or words in _COURTESY)


def _words(text: str) -> tuple[str, ...]:
    """The words that count, in order; a name as a whole. Straight quotation marks are as good as others."""
    parts = _PART.findall(_QUOTED.sub(r"“\1”", text))
    words = (part if part.startswith("“") else part.strip(_EDGES) for part in parts)
    return tuple(word for each in words if (word := each.casefold()) and word not in _GLUE | _BULLETS)
