"""A Redis server of the tests' own, from Debian's package: on a free loopback port, with nothing on disk.

And worker processes that meet there. All are ended, frozen and killed by their process id.
"""

import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from tests.support.live_server import ROOT, free_port, wait_for

_START_LIMIT = 30.0


def program() -> str | None:
    """Where the server is installed, if it is."""
    return shutil.which("redis-server")


class Redis:
    """One server. What it knew is gone after every stop."""

    def __init__(self, server: str) -> None:
        self._server = server
        self._process: subprocess.Popen[bytes] | None = None
        self._port = free_port()
        self.url = f"redis://127.0.0.1:{self._port}/0"

    def start(self) -> None:
        """Start it and wait until it answers."""
        self._process = subprocess.Popen(
            [self._server, "--port", str(self._port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, stdin=subprocess.DEVNULL,
        )  # fmt: skip
        wait_for(self._answers, _START_LIMIT, lambda: "Redis does not start")

    def stop(self, how: signal.Signals = signal.SIGTERM) -> None:
        """End it; SIGKILL is a crash."""
        if self._process:
            self._process.send_signal(how)
            self._process.wait(timeout=30)
            self._process = None

    def freeze(self) -> None:
        """Let it keep its connections and say nothing."""
        self._signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Let it go on."""
        self._signal(signal.SIGCONT)

    def ask(self, command: str) -> str:
        """A command's answer, as it is on the wire."""
        with socket.create_connection(("127.0.0.1", self._port), timeout=5) as connection:
            connection.sendall(f"{command}\r\n".encode())
            return connection.recv(1 << 16).decode()

    def commands(self) -> int:
        """How many commands it has run."""
        stats = dict(line.split(":", 1) for line in self.ask("INFO stats").splitlines() if ":" in line)
        return int(stats["total_commands_processed"])

    def _signal(self, which: signal.Signals) -> None:
        assert self._process
        self._process.send_signal(which)

    def _answers(self) -> bool:
        if self._process is None or self._process.poll() is not None:
            raise RuntimeError("Redis ended")
        try:
            return self.ask("PING").startswith("+PONG")
        except OSError:
            return False


class WorkerProcess:
    """A process of `breaker_worker`, whose breaker has reached the Redis at `url`."""

    def __init__(self, url: str) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.support.breaker_worker", url],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT,
        )  # fmt: skip

    def tell(self, order: str) -> None:
        """Give an order, without waiting."""
        assert self._process.stdin
        self._process.stdin.write(f"{order}\n")
        self._process.stdin.flush()

    def hear(self) -> str:
        """Its next word."""
        assert self._process.stdout
        return self._process.stdout.readline().strip()

    def kill(self) -> None:
        """End it without a word."""
        self._process.kill()
        self._process.communicate(timeout=30)


@contextmanager
def worker_processes(url: str, count: int) -> Iterator[list[WorkerProcess]]:
    """Workers that are ready."""
    workers = [WorkerProcess(url) for _ in range(count)]
    try:
        for worker in workers:
            assert worker.hear() == "ready"
        yield workers
    finally:
        for worker in workers:
            worker.kill()
