"""A little language for phrases, so that the data in `intent_rules` and `entities` can be read aloud.

Here are its grammar and the word lists that phrases share, not what a phrase means.
"""

import re
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Final

from agent.shop import SHOP

_SHORTHANDS = {
    "PRODUCTS": SHOP.products,
    "SHOP": (
        "order*/parcel*/package*/ship*/deliver*/return*/refund*/exchang*/cancel*/pay*/card/cards/charge*"
        "/voucher*/discount*/coupon*/invoice*/receipt*/account*/password*/email/e-mail/phone/address/details"
        "/newsletter/product*/item*/warranty/assembl*/clean*/wash*/stock/available/price*/cost*/sell/buy/purchase"
        f"/store/contact/opening_hours/two-factor/login/log_in/sign_up/{SHOP.products}"
    ),
    "CHANGE": "change/changing/update/updating/modify/edit/editing/correct_my/correct_the/amend/alter",
    "NOT": "doesn't/doesnt/don't/won't/wont/isn't/aren't/not/stopped/can't/cannot",
    "NOT_YET": "hasn't/hasnt/haven't/didn't/didnt/never/isn't/not/still_waiting/yet_to",
    "TROUBLE": "trouble/problem/problems/issue/issues/difficult*/struggl*",
    "ELSEWHERE": "amazon/ebay/ikea/walmart/wayfair/etsy/aliexpress",
}


_PIECE: Final = re.compile(r"\w+")
_COMMON: Final = frozenset(
    (
        *("a", "about", "am", "an", "and", "any", "are", "at", "be", "by", "can", "could", "did", "do", "does", "for"),
        *("from", "get", "give", "had", "has", "have", "how", "i", "in", "is", "it", "like", "me", "my", "need", "no"),
        *("not", "of", "on", "or", "our", "should", "some", "that", "the", "this", "to", "want", "was", "we", "what"),
        *("when", "where", "which", "who", "why", "will", "with", "would", "you", "your"),
    )
)
"""Words that say little about which phrase is meant."""
_LINES: Final[dict[re.Pattern[str], tuple[str, ...]]] = {}
"""What each pattern was made of."""


def phrases(*lines: str) -> re.Pattern[str]:
    """One pattern that finds any of the phrases, whole words only, in any case.

    In a phrase `a/b` is either word, `a*` the word with any ending, `a_b` two words in a choice; a choice that
    ends in `?` may be missing, `…` is up to forty characters, a word in capitals stands for a list above. Nothing
    in it can make matching more than linear in the text.
    """
    pattern = re.compile(rf"(?<!\w)(?:{'|'.join(map(_phrase, lines))})(?!\w)", re.IGNORECASE)
    _LINES[pattern] = lines
    return pattern


def vocabulary(*patterns: re.Pattern[str]) -> frozenset[str]:
    """Every word, as `\\w+` finds it, of phrases without endings left open: a text of these alone has no other."""
    lines = " ".join(line for pattern in patterns for line in _LINES[pattern])
    return frozenset(_PIECE.findall(lines.lower().replace("_", " ")))


class Index:
    """Which of several patterns a text may match, told by its words alone, so that few patterns are tried on it."""

    def __init__(self, patterns: Mapping[str, re.Pattern[str]]) -> None:
        """Index patterns of `phrases`, by name."""
        self._exact: dict[str, set[str]] = {}
        self._stems: dict[str, set[str]] = {}
        self._always = frozenset(name for name, each in patterns.items() if any(not _telling(x) for x in _LINES[each]))
        for name, pattern in patterns.items():
            for word in (word for line in _LINES[pattern] for word in _telling(line)):
                stem = word.endswith("*")
                (self._stems if stem else self._exact).setdefault(word.removesuffix("*"), set()).add(name)
        self._of_word = lru_cache(4096)(self._candidates)

    def candidates(self, text: str) -> set[str]:
        """Names of all patterns that match the text, and of a few that don't."""
        found = set(self._always)
        for word in _PIECE.findall(text.lower()):
            found |= self._of_word(word)
        return found

    def _candidates(self, word: str) -> frozenset[str]:
        begin = (word[:size] for size in range(1, len(word) + 1))
        stems = (self._stems[each] for each in begin if each in self._stems)
        return frozenset(self._exact.get(word, set()).union(*stems))


def _telling(line: str) -> list[str]:
    """Words of which a text that matches the phrase has one at least: the choice that tells most; none is known for
    a phrase of signs."""
    best: list[str] = []
    for part in line.split():
        choice = _SHORTHANDS.get(part, part)
        if part == "…" or choice.endswith("?"):
            continue
        words = list(_first_pieces(choice.split("/")))
        if not all(words):
            continue
        if not best or _COMMON.isdisjoint(words) > _COMMON.isdisjoint(best):
            best = words
    return best


def _first_pieces(words: Iterable[str]) -> Iterable[str]:
    """The first piece of each word, as `_PIECE` finds it in a text; empty for one without any."""
    for word in words:
        found = _PIECE.search(word.replace("_", " "))
        piece = found.group().lower() if found else ""
        yield f"{piece}*" if found and word[found.end() :].startswith("*") else piece


def _phrase(line: str) -> str:
    pattern, blank = "", ""
    for part in line.split():
        if part == "…":
            blank = r"(?!\w).{0,40}?(?<!\w)"
            continue
        choice = _SHORTHANDS.get(part, part).rstrip("?")
        words = "|".join(re.escape(word).replace(r"\*", r"\w*").replace("_", " ") for word in choice.split("/"))
        pattern += f"(?:{blank}(?:{words}))?" if part.endswith("?") else f"{blank}(?:{words})"
        blank = " "
    return pattern
