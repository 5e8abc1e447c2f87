"""A real `langgraph dev` on a free port with a data folder of its own: started, stopped, killed, started again.

The demo and the integration tests use it. Processes are ended by their own process id and never by name.
"""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self

import httpx
from langgraph_sdk import get_sync_client
from langgraph_sdk.client import SyncLangGraphClient

from agent.identity import create_tokens

ROOT = Path(__file__).resolve().parent.parent
START_LIMIT = 90.0
"""Seconds that a server may take to answer: a first start on a busy machine compiles everything."""


def free_port() -> int:
    """A port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Process:
    """A child process in a group of its own, with its output in a file."""

    def __init__(self, command: list[str], log: Path, cwd: Path, env: Mapping[str, str]) -> None:
        with log.open("ab") as output:
            self._child = subprocess.Popen(
                command, stdout=output, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, cwd=cwd,
                env=dict(env), start_new_session=True,
            )  # fmt: skip
        self.log = log

    @property
    def alive(self) -> bool:
        """Whether it still runs."""
        return self._child.poll() is None

    def end(self, how: signal.Signals) -> None:
        """Signal the whole group and wait until it has ended."""
        if self.alive:
            os.killpg(self._child.pid, how)
        try:
            self._child.wait(timeout=30)
        except subprocess.TimeoutExpired:
            os.killpg(self._child.pid, signal.SIGKILL)
            self._child.wait(timeout=30)


class LiveServer:
    """`langgraph dev` of this project in `folder`, which holds its ledger, tokens and checkpoints."""

    def __init__(self, folder: Path, **env: str) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.tokens_file = folder / "tokens.json"
        create_tokens(self.tokens_file)
        self.tokens: dict[str, str] = {
            role: entry["token"] for role, entry in json.loads(self.tokens_file.read_text()).items()
        }
        inherited = {k: v for k, v in os.environ.items() if not k.startswith(("OPENAI_", "LANGSMITH_", "LANGCHAIN_"))}
        self._env = inherited | {
            "DATA_DIR": str(folder / "data"),
            "TOKENS_FILE": str(self.tokens_file),
            "LANGSMITH_TRACING": "false",
            "LANGGRAPH_CLI_NO_ANALYTICS": "1",
            "PYTHONUNBUFFERED": "1",
        } | env  # fmt: skip
        self._process: Process | None = None
        self._config = self._write_config()

    def _write_config(self) -> Path:
        """langgraph.json with absolute paths, so that the server's own files land in the folder, not in the project."""
        config = json.loads((ROOT / "langgraph.json").read_text())
        config["dependencies"] = [str(ROOT)]
        for graph in config["graphs"].values():
            graph["path"] = str(ROOT / graph["path"])
        config["auth"]["path"] = str(ROOT / config["auth"]["path"])
        config["http"]["app"] = str(ROOT / config["http"]["app"])
        path = self.folder / "langgraph.json"
        path.write_text(json.dumps(config))
        return path

    def start(self) -> Self:
        """Start it and wait until it answers. Raises RuntimeError with the log's end when it does not."""
        self._process = Process(
            [str(Path(sys.executable).parent / "langgraph"), "dev", "--config", str(self._config), "--no-browser",
             "--no-reload", "--host", "127.0.0.1", "--port", str(self.port), "--n-jobs-per-worker", "4"],
            self.folder / "server.log", self.folder, self._env,
        )  # fmt: skip
        wait_for(self._answers, START_LIMIT, lambda: f"the server does not answer:\n{self.log_end()}")
        return self

    def _answers(self) -> bool:
        if self._process is None or not self._process.alive:
            raise RuntimeError(f"the server ended:\n{self.log_end()}")
        try:
            return httpx.get(f"{self.url}/ops/health", timeout=5, trust_env=False).status_code == 200
        except httpx.TransportError:
            return False

    def log_end(self, lines: int = 40) -> str:
        """The last lines that the server printed."""
        log = self.folder / "server.log"
        return "\n".join(log.read_text(errors="replace").splitlines()[-lines:]) if log.exists() else ""

    def stop(self) -> None:
        """End it in good order (SIGTERM)."""
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        """End it as a power cut would (SIGKILL)."""
        self._end(signal.SIGKILL)

    def _end(self, how: signal.Signals) -> None:
        if self._process:
            self._process.end(how)
            self._process = None

    def client(self, role: str) -> SyncLangGraphClient:
        """The platform's SDK as this role."""
        return get_sync_client(url=self.url, api_key=self.tokens[role])

    def get(self, path: str, role: str) -> Any:
        """A custom route's JSON as this role."""
        return self.client(role).http.get(path)


def wait_for(condition: Any, seconds: float, otherwise: Any) -> Any:
    """Ask until the condition gives something true; raises RuntimeError with `otherwise()` after `seconds`."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if found := condition():
            return found
        time.sleep(0.1)
    raise RuntimeError(otherwise())
