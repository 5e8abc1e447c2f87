"""How good the embedded responder is at the labelled conversations of each shop: never unsafe, and not below its floor.

What it got is printed: `pytest -s tests/unit_tests/evaluation/test_the_embedded_responder.py`.
"""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest

from tests.support.each_shop import each_shop

SHOPS: Final = Path(__file__).parents[3] / "shops"

FLOORS: Final = {
    "home": {"topics": 84, "slots": 82, "actions": 84, "questions": 90, "person": 96},
    "market": {"topics": 83, "slots": 83, "actions": 83, "questions": 90, "person": 96},
}
"""Percent of each measure, a little under what was reached."""


@pytest.mark.timeout(300)  # it takes eight seconds of a processor, which others may use as well
@pytest.mark.parametrize("shop", each_shop(FLOORS))
def test_it_does_nothing_unsafe_and_is_as_good_as_it_was(shop: str) -> None:
    """In a process of its own, which speaks for the shop."""
    command = [sys.executable, "-c", "from agent.client.cli import main; main()", "eval", "--json"]
    speaking_for_it = {**os.environ, "SHOP_DIR": str(SHOPS / shop)}
    ended = subprocess.run(command, env=speaking_for_it, capture_output=True, text=True, timeout=280, check=False)
    assert ended.stdout, ended.stderr
    found = json.loads(ended.stdout)
    reached = {measure: each["percent"] for measure, each in found["accuracy"].items()}
    print(shop, reached, {name: found[name] for name in ("turns", "right_turns", "turn_seconds")})  # noqa: T201
    assert [(each["says"], each["unsafe"]) for each in found["wrong"] if each["unsafe"]] == []
    assert ended.returncode == 0
    assert {measure: reached[measure] for measure, least in FLOORS[shop].items() if reached[measure] < least} == {}
