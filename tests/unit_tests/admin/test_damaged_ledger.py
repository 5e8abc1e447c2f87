"""A ledger that is damaged or gone: each verb says so in one line, with the newest good backup and what to do."""

import asyncio
import random
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from agent import services as composition
from agent.client.connection import ExitCode
from agent.ledger.database_errors import LedgerDamagedError
from agent.ledger.schema import LedgerLostError
from agent.server.startup import open_ledger
from agent.settings import Settings
from tests.support.desk import Desk, Result
from tests.support.ledgers import new_ledger

PAGE = 4096


def one_page_damaged(ledger: Path) -> None:
    """A page in the middle holds noise, the header is whole."""
    content = bytearray(ledger.read_bytes())
    with closing(sqlite3.connect(f"file:{ledger}?mode=ro", uri=True)) as connection:
        [root] = connection.execute("SELECT rootpage FROM sqlite_schema WHERE name = 'products'").fetchone()
    content[(root - 1) * PAGE : root * PAGE] = random.Random(1).randbytes(PAGE)
    ledger.write_bytes(content)


def garbage(ledger: Path) -> None:
    ledger.write_bytes(random.Random(2).randbytes(20 * PAGE))


def cut_short(ledger: Path) -> None:
    ledger.write_bytes(ledger.read_bytes()[: 3 * PAGE])


def of_no_length(ledger: Path) -> None:
    ledger.write_bytes(b"")


def gone(ledger: Path) -> None:
    ledger.unlink()


DAMAGED: list[Callable[[Path], None]] = [one_page_damaged, garbage, cut_short]
LOST: list[Callable[[Path], None]] = [of_no_length, gone]


@pytest.fixture
def ledger(data: Path) -> Path:
    """The file of a ledger with one product, closed."""
    new_ledger(data)
    file = data / "ledger.db"
    with closing(sqlite3.connect(file)) as connection, connection:
        connection.execute("INSERT INTO products VALUES ('lamp', 'Lamp')")
    assert not file.with_name("ledger.db-wal").exists()
    return file


def one_line(result: Result) -> str:
    """The one line of an error; progress stands before it."""
    line = result.err.splitlines()[-1]
    assert result.code == ExitCode.REFUSED
    assert line.startswith("desk: ")
    assert "Traceback" not in result.err + result.out
    return line


VERBS = [("check",), ("backup", "copy"), ("upgrade",), ("restore", "old")]
READ_ALL_PAGES = VERBS[:2]


@pytest.mark.parametrize(
    ("damage", "verb"),
    [(damage, verb) for damage in DAMAGED for verb in (READ_ALL_PAGES if damage is one_page_damaged else VERBS)],
)
def test_a_damaged_ledger_is_one_line_with_the_newest_good_backup(
    desk: Desk, ledger: Path, tmp_path: Path, damage: Callable[[Path], None], verb: tuple[str, ...]
) -> None:
    old, new, broken = tmp_path / "old", tmp_path / "new", tmp_path / "broken"
    for file in (old, new, broken):
        assert desk("db", "backup", file).code == 0
    broken.write_bytes(b"no ledger")
    damage(ledger)

    line = one_line(desk("db", verb[0], *(tmp_path / name for name in verb[1:])))

    assert f"{ledger}: the ledger is damaged (" in line
    assert f"the newest good backup is {new}, of " in line
    assert f"`desk db restore {new} --force`" in line
    assert not (tmp_path / "copy").exists()


@pytest.mark.parametrize("damage", DAMAGED + LOST)
def test_a_restore_brings_it_back_and_keeps_what_was_damaged(
    desk: Desk, ledger: Path, data: Path, tmp_path: Path, damage: Callable[[Path], None]
) -> None:
    desk("db", "backup", tmp_path / "kept")
    damage(ledger)
    was = ledger.read_bytes() if ledger.exists() else b""

    assert desk("db", "restore", tmp_path / "kept", "--force").code == 0

    assert desk("db", "check").code == 0
    kept = list(data.glob("ledger.db.damaged-*"))
    assert [file.read_bytes() for file in kept] == ([was] if damage in DAMAGED else [])


@pytest.mark.parametrize("damage", LOST)
def test_where_a_ledger_was_none_is_made_without_being_told(
    desk: Desk, ledger: Path, damage: Callable[[Path], None]
) -> None:
    damage(ledger)

    for verb in ("check", "upgrade"):
        line = one_line(desk("db", verb))
        assert f"{ledger}: the ledger is gone or empty where one was kept" in line
        assert "no good backup of it is known here" in line
        assert "`desk db upgrade --anew`" in line

    assert desk("db", "upgrade", "--anew").code == 0
    assert desk("db", "check").code == 0


@pytest.mark.parametrize("damage", [garbage, cut_short, *LOST])
def test_a_server_does_not_start_on_it_and_seeds_nothing(config: Settings, damage: Callable[[Path], None]) -> None:
    assert open_ledger(config) is None
    ledger = config.data_dir / "ledger.db"
    damage(ledger)

    why = open_ledger(config)

    assert why is not None
    assert "\n" not in why
    assert str(ledger) in why
    assert "desk db restore" in why
    with pytest.raises((LedgerDamagedError, LedgerLostError)):
        asyncio.run(composition.build(config))
