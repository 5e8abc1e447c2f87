"""Telling: what was played side by side is told in order, and nothing unexpected passes for expected."""

import json

import pytest

from demo.telling import Outcome, Scene, Teller, shortened


async def told(scene: Scene) -> list[str]:
    return [item.text if not isinstance(item, Outcome) else item.what async for item in scene]


async def test_a_scene_keeps_what_happened_until_it_is_told() -> None:
    scene = Scene()
    scene.say("customer", "Ada", "Hello")
    scene.check("answered", expected="yes", happened="yes")
    scene.note("That was all.")
    scene.end()
    assert await told(scene) == ["Hello", "answered", "That was all."]


def test_one_unexpected_outcome_spoils_the_whole(capsys: pytest.CaptureFixture[str]) -> None:
    teller = Teller(as_json=False)
    teller.tell(Outcome("charged", expected="once", happened="once"))
    assert teller.all_ok
    teller.tell(Outcome("charged", expected="once", happened="2 times"))
    teller.summary(1)
    assert not teller.all_ok
    out = capsys.readouterr().out
    assert "✗  charged: 2 times, where once was expected" in out
    assert "1 of 2 as expected" in out


def test_as_json_only_outcomes_are_printed(capsys: pytest.CaptureFixture[str]) -> None:
    teller, scene = Teller(as_json=True), Scene()
    teller.opening("Title", "Foreword")
    teller.chapter(1, "Chapter", "Text")
    scene.say("customer", "Ada", "Hello")
    teller.tell(Outcome("answered", expected="yes", happened="no"))
    teller.summary(1)
    assert [json.loads(line) for line in capsys.readouterr().out.splitlines()] == [
        {"chapter": "Chapter", "what": "answered", "expected": "yes", "happened": "no", "ok": False}
    ]


def test_an_article_is_shortened_by_paragraphs_and_says_so() -> None:
    assert shortened("One\nline.\n\nTwo:\n- a\n- b\n\nThree.") == "One line.\n\nTwo:\n- a\n- b […]"
