"""The little language that the rules' data is written in."""

import pytest

from agent.assistant.pattern_language import phrases


@pytest.mark.parametrize(
    ("phrase", "text", "found"),
    [
        ("send it/them back", "please SEND THEM BACK now", True),
        ("send it/them back", "send back", False),
        ("refund*", "refunded", True),
        ("refund", "refunded", False),
        ("take_it/leave now", "take it now", True),
        ("lost my? card", "lost card", True),
        ("lost my? card", "lost my card", True),
        ("where … refund", "where on earth is my refund", True),
        ("where … refund", "where " + "x" * 60 + " refund", False),
        ("where … refund", "whererefund", False),
        ("CHANGE … size", "can you update the size", True),
        ("e-mail", "e-mail", True),
        ("a.b", "axb", False),
    ],
)
def test_a_phrase_matches_as_its_grammar_says(phrase: str, text: str, found: bool) -> None:
    assert bool(phrases("zzz", phrase).search(text)) is found
