"""`docs/patterns.md`, `docs/tried.md` and `docs/platform.md` name files, symbols and tests that are there."""

import re
import shlex
from pathlib import Path

import pytest

from agent.client.cli import main as desk

ROOT = Path(__file__).parents[2]
ROWS = [
    line.split("|")[3:5]
    for line in (ROOT / "docs" / "patterns.md").read_text().splitlines()
    if line.startswith("| ") and "`" in line.split("|")[4]
]
PLACES = sorted({cell.strip() for row in ROWS for cell in row})
TESTS = sorted(set(re.findall(r"`(\w+/[\w/]+\.py)(?:::(\w+))?`", (ROOT / "docs" / "tried.md").read_text())))


COMMANDS = [
    line.split("|")[5].strip().strip("`")
    for line in (ROOT / "docs" / "patterns.md").read_text().splitlines()
    if line.startswith("| ") and "`" in line.split("|")[4]
]


def test_the_tables_are_read() -> None:
    assert len(ROWS) > 15
    assert len(TESTS) > 30


def text(file: str) -> str:
    """What is in a file of ours; nothing, when it is not there."""
    return (ROOT / file).read_text() if (ROOT / file).exists() else ""


def test_the_places_that_the_page_names_are_there() -> None:
    missing = []
    for place in PLACES:
        names = re.findall(r"`([^`]+)`", place)
        files = [name for name in names if "/" in name or name.endswith(".json")]
        texts = [text(file) for file in files]
        missing += [place] * (not all(texts) or not files)
        missing += [f"{name} in {files}" for name in set(names) - set(files) if not any(name in each for each in texts)]
    assert missing == []


@pytest.mark.parametrize("command", sorted({each for each in COMMANDS if each.startswith("desk ")}))
def test_a_desk_command_of_the_page_is_there(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    words = [word for word in shlex.split(command)[1:] if word.isalpha()][:2]
    group = words if words[0] != "ask" else words[:1]
    with pytest.raises(SystemExit) as left:
        desk([*group, "--help"])
    assert left.value.code == 0
    assert "Usage: desk " + " ".join(group) in capsys.readouterr().out


def test_every_command_of_the_page_can_be_given() -> None:
    assert len(COMMANDS) == len(ROWS)
    targets = re.findall(r"^([a-z-]+):", text("Makefile"), re.MULTILINE)
    wrong = []
    for program, *given in map(shlex.split, COMMANDS):
        match program:
            case "make":
                wrong += [given[0]] * (given[0] not in targets)
            case "pytest":
                files = [each for each in given if each.startswith("tests/")]
                names = [each for each in given if not each.startswith(("tests/", "-"))]
                wrong += [file for file in files if not text(file)]
                wrong += [name for name in names if not any(f"def {name}" in text(file) for file in files)]
            case "desk":
                pass
            case _:
                wrong.append(program)
    assert wrong == []


def test_what_was_tried_has_its_test() -> None:
    assert [(file, name) for file, name in TESTS if f"def {name or 'test_'}" not in text(f"tests/{file}")] == []


def test_what_the_platform_does_is_shown_by_a_script_that_is_there() -> None:
    named = re.findall(r"`(findings/[\w-]+\.sh)`", (ROOT / "docs" / "platform.md").read_text())
    assert len(named) > 15
    assert [name for name in named if not (ROOT / name).exists()] == []
