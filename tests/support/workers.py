"""Workers of a shop as processes of their own, which are told what to do, and when (`ledger_worker`)."""

import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from agent.settings import Settings
from tests.support.clock import Clock
from tests.support.live_server import ROOT


class Worker:
    """One process."""

    def __init__(self, path: str | None = None) -> None:
        """`path`: the PYTHONPATH of the release that it is of, if it is another one."""
        self._log = tempfile.TemporaryFile("w+")  # noqa: SIM115  (as long as the process)
        self.is_at_work = False
        own = {"PYTHONPATH": path or f"{ROOT / 'src'}:{ROOT}"}
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.support.ledger_worker"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._log,
            text=True,
            cwd=ROOT,
            env=os.environ | own,
        )

    def prepare(
        self, config: Settings, now: datetime, act: str, *args: Any, freeze: str = "", breaks: str = "", **named: Any
    ) -> None:
        """Have it open the ledger, and know what to do, with what of the outside world it stands still or fails."""
        home = config.model_dump(mode="json", include=config.model_fields_set) | {"seed_shop": False}
        order = {
            "home": home,
            "now": now.isoformat(),
            "act": act,
            "args": args,
            "named": named,
            "freeze": [freeze],
            "breaks": breaks,
        }
        self._write(json.dumps(order))
        said = self.hears()
        assert said == "ready", said

    def go(self) -> None:
        """Have it begin."""
        self._write("go")
        self.is_at_work = True

    def hears(self) -> Any:
        """The next thing that it says."""
        assert self.process.stdout
        line = self.process.stdout.readline()
        if not line:
            self._log.seek(0)
            raise RuntimeError(f"the worker has ended:\n{self._log.read()[-3000:]}")
        self.is_at_work = False
        return json.loads(line)

    def wait_until_frozen(self) -> None:
        """Until it stands still."""
        assert os.WIFSTOPPED(os.waitpid(self.process.pid, os.WUNTRACED)[1])

    def wake(self) -> Any:
        """Let it go on; what came of its act."""
        self.process.send_signal(signal.SIGCONT)
        return self.hears()

    def end(self) -> None:
        """End it, whatever it does."""
        self.process.kill()
        self.process.communicate()
        self._log.close()

    def _write(self, line: str) -> None:
        assert self.process.stdin
        self.process.stdin.write(f"{line}\n")
        self.process.stdin.flush()


class Pair:
    """Two workers on the shop of a test, at its clock's time."""

    def __init__(self, workers: list[Worker], config: Settings, clock: Clock) -> None:
        self._workers = workers
        self.config = config
        self.clock = clock

    def both(self, act: str, *args: Any, **named: Any) -> list[Any]:
        """Both do the same at the same time; what came of it for each."""
        return self.each((act, args, named), (act, args, named))

    def each(self, *acts: tuple[str, tuple[Any, ...], dict[str, Any]]) -> list[Any]:
        """Each does one of these at the same time."""
        for worker, (act, args, named) in zip(self._workers, acts, strict=True):
            worker.prepare(self.config, self.clock(), act, *args, **named)
        for worker in self._workers:
            worker.go()
        return [worker.hears() for worker in self._workers]

    def one(self, act: str, *args: Any, **named: Any) -> Any:
        """The second worker does something."""
        return self._has(self._workers[1], act, *args, **named)

    def first(self, act: str, *args: Any, **named: Any) -> Any:
        """The first worker does something."""
        return self._has(self._workers[0], act, *args, **named)

    def _has(self, worker: Worker, act: str, *args: Any, **named: Any) -> Any:
        worker.prepare(self.config, self.clock(), act, *args, **named)
        worker.go()
        return worker.hears()

    @contextmanager
    def frozen(self, act: str, *args: Any, freeze: str, **named: Any) -> Iterator[Worker]:
        """The first worker stands still in the middle of this, until it is told to `wake`."""
        worker = self._workers[0]
        worker.prepare(self.config, self.clock(), act, *args, freeze=freeze, **named)
        worker.go()
        worker.wait_until_frozen()
        try:
            yield worker
        finally:
            if worker.is_at_work:  # the test has failed
                worker.wake()


def command(form: str, **arguments: Any) -> tuple[str, tuple[Any, ...], dict[str, Any]]:
    """A command, as an act."""
    return "run", (form,), arguments


def answered(said: list[Any]) -> list[Any]:
    """What came of the acts, none of which failed."""
    failed = [each for each in said if "error" in each]
    assert not failed, failed
    return [each["answer"] for each in said]
