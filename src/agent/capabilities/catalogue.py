"""What a customer's words mean in the catalogue: which products, which options, at what price. Pure."""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, Final

from agent.assistant.entities import numbers_as_amounts
from agent.assistant.pattern_language import phrases
from agent.shop import SHOP

_WORD: Final = re.compile(r"\w+")
_KNOWN: Final = phrases(SHOP.products)
_WORDS_LIMIT: Final = 60
"""Words of a message in which products are looked for."""
_SHORTEST_TYPO: Final = 5
"""Letters of the shortest word that is taken for another one with a letter wrong."""
_NO_TYPO: Final = frozenset(
    ("certain", "chain", "chains", "floor", "money", "paste", "place", "places", "shell", "stood")
)
"""Words of their own, a letter away from what many shops sell."""
_MOST: Final = re.compile(
    r"\b(under|below|less than|cheaper than|up to|at most|max(?:imum)?|no more than|not more than|not over|within)\b",
    re.I,
)
_LEAST: Final = re.compile(r"(?<!no )(?<!not )\b(over|above|more than|dearer than|at least|from)\b", re.I)
_BETWEEN: Final = re.compile(r"\bbetween\b(.{1,20}?)\band\b(.{1,20})", re.I)
_STRICTLY: Final = frozenset(
    ("under", "below", "less than", "cheaper than", "over", "above", "more than", "dearer than")
)
_FIRST_NUMBER: Final = re.compile(r"\D{0,6}[\d.,]*\d(?!\d|[.,]\d| ?k?g\b| ?m?l\b)", re.I)
"""A number that is no weight and no volume."""
_IN: Final = re.compile(r"\bin (?:an? |the )?(\w+)(?=\W*$|\W+(?:or|and|too|as|please)\b)", re.I)
_NO_OPTION: Final = frozenset(
    ("stock", "store", "shop", "sale", "general", "total", "it", "that", "this", "your", "colour", "color", "size")
)


def products_named(names: Mapping[str, str], said: str) -> list[str]:
    """The ids of the products that are named, in the order of `names`, which are names by id.

    A name that is said whole counts before its last word, "lamp" of "Table lamp", and that before any other word of it;
    a word with one letter wrong counts when there is nothing else.
    """
    words = {product_id: [_singular(word) for word in _words(name)] for product_id, name in names.items()}
    spoken = Counter(_singular(word) for word in _words(said)[:_WORDS_LIMIT])
    found = set()
    for product_id, parts in sorted(words.items(), key=lambda each: -len(each[1])):
        if len(parts) > 1 and not Counter(parts) - spoken:
            found.add(product_id)
            spoken -= Counter(parts)
    found |= _by_noun(words, set(spoken)) or (set() if found else _by_any_word(words, set(spoken)))
    if not found:
        nouns = {word for nouns in _nouns(words).values() for word in nouns}
        found = _by_noun(words, {noun for word in spoken for noun in nouns if _is_typo(word, noun)})
    return [product_id for product_id in names if product_id in found]


def options_said(options: Sequence[Mapping[str, Any]], said: str) -> list[Mapping[str, Any]]:
    """Those of the options that are said whole: "500 g", "oak"."""
    return [each for each in options if any(_says(said, value) for value in each["options"].values())]


def option_missed(options: Sequence[Mapping[str, Any]], said: str) -> str | None:
    """What is asked for with "in …" and is no option of these."""
    asked = (found[1].casefold() for found in _IN.finditer(said))
    known = {word for each in options for value in each["options"].values() for word in _words(value)}
    kinds = {_singular(kind) for each in options for kind in each["options"]}
    return next((word for word in asked if word not in known | kinds | _NO_OPTION and not word.isdigit()), None)


def price_range(said: str) -> tuple[int, int | None] | None:
    """The lowest and the highest price that are asked for, in minor units; None when no price is."""
    if (found := _BETWEEN.search(said)) and len(both := numbers_as_amounts(f"{found[1]} {found[2]}")) == 2:
        return min(both), max(both)
    most, least = _limit(_MOST, said), _limit(_LEAST, said)
    if most is None and least is None:
        return None
    return least or 0, most


def _limit(pattern: re.Pattern[str], said: str) -> int | None:
    for found in pattern.finditer(said):
        if (number := _FIRST_NUMBER.match(said[found.end() : found.end() + 30])) and (
            amounts := numbers_as_amounts(number[0])
        ):
            beyond = found[1].casefold() in _STRICTLY
            return amounts.pop() + beyond * (1 if pattern is _LEAST else -1)
    return None


def _nouns(words: Mapping[str, Sequence[str]]) -> dict[str, set[str]]:
    """What each product may be called by one word: its last, and a word before it that is no other product's last."""
    last = {parts[-1] for parts in words.values()}
    return {
        product_id: {parts[-1], *(word for word in parts[:-1] if word not in last and _KNOWN.fullmatch(word))}
        for product_id, parts in words.items()
    }


def _by_noun(words: Mapping[str, Sequence[str]], spoken: set[str]) -> set[str]:
    """Of those that are called the same, those of which the most other words were said too."""
    called: dict[str, list[str]] = {}
    for product_id, nouns in _nouns(words).items():
        for word in spoken:
            if any(noun == word or (len(word) > 3 and noun.endswith(word)) for noun in nouns):
                called.setdefault(word, []).append(product_id)
    found = set()
    for ids in called.values():
        hits = {product_id: len(spoken.intersection(words[product_id])) for product_id in ids}
        found |= {product_id for product_id in ids if hits[product_id] == max(hits.values())}
    return found


def _by_any_word(words: Mapping[str, Sequence[str]], spoken: set[str]) -> set[str]:
    hits = {product_id: len(spoken.intersection(parts)) for product_id, parts in words.items()}
    most = max(hits.values(), default=0)
    return {product_id for product_id, hit in hits.items() if hit == most} if most else set()


def _words(text: str) -> list[str]:
    return [word.casefold() for word in _WORD.findall(text) if word.casefold() not in ("of", "the", "a", "an", "and")]


def _singular(word: str) -> str:
    if word.endswith("lves"):
        return word[:-3] + "f"
    return word[:-1] if len(word) > 3 and word.endswith("s") and not word.endswith("ss") else word


def _says(said: str, value: str) -> bool:
    written = r"\s*".join(re.escape(part) for part in re.findall(r"\d+|[^\W\d]+|[^\w\s]", value))
    return bool(re.search(rf"(?<![\w.,]){written}(?!\w)", said, re.I))


def _is_typo(word: str, of: str) -> bool:
    """Whether one letter is wrong, missing or too much, or two are swapped; the first one is right."""
    if min(len(word), len(of)) < _SHORTEST_TYPO - 1 or max(len(word), len(of)) < _SHORTEST_TYPO:
        return False
    if word[0] != of[0] or word in _NO_TYPO or abs(len(word) - len(of)) > 1:
        return False
    start = next((n for n, (a, b) in enumerate(zip(word, of, strict=False)) if a != b), min(len(word), len(of)))
    one, other = word[start:], of[start:]
    return one[1:] == other[1:] or one == other[1:] or one[1:] == other or (one[1::-1] + one[2:] == other)
