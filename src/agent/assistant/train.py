"""Train the classifier from the examples: `python -m agent.assistant.train`, or `make classifier`.

The same examples and the same code give the same weights. An example file has a line `topic: TOPIC`, followed by
`changes: yes` for a capability that changes something, and then an utterance a line, in which "order" stands for an
order's number, "amount" for money and "product" for any of the shop's products.
"""

import hashlib
import math
import random
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final, NamedTuple

from agent.assistant import classifier, dialogue_phrases, embedded, entities, intent_rules, pattern_language
from agent.assistant.classifier import BUCKETS, WEIGHTS, Label, bucket, of_neighbours, of_word, packed, tokens

EXAMPLES: Final = Path(__file__).parents[1] / "capabilities" / "examples"
EPOCHS: Final = 12
LEARNING_RATE: Final = 0.5
DECAY: Final = 0.0005
"""L2. Chosen, like the two above, by cross-validation over the examples; none of them matters much."""
_LEAST: Final = 0.003
"""A label that is off by less is left alone, which saves most of the work."""


class Example(NamedTuple):
    """An utterance, and what it is about."""

    text: str
    label: Label


def examples() -> Iterator[Example]:
    """Every utterance of every file. Raises ValueError for a file that does not say its topic."""
    for path in sorted(EXAMPLES.glob("*.txt")):
        first, *lines = path.read_text(encoding="utf-8").splitlines()
        if not first.startswith("topic: "):
            raise ValueError(f"{path}: the first line is “topic: ” and the topic")
        changes = lines[0] == "changes: yes"
        label = Label(path.stem, first.removeprefix("topic: "), changes)
        yield from (Example(line, label) for line in lines[changes:] if line.strip())


def digest() -> str:
    """Of all that the weights come from."""
    modules = (classifier, dialogue_phrases, embedded, entities, intent_rules, pattern_language, sys.modules[__name__])
    files = [*sorted(EXAMPLES.glob("*.txt")), *(Path(str(module.__file__)) for module in modules)]
    return hashlib.sha256(b"\0".join(path.read_bytes() for path in files)).hexdigest()[:16]


def features(text: str) -> list[int]:
    """The rows of weights that a text is read by."""
    words = tokens(text)
    named = [f"rule {name}" for name in embedded.rule_names(text)]
    of_words = [each for word in words for each in of_word(word)]
    return [bucket(each) for each in (*of_neighbours(words), *named, *of_words)]


def train(rows: Sequence[tuple[list[int], int]], labels: int) -> tuple[list[list[float]], list[float]]:
    """Weights by feature and label, and a bias by label: AdaGrad on the log loss.

    Args:
        rows: the features of each example, and its label's number.
        labels: how many labels there are.
    """
    weights, moved = ([[start] * labels for _ in range(BUCKETS)] for start in (0.0, 0.1))
    bias, in_turn, shuffled = [0.0] * labels, list(rows), random.Random(7)  # noqa: S311
    for _ in range(EPOCHS):
        shuffled.shuffle(in_turn)
        for found, right in in_turn:
            by = 1 / math.sqrt(len(found))
            errors = likelihoods(weights, bias, found)
            errors[right] -= 1
            off = [label for label in range(labels) if abs(errors[label]) > _LEAST]
            for label in off:
                bias[label] -= 0.02 * errors[label]
            for feature in found:
                row, so_far = weights[feature], moved[feature]
                for label in off:
                    step = by * errors[label] + DECAY * row[label]
                    so_far[label] += step * step
                    row[label] -= LEARNING_RATE * step / math.sqrt(so_far[label])
    return weights, bias


def likelihoods(weights: Sequence[Sequence[float]], bias: Sequence[float], found: Sequence[int]) -> list[float]:
    """How likely each label is."""
    by, scores = 1 / math.sqrt(len(found)), list(bias)
    for feature in found:
        scores = [score + by * weight for score, weight in zip(scores, weights[feature], strict=True)]
    most = max(scores)
    powers = [math.exp(score - most) for score in scores]
    whole = sum(powers)
    return [power / whole for power in powers]


def main() -> None:
    """Write the weights."""
    given = list(examples())
    labels = list(dict.fromkeys(each.label for each in given))
    weights, bias = train([(features(each.text), labels.index(each.label)) for each in given], len(labels))
    WEIGHTS.write_bytes(packed(labels, weights, bias, digest()))


if __name__ == "__main__":
    main()
