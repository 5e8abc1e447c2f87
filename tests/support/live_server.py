"""A real `langgraph dev`, and a card network beside it, on free ports: started, stopped, killed, started again.

Demo, attack, benchmarks and tests use them. Processes are ended by their own process id and never by name. What
happens on them lives elsewhere.
"""

import asyncio
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Coroutine, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, Final, Self, TypeVar

import httpx
from langgraph_sdk import get_sync_client
from langgraph_sdk.client import SyncLangGraphClient

from agent.settings import Settings
from agent.shop import SHOP
from agent.tokens import create_tokens

T = TypeVar("T")

ROOT = Path(__file__).resolve().parents[2]
START_LIMIT = 90.0
"""Seconds that a server may take to answer: a first start on a busy machine compiles everything."""

PATIENCE = 30.0
"""Seconds within which something must have happened."""

FOR_SERVERS: Final = "LIVE_SERVER_"
"""What is set as LIVE_SERVER_NAME for demo, show, attack or tests is NAME for each server that they start."""

KEEP_IN: Final = "KEEP_LIVE_SERVERS_IN"
"""Names a folder: there each server that ends leaves its own, by its port, with log, ledger and last metrics in it."""


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

    @property
    def group(self) -> int:
        """Its group's id, which its children share."""
        return self._child.pid

    def cpu_seconds(self) -> float:
        """Processor seconds of the whole group until now (Linux)."""
        return sum(int(fields[11]) + int(fields[12]) for fields in self._group()) / os.sysconf("SC_CLK_TCK")

    def _group(self) -> Iterator[list[str]]:
        """Of each process of the group man 5 proc's `stat`, from its field 3 on."""
        for stat in Path("/proc").glob("[0-9]*/stat"):
            with suppress(FileNotFoundError, ProcessLookupError):  # a process that has just ended
                fields = stat.read_text().rpartition(")")[2].split()
                if int(fields[2]) == self._child.pid:
                    yield fields

    def tell(self, how: signal.Signals) -> None:
        """Signal it, and wait for nothing."""
        self._child.send_signal(how)

    def ended_within(self, seconds: float) -> int:
        """Its exit code. Raises subprocess.TimeoutExpired when it still runs after so many seconds."""
        return self._child.wait(timeout=seconds)

    def send(self, which: signal.Signals) -> None:
        """Send it to the whole group."""
        os.killpg(self._child.pid, which)

    def end(self, how: signal.Signals) -> None:
        """Signal the whole group and wait until it has ended: a child may take longer than the first of it."""
        if self.alive:
            os.killpg(self._child.pid, how)
        try:
            self._child.wait(timeout=30)
            wait_for(self._has_ended, 30, lambda: "")
        except (subprocess.TimeoutExpired, RuntimeError):
            os.killpg(self._child.pid, signal.SIGKILL)
            self._child.wait(timeout=30)

    def _has_ended(self) -> bool:
        return all(fields[0] == "Z" for fields in self._group())  # a zombie is left to whoever adopts it


class LiveNetwork:
    """The sandbox card network as a process of its own; its ledger, `file`, outlives every stop.

    `module` is what runs as it: the sandbox, or one with its options. More `options` may be given until it is spawned.
    """

    def __init__(self, folder: Path, *, slow_seconds: float, module: str = "sandbox") -> None:
        folder.mkdir(parents=True, exist_ok=True)
        port = free_port()
        self.url = f"http://127.0.0.1:{port}"
        self.file = folder / "network.db"
        self.options: list[str] = []
        self._command = [
            sys.executable, "-m", module,
            "--port", str(port), "--data", str(self.file), "--slow-seconds", str(slow_seconds),
        ]  # fmt: skip
        self._process: Process | None = None

    def spawn(self) -> None:
        """Start it; it does not answer yet."""
        self._process = Process([*self._command, *self.options], self.file.with_name("network.log"), ROOT, os.environ)

    def answers(self) -> bool:
        """Whether it can be asked for its ledger now."""
        try:
            return httpx.get(f"{self.url}/charges", timeout=5, trust_env=False).status_code == 200
        except httpx.TransportError:
            return False

    def ledger(self) -> Any:
        """Everything that it did, by its own account: {"charges": [...], "refunds": [...]}."""
        return httpx.get(f"{self.url}/charges", timeout=5, trust_env=False).raise_for_status().json()

    def cpu_seconds(self) -> float:
        """Processor seconds of the process that runs now."""
        return self._process.cpu_seconds() if self._process else 0.0

    @property
    def alive(self) -> bool:
        """Whether its process runs."""
        return self._process is not None and self._process.alive

    def stop(self) -> None:
        """End it: nobody listens on its port any more."""
        if self._process:
            self._process.end(signal.SIGTERM)
            self._process = None


