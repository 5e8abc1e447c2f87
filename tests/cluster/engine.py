"""The environment of aegra: an interpreter of Python 3.12 or 3.13, and a venv in which the engine and the desk are."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from fcntl import LOCK_EX, flock
from hashlib import sha256
from pathlib import Path
from typing import Final

from tests.support.live_server import ROOT

VERSIONS: Final = ("3.12", "3.13")
"""Of Python, that both the engine (3.12 and later) and the desk (up to 3.13) run on."""

_VENV: Final = ROOT / ".venv-aegra"


class NotInstalledError(Exception):
    """Something that the workers need is not on this machine; says what to install."""


def interpreter() -> Path:
    """The newest that will do. Raises `NotInstalledError`."""
    for python in _candidates():
        ran = subprocess.run([python, "-c", "import ensurepip, sys; print(*sys.version_info[:2], sep='.')"],
                             capture_output=True, text=True, check=False)  # fmt: skip
        if ran.stdout.strip() in VERSIONS:  # a shim of pyenv is there also for what is not installed
            return python
    raise NotInstalledError(
        f"aegra needs Python {' or '.join(VERSIONS)}: apt-get install python3.12-venv, or pyenv install 3.12"
    )


def _candidates() -> Iterator[Path]:
    for version in VERSIONS:
        if found := shutil.which(f"python{version}"):
            yield Path(found)
        root = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"))
        yield from sorted(root.glob(f"versions/{version}.*/bin/python"), reverse=True)


def environment() -> Path:
    """The Python of a venv that has the engine, made or made anew when what belongs into it has changed; by one of
    those who ask at once, while the others wait.

    Raises `NotInstalledError`, and RuntimeError when pip fails.
    """
    with (ROOT / "pyproject.toml").open() as held:
        flock(held, LOCK_EX)
        return _environment()


def _environment() -> Path:
    python = _VENV / "bin" / "python"
    mark = _VENV / "made-of"
    made_of = sha256(b"".join((ROOT / name).read_bytes() for name in ("requirements.lock", "pyproject.toml")))
    if mark.exists() and mark.read_text() == made_of.hexdigest():
        return python
    base = interpreter()
    _run([base, "-m", "venv", "--clear", _VENV])
    _run([python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--constraint",
          ROOT / "requirements.lock", "--editable", f"{ROOT}[redis,aegra]"])  # fmt: skip
    mark.write_text(made_of.hexdigest())
    return python


def _run(command: list[str | Path]) -> None:
    ran = subprocess.run(command, capture_output=True, text=True, check=False)
    if ran.returncode:
        raise RuntimeError(f"{' '.join(map(str, command))} failed:\n{ran.stderr[-2000:]}")
