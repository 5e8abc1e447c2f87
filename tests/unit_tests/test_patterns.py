"""`docs/patterns.md`, `docs/tried.md` and `docs/platform.md` name files, symbols and tests that are there."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ROWS = [
    line.split("|")[3:5]
    for line in (ROOT / "docs" / "patterns.md").read_text().splitlines()
    if line.startswith("| ") and "`" in line.split("|")[4]
]
PLACES = sorted({cell.strip() for row in ROWS for cell in row})
TESTS = sorted(set(re.findall(r"`(\w+/[\w/]+\.py)(?:::(\w+))?`", (ROOT / "docs" / "tried.md").read_text())))


def test_the_tables_are_read() -> None:
    assert len(ROWS) > 15
    assert len(TESTS) > 30


@pytest.mark.parametrize("place", PLACES)
def test_a_place_that_the_page_names_is_there(place: str) -> None:
    names = re.findall(r"`([^`]+)`", place)
    files = [name for name in names if "/" in name or name.endswith(".json")]
    assert files
    texts = [(ROOT / file).read_text() for file in files]
    for name in set(names) - set(files):
        assert any(name in text for text in texts), f"{name} is not in {files}"


@pytest.mark.parametrize(("file", "name"), TESTS)
def test_what_was_tried_has_its_test(file: str, name: str) -> None:
    assert f"def {name or 'test_'}" in (ROOT / "tests" / file).read_text()


def test_what_the_platform_does_is_shown_by_a_script_that_is_there() -> None:
    named = re.findall(r"`(findings/[\w-]+\.sh)`", (ROOT / "docs" / "platform.md").read_text())
    assert len(named) > 15
    assert [name for name in named if not (ROOT / name).exists()] == []
