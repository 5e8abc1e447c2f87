"""The labelled conversations: what is in them, and what is refused of a file of one's own."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from agent.assistant import train
from agent.evaluation.conversations import FOLDER, load
from agent.order_numbers import find
from agent.shop import SHOP
from tests.unit_tests.evaluation.conftest import SHOPS

WITH_EXAMPLES = sorted({each.label.name for each in train.examples()} - {"small_talk", "out_of_scope"})
"""The capabilities that the classifier knows."""

GOOD = "- {name: one, customer: ada, turns: [{says: hello, topics: []}]}"


def turns(shop: str) -> list[dict[str, Any]]:
    """The turns of a shop's own conversations, whichever shop this process speaks for."""
    content = yaml.load((FOLDER / f"{shop}.yaml").read_text(), Loader=yaml.BaseLoader)  # noqa: S506
    return [turn for conversation in content for turn in conversation["turns"]]


def capabilities(turn: dict[str, Any]) -> Iterator[str]:
    """The capabilities that are right in a turn."""
    for label in ("topics", "proposes"):
        given = turn.get(label, [])
        for each in given if isinstance(given, list) else [given]:
            for names in [each] if isinstance(each, str) else each:
                yield from names.split("|")


@pytest.mark.parametrize("shop", SHOPS)
def test_a_shop_has_two_hundred_turns_in_which_every_capability_with_examples_is_wanted_twice(shop: str) -> None:
    of_shop = turns(shop)
    wanted = Counter(name for turn in of_shop for name in capabilities(turn))
    assert len(of_shop) >= 200
    assert [name for name in WITH_EXAMPLES if wanted[name] < 1 + (name != "abilities")] == []


def test_few_words_are_said_in_both_shops() -> None:
    longer = [{turn["says"].casefold() for turn in turns(shop) if len(turn["says"]) > 25} for shop in SHOPS]
    assert len(longer[0] & longer[1]) <= 2


@pytest.mark.parametrize("shop", SHOPS)
def test_changes_are_proposed_refused_agreed_to_and_sent_to_staff_and_people_are_called(shop: str) -> None:
    of_shop = turns(shop)
    assert Counter(label for turn in of_shop for label in turn).keys() >= {
        "proposes",
        "asks",
        "does",
        "sends",
        "allows",
    }
    assert sum(turn.get("person") == "yes" for turn in of_shop) >= 10
    assert sum(turn.get("topics") == [] for turn in of_shop) >= 10


def test_yes_is_a_word_and_a_number_is_as_it_was_typed(tmp_path: Path) -> None:
    file = tmp_path / "own.yaml"
    file.write_text("- {name: 007, customer: ada, turns: [{says: yes}, {says: 1.50}]}")
    [conversation] = load(file)
    assert (conversation.name, [turn.says for turn in conversation.turns]) == ("007", ["yes", "1.50"])


def test_a_proposal_is_a_topic_with_what_is_read_from_words(tmp_path: Path) -> None:
    file = tmp_path / "own.yaml"
    [number] = find(SHOP.order_number)
    file.write_text(
        "- {name: a, customer: ada, turns: [{says: back, proposes: {return_items: "
        f"{{order_id: '{number}', lines: [{{line: 1}}]}}}}}}]}}"
    )
    [topic] = load(file)[0].turns[0].topics or ()
    assert (topic.names, topic.values) == (("return_items",), {"order_id": number})


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("- [", "own.yaml: while parsing"),
        ("", "own.yaml: the file: Input should be a valid"),
        ("hello", "own.yaml: the file"),
        ("[]", "own.yaml: the file: Tuple should have at least 1 item"),
        (f"{GOOD}\n{GOOD}", "there are two conversations 'one'"),
        ("- {name: one, customer: ada, turns: []}", "own.yaml: one.turns: Tuple should have at least 1 item"),
        ("- {name: one, turns: [{says: hi}]}", "own.yaml: one.customer: Field required"),
        ("- {name: one, customer: a, turns: [{says: hi, topic: x}]}", "own.yaml: one.turns.0.topic: Extra inputs"),
        ("- {name: one, customer: a, turns: [{says: hi, topics: fly}]}", "one.turns.0.topics.0.names: there is no ca"),
        ("- {name: one, customer: a, turns: [{says: hi, does: [Fly]}]}", "one.turns.0.does: there is no command 'Fly'"),
        ("- {name: one, customer: a, turns: [{says: hi, sends: [fly]}]}", "one.turns.0.sends: there is no capability"),
        ("- {name: one, customer: a, turns: [{says: hi, person: maybe}]}", "one.turns.0.person: Input should be 'yes'"),
        (
            "- {name: one, customer: a, turns: [{says: hi, proposes: {refund_payment: {amount: much}}}]}",
            "one.turns.0.topics.0.values: ",
        ),
    ],
)
def test_a_bad_file_is_refused_with_the_place(tmp_path: Path, content: str, says: str) -> None:
    file = tmp_path / "own.yaml"
    file.write_text(content)
    with pytest.raises(ValueError, match=r"own\.yaml") as refused:
        load(file)
    assert says in str(refused.value)
