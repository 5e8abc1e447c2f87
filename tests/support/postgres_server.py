"""A PostgreSQL server of the tests' own, from Debian's package: on a free loopback port, in a temporary folder.

It runs as an unprivileged user, which PostgreSQL insists on, and is ended, paused and killed by its process id.
"""

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final, Self

import psycopg

from tests.support.live_server import free_port, wait_for

PASSWORD: Final = "correct-horse"
"""Not to be seen in any error."""

_START_LIMIT: Final = 60.0


def binaries() -> Path | None:
    """Where the newest installed PostgreSQL has its programs, if there is one."""
    found = Path("/usr/lib/postgresql").glob("*/bin/postgres")
    return max((path.parent for path in found), key=lambda path: int(path.parent.name), default=None)


class Postgres:
    """One server; `folder` holds its data and outlives every stop."""

    def __init__(self, programs: Path, folder: Path) -> None:
        self._programs = programs
        self._data = folder / "data"
        self._log = folder / "server.log"
        self._process: subprocess.Popen[bytes] | None = None
        self.port = free_port()
        self.url = f"postgresql://desk:{PASSWORD}@127.0.0.1:{self.port}/postgres"

    @classmethod
    @contextmanager
    def running(cls, programs: Path, folder: Path) -> Iterator[Self]:
        """A new server in an empty folder that its user can enter, until the end."""
        server = cls(programs, folder)
        server.init()
        server.start()
        try:
            yield server
        finally:
            server.stop()

    def init(self) -> None:
        """Make an empty cluster that lets itself be copied."""
        secret = self._data.with_name("password")
        secret.write_text(PASSWORD)
        let_in(secret)
        self._run("initdb", "--username=desk", f"--pwfile={secret}", "--auth=scram-sha-256", "--no-sync",
                  "--encoding=UTF8", "--locale=C.UTF-8", f"--pgdata={self._data}")  # fmt: skip

    def follow(self, primary: "Postgres") -> None:
        """Become a streaming replica of a running server."""
        self._run("pg_basebackup", f"--dbname={primary.url}", f"--pgdata={self._data}", "--write-recovery-conf",
                  "--checkpoint=fast", "--no-sync")  # fmt: skip

    def start(self) -> None:
        """Start it and wait until it answers."""
        with self._log.open("ab") as output:
            self._process = subprocess.Popen(
                [self._programs / "postgres", "-D", self._data, "-p", str(self.port), "-h", "127.0.0.1",
                 "-k", self._data.parent, "-c", "fsync=off"],
                stdout=output, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, user=_user(),
                start_new_session=True,  # a Ctrl-C is meant for us
            )  # fmt: skip
        wait_for(self._answers, _START_LIMIT, lambda: f"PostgreSQL does not start:\n{self._log.read_text()[-2000:]}")

    def stop(self, how: signal.Signals = signal.SIGINT) -> None:
        """End it: SIGINT cuts connections and stops in good order, SIGQUIT is a crash."""
        if self._process:
            self._process.send_signal(how)
            self._process.wait(timeout=30)
            self._process = None

    @contextmanager
    def paused(self) -> Iterator[None]:
        """It keeps its connections and says nothing: a frozen machine."""
        assert self._process
        postmaster = self._process.pid
        os.kill(postmaster, signal.SIGSTOP)  # first, so that no more children are born
        everyone = [postmaster, *_children(postmaster)]
        for pid in everyone:
            os.kill(pid, signal.SIGSTOP)
        try:
            yield
        finally:
            for pid in everyone:
                os.kill(pid, signal.SIGCONT)

    def _answers(self) -> bool:
        if self._process is None or self._process.poll() is not None:
            raise RuntimeError(f"PostgreSQL ended:\n{self._log.read_text()[-2000:]}")
        try:
            psycopg.connect(self.url, connect_timeout=5).close()
        except psycopg.OperationalError:
            return False
        return True

    def _run(self, program: str, *arguments: str) -> None:
        with self._log.open("ab") as output:
            ran = subprocess.run([self._programs / program, *arguments], check=False, stdout=output, stderr=output,
                                 user=_user())  # fmt: skip
        if ran.returncode:
            raise RuntimeError(f"{program} failed:\n{self._log.read_text()[-2000:]}")


@contextmanager
def folder_of_the_server() -> Iterator[Path]:
    """A temporary folder that the server's user can enter, which pytest's are not."""
    folder = Path(tempfile.mkdtemp(prefix="postgres-"))
    let_in(folder)
    try:
        yield folder
    finally:
        shutil.rmtree(folder)


def let_in(path: Path) -> None:
    """Give a file or folder to the server's user, whatever our umask is."""
    if (user := _user()) is not None:
        os.chown(path, user, -1)


def _user() -> int | None:
    """Who the server runs as: we ourselves (None), or in place of root the user that the package brings."""
    return pwd.getpwnam("postgres").pw_uid if os.geteuid() == 0 else None


def _children(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
