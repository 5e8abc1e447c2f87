"""Source trees whose code is measured, each with the interpreter that runs it: this one, and an old one out of git."""

import subprocess
import sys
import tempfile
import venv
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.support.commits import check_out
from tests.support.live_server import ROOT

OLD: Final = "6b166b1"
"""The commit that later ones are held against: a session and a thread hop for each statement."""

CACHE: Final = Path(tempfile.gettempdir()) / "order-desk-bench"
_SAVERS: Final = ("langgraph-checkpoint-sqlite==3.1.2", "langgraph-checkpoint-postgres==3.2.0")
"""What the old build's lock lacks, as of its time."""


@dataclass(frozen=True)
class Build:
    """A source tree and the Python that has what it needs."""

    tree: Path = ROOT
    python: Path = Path(sys.executable)

    @property
    def path(self) -> str:
        """The PYTHONPATH that runs its code, and our benchmarks."""
        return f"{self.tree / 'src'}:{ROOT}"


def old_build() -> Build:
    """The old build in a virtual environment of its own, from its own lock; made once, and kept in a cache folder.

    Raises `RuntimeError` in a clone that lacks the commit.
    """
    home = CACHE / OLD
    tree, python, ready = home / "tree", home / "venv" / "bin" / "python", home / "ready"
    if not ready.exists():
        progress(f"making the build of {OLD} in {home}: about two minutes, once")
        check_out(OLD, tree)
        venv.create(home / "venv", with_pip=True, clear=True)
        pip = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        lock = ["--requirement", str(tree / "requirements.lock")]
        with (home / "pip.log").open("wb") as log:
            subprocess.run([*pip, *lock, *_SAVERS], check=True, stdout=log, stderr=log)  # noqa: S603
        ready.touch()
    return Build(tree, python)


def progress(text: str) -> None:
    """Tell the person who waits, beside the figures."""
    print(text, file=sys.stderr, flush=True)  # noqa: T201
