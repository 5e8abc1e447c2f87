"""What the ledger's folder looks like to others."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from agent.files import keep_private


@pytest.fixture(autouse=True)
def _usual_umask() -> Iterator[None]:
    before = os.umask(0o022)
    yield
    os.umask(before)


def mode(path: Path) -> int:
    return path.stat().st_mode & 0o777


def test_what_was_there_and_what_comes_is_the_owners_alone(tmp_path: Path) -> None:
    folder, elsewhere = tmp_path / "deep" / "data", tmp_path / "elsewhere"
    folder.mkdir(parents=True)
    for file in (folder / "old.db", elsewhere):
        file.write_text("")
    (folder / "link").symlink_to(elsewhere)
    assert mode(folder / "old.db") == 0o644

    keep_private(folder)
    (folder / "new.db").write_text("")

    assert [mode(path) for path in (folder, folder / "old.db", folder / "new.db")] == [0o700, 0o600, 0o600]
    assert mode(elsewhere) == 0o644


def test_a_folder_that_is_private_is_not_touched(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    keep_private(folder)
    folder.chmod(0o500)  # as on a file system that can't be written
    keep_private(folder)
    assert mode(folder) == 0o500
