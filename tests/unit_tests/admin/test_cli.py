"""`desk tokens`, on the machine that the tokens lie on."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from agent.admin import cli
from agent.identity import ROLES, Caller
from agent.settings import Settings
from agent.tokens import holder, read_digests, read_tokens
from tests.support.desk import Desk


@pytest.fixture
def tokens_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "tokens.json"
    monkeypatch.setattr(cli, "settings", lambda: Settings(tokens_file=path))
    return path


@pytest.fixture
def digests(tokens_file: Path) -> Path:
    return tokens_file.with_suffix(".sha256.json")


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


def test_the_server_is_given_the_digests(tokens_file: Path, digests: Path) -> None:
    tokens("init")

    known = read_digests(digests)
    assert {token: holder(token, known) for token in read_tokens(tokens_file)} == read_tokens(tokens_file)


def test_an_added_token_is_printed_once_and_kept_nowhere(tokens_file: Path, digests: Path) -> None:
    told = tokens("add", "order_manager", "ann")

    token = told.removesuffix("\n")
    assert holder(token, read_digests(digests)) == Caller("ann", "order_manager")
    assert token not in digests.read_text()
    assert json.loads(tokens("add", "customer", "ben_ortiz", "--json"))["token"] != token


def test_revoked_tokens_are_gone(digests: Path) -> None:
    token = tokens("add", "order_manager", "ann").strip()

    assert tokens("revoke", "ann") == "revoked: 1\n"

    assert holder(token, read_digests(digests)) is None


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("add", "root", "ann"), "there is no role root"),
        (("add", "admin", "service-1"), "nobody of role admin can be called 'service-1'"),
        (("add", "channel", "langgraph-studio-user"), "nobody of role channel can be called 'langgraph-studio-user'"),
        (("revoke", "ann"), "run `make setup`"),
    ],
    ids=str,
)
def test_what_can_not_be_done_is_said_in_one_line(desk: Desk, digests: Path, words: tuple[str, ...], says: str) -> None:
    done = desk("tokens", *words)

    assert (done.code, done.err.count("\n")) == (2, 1)
    assert says in done.err
    assert not digests.exists()


def test_whoever_has_no_token_can_not_be_revoked(desk: Desk, digests: Path) -> None:
    tokens("add", "order_manager", "ann")

    assert desk("tokens", "revoke", "bob").code == 5


def test_without_a_verb_the_help_is_shown(tokens_file: Path) -> None:
    assert "init" in CliRunner().invoke(cli.tokens_app, []).output
    assert not tokens_file.exists()