class LiveServer:
    """`langgraph dev` of this project in `folder`, which holds its ledger, tokens and checkpoints.

    Of the caller's environment it sees nothing that would change what it does; settings are given as `env`. Another
    source tree of ours is served by the interpreter that has what it needs.
    """

    is_platform = True
    """Whether it serves all of the platform's API, with the platform's own answers."""

    def __init__(
        self,
        folder: Path,
        *,
        root: Path = ROOT,
        python: Path = Path(sys.executable),
        config: str = "langgraph.json",
        **env: str,
    ) -> None:
        self._root = root
        self._langgraph = str(python.parent / "langgraph")
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.tokens_file = folder / "tokens.json"
        create_tokens(self.tokens_file)
        self.tokens: dict[str, str] = {
            role: entry["token"] for role, entry in json.loads(self.tokens_file.read_text()).items()
        }
        inherited = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("OPENAI_", "LANGSMITH_", "LANGCHAIN_"))
            and name.lower() not in Settings.model_fields
        }
        self.env = inherited | {
            "DATA_DIR": str(folder / "data"),
            "TOKENS_FILE": str(self.tokens_file),
            "SHOP_DIR": str(SHOP.folder.resolve()),  # of whoever starts it
            "LANGSMITH_TRACING": "false",
            "LANGGRAPH_CLI_NO_ANALYTICS": "1",
            "LANGGRAPH_STRICT_MSGPACK": "true",
            "PYTHONUNBUFFERED": "1",
            "DRAIN_SECONDS": "10",  # whoever stops it does not wait for a step that takes a minute
            "ORDER_SUM_HOURS": "0",  # its customers order more in a minute than people do in a day
        } | {
            name.removeprefix(FOR_SERVERS): value for name, value in os.environ.items() if name.startswith(FOR_SERVERS)
        } | env  # fmt: skip
        self._process: Process | None = None
        self._config = self._write_config(config)

    def _write_config(self, name: str) -> Path:
        """The config with absolute paths, so that the server's own files land in the folder, not in the project."""
        config = json.loads((self._root / name).read_text())
        config["dependencies"] = [str(self._root)]
        for graph in config["graphs"].values():
            graph["path"] = str(self._root / graph["path"])
        config["auth"]["path"] = str(self._root / config["auth"]["path"])
        config["http"]["app"] = str(self._root / config["http"]["app"])
        if saver := config["checkpointer"].get("path"):
            config["checkpointer"]["path"] = str(self._root / saver)
        path = self.folder / "langgraph.json"
        path.write_text(json.dumps(config))
        return path

    def spawn(self) -> None:
        """Start it; it does not answer yet."""
        self._process = Process(
            [self._langgraph, "dev", "--config", str(self._config), "--no-browser",
             "--no-reload", "--host", "127.0.0.1", "--port", str(self.port), "--n-jobs-per-worker", "4"],
            self.folder / "server.log", self.folder, self.env,
        )  # fmt: skip

    def start(self) -> Self:
        """Start it and wait until it answers. Raises RuntimeError with the log's end when it does not."""
        self.spawn()
        wait_for(self.answers, START_LIMIT, lambda: f"the server does not answer:\n{self.log_end()}")
        return self

    def __enter__(self) -> Self:
        try:
            return self.start()
        except BaseException:
            self.stop()
            raise

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def alive(self) -> bool:
        """Whether its process runs."""
        return self._process is not None and self._process.alive

    def answers(self) -> bool:
        """Whether it serves now. Raises RuntimeError with the log's end when its process has ended."""
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

    def cpu_seconds(self) -> float:
        """Processor seconds of the server that runs now."""
        return self._process.cpu_seconds() if self._process else 0.0

    def tell(self, how: signal.Signals) -> None:
        """Signal it, and wait for nothing."""
        assert self._process
        self._process.tell(how)

    def ended_within(self, seconds: float) -> int:
        """Its exit code. Raises subprocess.TimeoutExpired when it still runs after so many seconds."""
        assert self._process
        return self._process.ended_within(seconds)

    def stop(self) -> None:
        """End it in good order (SIGTERM)."""
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        """End it as a power cut would (SIGKILL)."""
        self._end(signal.SIGKILL)

    def _end(self, how: signal.Signals) -> None:
        if not self._process:
            return
        keep_in = os.environ.get(KEEP_IN)
        if keep_in:
            self._write_metrics()
        self._process.end(how)
        self._process = None
        if keep_in:
            shutil.copytree(self.folder, Path(keep_in) / str(self.port), dirs_exist_ok=True)

    def _write_metrics(self) -> None:
        """What it counted until now; nothing when it is dead or deaf."""
        headers = {"x-api-key": self.tokens["operator"]}
        with suppress(httpx.HTTPError):
            answer = httpx.get(f"{self.url}/ops/metrics", headers=headers, timeout=5, trust_env=False)
            (self.folder / "metrics.txt").write_text(answer.raise_for_status().text)

    def client(self, role: str) -> SyncLangGraphClient:
        """The platform's SDK as this role."""
        return get_sync_client(url=self.url, api_key=self.tokens[role])

    def get(self, path: str, role: str) -> Any:
        """A custom route's JSON as this role."""
        return self.client(role).http.get(path)


def wait_for(condition: Callable[[], T], seconds: float, otherwise: Callable[[], str]) -> T:
    """Ask until the condition gives something true; raises RuntimeError with `otherwise()` after `seconds`."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if found := condition():
            return found
        time.sleep(0.1)
    raise RuntimeError(otherwise())


async def until(condition: Callable[[], Awaitable[T]], otherwise: str, seconds: float = PATIENCE) -> T:
    """Ask until the condition gives something true. Raises RuntimeError with `otherwise` after `seconds`."""
    end = time.monotonic() + seconds
    while not (found := await condition()):
        if time.monotonic() > end:
            raise RuntimeError(f"{otherwise} within {seconds:.0f} s")
        await asyncio.sleep(0.05)
    return found


async def until_told_to_stop(work: Coroutine[None, None, T]) -> T:
    """What the work gives. Ctrl-C, `kill` and a closed terminal end it by its own ways out: it is cancelled."""
    task = asyncio.ensure_future(work)
    for ending in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        asyncio.get_running_loop().add_signal_handler(ending, task.cancel)
    return await task
