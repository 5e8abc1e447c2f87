"""`desk db`: what it says, what it leaves, and its exit codes."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from agent.client.connection import ExitCode
from agent.ledger.invariants import CHECKS
from agent.ledger.schema import newest
from tests.support.desk import Desk
from tests.support.ledgers import new_ledger

SECRET = "correct-horse"


@pytest.fixture
def ledger(data: Path) -> Path:
    """The file of an upgraded ledger with one product."""
    new_ledger(data)
    change(data / "ledger.db", "INSERT INTO products VALUES ('lamp', 'Lamp')")
    return data / "ledger.db"


def change(file: Path, how: str) -> None:
    with closing(sqlite3.connect(file)) as connection, connection:
        connection.execute(how)


def test_upgrade_says_from_where_to_where(desk: Desk) -> None:
    assert desk("db", "upgrade", "--json").document == {"before": None, "after": newest()}
    assert "already" in desk("db", "upgrade").out


def test_a_backup_is_taken_and_restored(desk: Desk, ledger: Path, tmp_path: Path) -> None:
    file = tmp_path / "backup"
    taken = desk("db", "backup", file, "--json").document
    assert (taken["file"], taken["revision"], taken["rows"]["products"]) == (str(file), newest(), 1)
    change(ledger, "DELETE FROM products")
    assert desk("db", "restore", file, "--json").document == taken | {"back_again": []}


def test_neither_overwrites_without_being_told(desk: Desk, ledger: Path, tmp_path: Path) -> None:
    file = tmp_path / "backup"
    desk("db", "backup", file)
    for verb in ("backup", "restore"):
        refused = desk("db", verb, file)
        assert (refused.code, refused.out) == (ExitCode.REFUSED, "")
        assert "--force" in refused.err.splitlines()[-1]
        assert desk("db", verb, file, "--force").code == 0


@pytest.mark.parametrize(
    "command", [("db", "check"), ("db", "quarantine"), ("db", "backup", "copy.db"), ("audit", "verify")]
)
def test_where_no_ledger_is_it_is_said_so_and_none_is_made(desk: Desk, data: Path, command: tuple[str, ...]) -> None:
    refused = desk(*command)
    assert (refused.code, f"no ledger at {data / 'ledger.db'}" in refused.err) == (ExitCode.REFUSED, True)
    assert not (data / "ledger.db").exists()


def test_a_backup_that_is_not_there_is_named(desk: Desk, ledger: Path, tmp_path: Path) -> None:
    refused = desk("db", "restore", tmp_path / "nowhere")
    assert (refused.code, refused.err) == (ExitCode.REFUSED, f"desk: there is no backup {tmp_path / 'nowhere'}\n")


def test_a_folder_that_is_not_there_is_told_in_one_line(desk: Desk, ledger: Path, tmp_path: Path) -> None:
    refused = desk("db", "backup", tmp_path / "nowhere" / "backup", "--json")
    assert refused.code == ExitCode.USAGE
    assert "No such file" in refused.err


def test_check_names_what_is_not_of_a_ledger(desk: Desk, ledger: Path) -> None:
    with closing(sqlite3.connect(ledger)) as connection, connection:
        connection.execute("CREATE TRIGGER t AFTER INSERT ON products BEGIN DELETE FROM products; END")
    checked = desk("db", "check")
    assert (checked.code, checked.err.splitlines()[-1]) == (
        ExitCode.REFUSED, "desk: not of the ledger's schema: trigger t of products"
    )  # fmt: skip


def test_check_says_that_all_is_well(desk: Desk, ledger: Path) -> None:
    assert desk("db", "check", "--json").document == {"checks": len(CHECKS), "violations": [], "strangers": []}


def test_check_names_each_violation(desk: Desk, ledger: Path) -> None:
    change(ledger, "INSERT INTO variants VALUES ('LAMP', 'lamp', '{}', 1, 'east', 3, 2)")
    checked = desk("db", "check", "--json")
    [violation] = checked.document["violations"]
    assert checked.code == ExitCode.REFUSED
    assert (violation["check"], violation["what"]) == ("stock-held", "LAMP")
    assert violation["found"] == {"reserved": 2, "held": 0}
    shown = desk("db", "check").out
    assert "stock-held" in shown
    assert "LAMP" in shown


def test_check_wants_the_schema_of_this_program(desk: Desk) -> None:
    refused = desk("db", "check")
    assert refused.code == ExitCode.REFUSED
    assert "run `desk db upgrade`" in refused.err


@pytest.mark.parametrize("verb", [("upgrade",), ("backup", "x"), ("check",)])
def test_a_database_that_is_away_is_one_line_without_the_password(
    desk: Desk, verb: tuple[str, ...], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DATABASE_URL", f"postgresql://desk:{SECRET}@127.0.0.1:1/ledger")
    away = desk("db", *verb, "--json")
    assert (away.code, away.out) == (ExitCode.UNREACHABLE, "")
    assert len(away.err.splitlines()) == 1
    assert SECRET not in away.err


@pytest.mark.parametrize("url", ["mysql://db/ledger", "ledger.db"])
def test_a_database_of_another_kind_is_a_usage_error(desk: Desk, url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", url)
    assert desk("db", "upgrade").code == ExitCode.USAGE


def test_what_was_set_aside_is_shown(desk: Desk, ledger: Path) -> None:
    assert "nothing was ever set aside" in desk("db", "quarantine").out
    change(
        ledger,
        "INSERT INTO quarantine VALUES ('q1', 'thread-1', 'W-1', 'charge', 'total: not a number', '{\"total\": \"x\"}',"
        " '2026-01-02 03:04:05')",
    )
    assert "total: not a number" in desk("db", "quarantine").out
    (kept,) = desk("db", "quarantine", "--json").document
    assert (kept["order_id"], kept["node"], kept["state"]) == ("W-1", "charge", {"total": "x"})
