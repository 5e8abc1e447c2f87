"""What a message is about, by a small linear model, trained by `train` from the capabilities' example utterances.

Multinomial logistic regression over hashed words, pairs of words, groups of letters, and the names of the rules that
match. The weights of a feature for all labels lie in one Python integer, in lanes of 32 bits, so that reading a message
is a sum of integers. Which label may be acted on is for `embedded`.
"""

import json
import math
import re
import zlib
from array import array
from collections.abc import Iterable, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Final, NamedTuple

from agent.assistant.entities import bare_words, without_emails
from agent.shop import SHOP

WEIGHTS: Final = Path(__file__).with_name("classifier.weights")
BUCKETS: Final = 1 << 13
"""Features are hashed into so many; a row of weights each."""
TOKENS_LIMIT: Final = 300
"""Words of a message that are looked at."""

_TOKEN: Final = re.compile(r"[^\W\d_]+(?:'[^\W\d_]+)*|[?!]")
_PRODUCTS: Final = [word for word in SHOP.products.split("/") if "_" not in word]
_PRODUCT_WORDS: Final = frozenset(word for word in _PRODUCTS if not word.endswith("*"))
_PRODUCT_STEMS: Final = tuple(word[:-1] for word in _PRODUCTS if word.endswith("*"))
_OFFSET: Final = 128
"""What is added to a weight, so that no lane is negative and borrows from the next."""


class Label(NamedTuple):
    """What the model tells apart: a capability's name, or an act's, and the topic or act that it is of."""

    name: str
    topic: str
    changes: bool


class Guess(NamedTuple):
    """A label, and how likely it is, from 0 to 1."""

    label: Label
    likelihood: float


def tokens(text: str) -> list[str]:
    """The words of a text, in lower case; a question mark and an exclamation mark are words too."""
    return _TOKEN.findall(text.lower())[:TOKENS_LIMIT]


def bare_tokens(text: str) -> list[str]:
    """The same of a customer's words, as the examples have it: "order" for an order id, "amount" for a number,
    "product" for each of the shop's words for its products, and no e-mail address."""
    found = tokens(bare_words(without_emails(text)))
    return ["product" if each in _PRODUCT_WORDS or each.startswith(_PRODUCT_STEMS) else each for each in found]


def of_word(word: str) -> list[str]:
    """The features of one word: itself, and groups of three letters, which survive a typo and an ending."""
    padded = f"<{word}>"
    return [word, *(f"#{padded[at : at + 3]}" for at in range(len(padded) - 2))] if len(word) > 3 else [word]


def of_neighbours(words: Sequence[str]) -> list[str]:
    """The features of words that stand side by side; the ends of the text count as words."""
    return [f"{first} {second}" for first, second in zip(["^", *words], [*words, "$"], strict=True)]


def bucket(feature: str) -> int:
    """Which row of weights a feature has."""
    return zlib.crc32(feature.encode("utf-8", "replace")) % BUCKETS


class Classifier:
    """The trained model, read from its file."""

    def __init__(self, weights: bytes) -> None:
        """Read what `packed` wrote."""
        head, _, rest = weights.partition(b"\n")
        about = json.loads(head)
        self.digest: str = about["digest"]
        self.labels: Final = [Label(*label) for label in about["labels"]]
        self._scale: float = about["scale"]
        self._bias: list[float] = about["bias"]
        rows, width = zlib.decompress(rest), len(self.labels)
        self._rows = [_lanes(rows[at * width : (at + 1) * width]) for at in range(BUCKETS)]
        self._of_word = lru_cache(4096)(self._sum_of_word)
        self._row = lru_cache(16384)(lambda feature: self._rows[bucket(feature)])

    def guesses(self, text: str, rules: Iterable[str] = ()) -> list[Guess]:
        """What a text is about, the likeliest first; their likelihoods sum up to 1.

        Args:
            text: words on one line.
            rules: names of the rules that match it.
        """
        words = bare_tokens(text)
        found = [*of_neighbours(words), *(f"rule {name}" for name in rules)]
        total, count = sum(map(self._row, found)), len(found)
        for word in words:
            added, features = self._of_word(word)
            total, count = total + added, count + features
        lanes = array("I", total.to_bytes(4 * len(self.labels), "little"))
        by, offset = self._scale / math.sqrt(count), _OFFSET * count
        scores = [bias + by * (lane - offset) for bias, lane in zip(self._bias, lanes, strict=True)]
        most = max(scores)
        weights = [math.exp(score - most) for score in scores]
        whole = sum(weights)
        ranked = sorted(zip(weights, self.labels, strict=True), reverse=True)
        return [Guess(label, weight / whole) for weight, label in ranked]

    def _sum_of_word(self, word: str) -> tuple[int, int]:
        features = of_word(word)
        return sum(map(self._row, features)), len(features)


def packed(labels: Sequence[Label], rows: Sequence[Sequence[float]], bias: Sequence[float], digest: str) -> bytes:
    """A model as its file holds it: a line of JSON, and the compressed rows, a signed byte a weight."""
    scale = max(abs(weight) for row in rows for weight in row) / (_OFFSET - 1)
    about = {"digest": digest, "labels": labels, "scale": scale, "bias": [round(each, 4) for each in bias]}
    quantised = bytes(round(weight / scale) & 0xFF for row in rows for weight in row)
    return json.dumps(about).encode() + b"\n" + zlib.compress(quantised, 9)


def _lanes(row: bytes) -> int:
    lanes = array("I", ((each + _OFFSET) & 0xFF for each in row))
    return int.from_bytes(lanes.tobytes(), "little")


@lru_cache(1)
def classifier() -> Classifier:
    """The model of this release."""
    return Classifier(WEIGHTS.read_bytes())
