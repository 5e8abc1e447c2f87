"""Restate's server: the process that keeps invocations and calls the engine's own process; it outlives the kills."""

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from tests.support.live_server import Process, free_port, wait_for


@dataclass(frozen=True)
class RestateServer:
    """Where it is reached, and where it is told to find the endpoint."""

    process: Process
    ingress: str
    admin: str
    endpoint_port: int

    @property
    def arguments(self) -> list[str]:
        """What the endpoint's process is told."""
        options = {"url": self.ingress, "admin-url": self.admin, "port": str(self.endpoint_port)}
        return [word for name, value in options.items() for word in (f"--restate-{name}", value)]


@contextmanager
def restate_running(program: Path, folder: Path) -> Iterator[RestateServer]:
    """A single node with its data in the folder, until the end."""
    folder.mkdir(parents=True, exist_ok=True)
    ingress, admin, node, endpoint = free_port(), free_port(), free_port(), free_port()
    environment = {
        "PATH": os.environ.get("PATH", ""),
        "HOME": str(folder),
        "DO_NOT_TRACK": "1",
        "RUST_LOG": "warn",
        "RESTATE_INGRESS__BIND_ADDRESS": f"127.0.0.1:{ingress}",
        "RESTATE_ADMIN__BIND_ADDRESS": f"127.0.0.1:{admin}",
        "RESTATE_BIND_ADDRESS": f"127.0.0.1:{node}",
        "RESTATE_ADVERTISED_ADDRESS": f"http://127.0.0.1:{node}",
        "RESTATE_DISABLE_TELEMETRY": "true",
    }
    command = [str(program), "--node-name", "one", "--base-dir", str(folder / "data")]
    process = Process(command, folder / "server.log", folder, environment)
    server = RestateServer(process, f"http://127.0.0.1:{ingress}", f"http://127.0.0.1:{admin}", endpoint)

    def answers() -> bool:
        try:
            up = [f"{server.admin}/health", f"{server.ingress}/restate/health"]
            return all(httpx.get(url, trust_env=False).is_success for url in up)
        except httpx.TransportError:
            return False

    try:
        wait_for(answers, 60, lambda: f"Restate does not start: {process.log.read_text()[-1000:]}")
        yield server
    finally:
        process.end(signal.SIGKILL)
