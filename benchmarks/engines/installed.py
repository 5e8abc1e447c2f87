"""What the engines need, installed once: a Python environment of their own, and Restate's server."""

import hashlib
import shutil
import subprocess
import venv
from pathlib import Path
from typing import Final

from benchmarks.builds import CACHE, progress
from tests.support.live_server import ROOT

PINNED: Final = (
    "dbos==3.4.0", "langgraph-checkpoint-postgres==3.2.0", "langgraph-checkpoint-sqlite==3.1.2", "psycopg-pool==3.3.3",
    "restate-sdk==1.3.0", "hypercorn==0.18.0",
)  # fmt: skip
RESTATE_SERVER: Final = "@restatedev/restate-server@1.7.12"


class NotInstalledError(Exception):
    """An engine can't be had here; says why."""


def python() -> Path:
    """An interpreter with our lock and the engines' libraries."""
    lock = ROOT / "requirements.lock"
    wanted = hashlib.sha256(lock.read_bytes() + " ".join(PINNED).encode()).hexdigest()
    home = CACHE / "engines"
    interpreter, ready = home / "venv" / "bin" / "python", home / "ready"
    if not ready.exists() or ready.read_text() != wanted:
        progress(f"installing the engines into {home}: a minute or two, once")
        venv.create(home / "venv", with_pip=True, clear=True)
        pip: list[str | Path] = [interpreter, "-m", "pip", "install", "--disable-pip-version-check"]
        _run([*pip, "--requirement", lock, *PINNED], home / "pip.log")
        _run([*pip, "--no-deps", "--editable", ROOT], home / "own.log")  # the product asks for its own version
        ready.write_text(wanted)
    return interpreter


def restate_server() -> Path:
    """Restate's server program, from npm. Raises `NotInstalledError` where it can't be had."""
    home = CACHE / RESTATE_SERVER.replace("/", "-")
    found = list(home.glob("node_modules/@restatedev/restate-server-*/bin/restate-server"))
    if not found:
        if (npm := shutil.which("npm")) is None:
            raise NotInstalledError("npm is not installed")
        home.mkdir(parents=True, exist_ok=True)
        _run([npm, "install", "--ignore-scripts", "--prefix", home, RESTATE_SERVER], home / "npm.log")
        found = list(home.glob("node_modules/@restatedev/restate-server-*/bin/restate-server"))
    if not found:
        raise NotInstalledError("npm has no restate-server for this machine")
    return found[0]


def _run(command: list[str | Path], log: Path) -> None:
    with log.open("wb") as output:
        if subprocess.run(command, check=False, stdout=output, stderr=output).returncode:  # noqa: S603
            raise NotInstalledError(f"{Path(command[0]).name} install failed: see {log}")
