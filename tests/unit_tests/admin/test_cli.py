"""`desk tokens`, on the machine that the tokens lie on."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from agent.admin import cli
from agent.identity import ROLES, read_tokens
from agent.settings import Settings


@pytest.fixture
def tokens_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "tokens.json"
    monkeypatch.setattr(cli, "settings", lambda: Settings(tokens_file=path))
    return path


def tokens(*words: str) -> str:
    done = CliRunner().invoke(cli.tokens_app, list(words))
    assert done.exit_code == 0
    return done.output


def test_tokens_are_written_for_every_role_and_not_shown(tokens_file: Path) -> None:
    told = tokens("init")

    assert told == f"{tokens_file}: one token for each of {len(ROLES)} roles\n"
    assert [caller.role for caller in read_tokens(tokens_file).values()] == list(ROLES)


def test_tokens_that_are_there_are_kept_and_that_is_said(tokens_file: Path) -> None:
    tokens("init")
    before = tokens_file.read_text()

    assert tokens("init") == f"{tokens_file} is there already\n"
    assert tokens_file.read_text() == before


def test_a_program_reads_the_same_as_json(tokens_file: Path) -> None:
    first, second = json.loads(tokens("init", "--json")), json.loads(tokens("init", "--json"))

    assert first == {"file": str(tokens_file), "created": True, "roles": list(ROLES)}
    assert second == first | {"created": False}


def test_without_a_verb_the_help_is_shown(tokens_file: Path) -> None:
    assert "init" in CliRunner().invoke(cli.tokens_app, []).output
    assert not tokens_file.exists()
