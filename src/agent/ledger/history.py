"""What a folder remembers of the embedded ledger in it: that there was one, and where its backups are.

Kept in a file of its own, since it is read when the ledger can't be.
"""

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final

from agent.ledger.engines import ledger_file

_SIGN: Final = "trail.key"
"""A file that a first start makes, after the ledger."""


def was_there(url: str) -> bool:
    """Whether this folder held a ledger before."""
    file = ledger_file(url)
    return file is not None and (_history(file).exists() or file.with_name(_SIGN).exists())


def remember(url: str, backup: Path | None = None) -> None:
    """Note that there is a ledger, or where a backup of it was written. A folder that can't be written forgets."""
    if (file := ledger_file(url)) and (backup or not _history(file).exists()):
        with suppress(OSError), _history(file).open("a") as history:
            history.write(f"backup {backup.absolute()}\n" if backup else "ledger\n")


def backups(url: str) -> Iterator[Path]:
    """The backups that were noted and are still there, the newest first."""
    if file := ledger_file(url):
        with suppress(OSError, UnicodeDecodeError):
            noted = [line.removeprefix("backup ") for line in _history(file).read_text().splitlines()]
            yield from (path for path in map(Path, dict.fromkeys(reversed(noted))) if path.is_file())


def _history(file: Path) -> Path:
    return file.with_name(f"{file.name}.history")
