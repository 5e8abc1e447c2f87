"""Contenders as this process has them: started, asked in turn, ended. What they are is in `contenders`."""

import json
import os
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, Final

from benchmarks.builds import Build

_KEPT: Final = ("PATH", "HOME", "LANG", "TMPDIR", "VIRTUAL_ENV")


class Contender:
    """One process. `ask` waits for its answer; between questions it does nothing."""

    def __init__(self, module: str, build: Build, folder: Path, *arguments: str) -> None:
        folder.mkdir(parents=True)
        self._log = folder / "log"
        environment = {name: os.environ[name] for name in _KEPT if name in os.environ}
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                [build.python, "-m", f"benchmarks.contenders.{module}", "--folder", folder, *arguments],
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, text=True, cwd=folder,
                env=environment | {"PYTHONPATH": build.path, "PYTHONUNBUFFERED": "1"},
            )  # fmt: skip
        self._hear()  # that it is ready

    def ask(self, do: str, **arguments: Any) -> Any:
        """Have it do this; its answer. Raises `RuntimeError` with the end of its log when it fails."""
        assert self._process.stdin  # noqa: S101
        self._process.stdin.write(json.dumps({"do": do, **arguments}) + "\n")
        self._process.stdin.flush()
        return self._hear()

    def end(self) -> None:
        """Let it end in good order; a process that does not is killed."""
        assert self._process.stdin  # noqa: S101
        self._process.stdin.close()
        try:
            self._process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def _hear(self) -> Any:
        assert self._process.stdout  # noqa: S101
        if line := self._process.stdout.readline():
            return json.loads(line)
        self._process.wait(timeout=20)
        raise RuntimeError(f"{self._process.args} ended:\n{self._log.read_text()[-3000:]}")


@contextmanager
def running(folder: Path, **contenders: tuple[str, Build, list[str]]) -> Iterator[dict[str, Contender]]:
    """Start all of them, each in a folder of its own."""
    with ExitStack() as stack:
        started = {}
        for name, (module, build, arguments) in contenders.items():
            started[name] = Contender(module, build, folder / name, *arguments)
            stack.callback(started[name].end)
        yield started
