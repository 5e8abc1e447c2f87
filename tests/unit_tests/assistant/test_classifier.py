"""The embedded classifier: its weights are those of the examples, it is small, fast, and knows when it is not sure."""

import time

import pytest

from agent.assistant import train
from agent.assistant.classifier import BUCKETS, WEIGHTS, Classifier, classifier, packed
from agent.assistant.embedded import read, rule_names
from agent.assistant.models import MESSAGE_LIMIT
from agent.capabilities import BY_NAME, capability_of
from tests.support.cast import CAST

EXAMPLES = list(train.examples())


def test_the_weights_are_those_of_the_examples_and_the_code() -> None:
    assert classifier().digest == train.digest(), "run `make classifier`"


def test_examples_are_enough_and_say_what_their_capability_is() -> None:
    labels = {example.label.name: example.label for example in EXAMPLES}
    assert labels.keys() - BY_NAME.keys() == {"small_talk", "out_of_scope"}
    for name in labels.keys() & BY_NAME.keys():
        capability = BY_NAME[name]
        assert labels[name].topic == capability.request_type
        assert labels[name].changes == (capability.command is not None and not capability.at_once), name
        assert sum(example.label.name == name for example in EXAMPLES) >= 20, name


def test_an_utterance_is_an_example_of_one_thing_only() -> None:
    texts = [example.text.lower() for example in EXAMPLES]
    assert not sorted({text for text in texts if texts.count(text) > 1})


def test_what_it_was_trained_on_it_knows() -> None:
    guessed = [classifier().guesses(each.text, rule_names(each.text))[0].label for each in EXAMPLES]
    assert sum(label == each.label for label, each in zip(guessed, EXAMPLES, strict=True)) > 0.97 * len(EXAMPLES)


def test_its_likelihoods_hold_for_utterances_that_it_has_not_seen() -> None:
    labels = list(dict.fromkeys(each.label for each in EXAMPLES))
    rows = [(train.features(each.text), labels.index(each.label)) for each in EXAMPLES]
    weights, bias = train.train([row for n, row in enumerate(rows) if n % 5], len(labels))
    held_out = [(train.likelihoods(weights, bias, found), right) for found, right in rows[::5]]
    sure = [likely.index(max(likely)) == right for likely, right in held_out if max(likely) >= 0.8]
    unsure = [likely.index(max(likely)) == right for likely, right in held_out if max(likely) < 0.4]
    assert sum(sure) > 0.93 * len(sure)
    assert len(sure) > 0.25 * len(held_out)
    assert sum(unsure) < 0.6 * len(unsure)


def test_weights_are_written_as_they_are_read() -> None:
    labels = classifier().labels
    rows = [[(label - row) / 100 for label in range(len(labels))] for row in range(40)]
    rows += [[0.0] * len(labels)] * (BUCKETS - len(rows))
    again = Classifier(packed(labels, rows, [0.0] * len(labels), "x"))
    assert [guess.label for guess in again.guesses("zz")] == sorted(labels, reverse=True)
    assert sum(guess.likelihood for guess in again.guesses("anything at all")) == pytest.approx(1, abs=0.05)


def test_it_is_small_and_a_message_takes_less_than_a_millisecond() -> None:
    assert WEIGHTS.stat().st_size <= 100_000
    said = [example.text for example in EXAMPLES]
    began = time.process_time()
    for text in said:
        read(text, pending=False)
    assert (time.process_time() - began) / len(said) < 0.001
    assert read("order " * (MESSAGE_LIMIT // 6), pending=False)


@pytest.mark.parametrize(
    ("text", "choices"),
    [
        (f"I want my {CAST.product.split()[-1]} replaced or my money", {"replace_item", "refund_payment"}),
    ],
)
def test_what_may_be_several_things_is_asked_about(text: str, choices: set[str]) -> None:
    reading = read(text, pending=False)
    assert reading.understood.act == "unclear"
    assert choices <= set(reading.choices)
    assert 2 <= len(reading.choices) <= 3


def test_an_account_is_never_frozen_because_that_is_likely() -> None:
    for example in EXAMPLES:
        reading = read(example.text, pending=False)
        for topic in reading.understood.topics:
            if (capability := capability_of(topic)).name == "freeze_account":
                assert capability.wants is not None
                assert capability.wants.search(topic.text)
