"""Workers of `aegra serve`, and what they share: a PostgreSQL with the engine's database and the ledger, and a Redis."""

import json
import secrets
import signal
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import psycopg

from agent.ledger.schema import upgrade
from tests.support.live_server import START_LIMIT, LiveServer, Process, wait_for
from tests.support.postgres_server import Postgres
from tests.support.redis_server import Redis

ENGINE: Final = {
    "CRON_POLL_INTERVAL_SECONDS": "5",  # as often as the platform looks
    "SQLALCHEMY_POOL_SIZE": "5",
    "LANGGRAPH_MAX_POOL_SIZE": "10",
    "LOG_LEVEL": "WARNING",
}
"""Settings of the engine's own."""


class Worker(LiveServer):
    """One worker, as a live server: `kill` ends it as a power cut would, `freeze` and `thaw` make a zombie of it."""

    def __init__(self, folder: Path, python: Path, **env: str) -> None:
        super().__init__(folder, python=python, **env)
        self.env |= ENGINE | {"LANGGRAPH_API_URL": self.url, "PYTHONPATH": f"{self._root / 'src'}:{self._root}"}
        self._aegra = str(python.parent / "aegra")

    def share_tokens_of(self, other: "Worker") -> None:
        """Know the same callers as another worker."""
        self.tokens_file, self.tokens = other.tokens_file, other.tokens
        self.env["TOKENS_FILE"] = str(other.tokens_file)

    def _write_config(self) -> Path:
        config = json.loads((self._root / "aegra.json").read_text())
        for graph in config["graphs"].values():
            graph["path"] = str(self._root / graph["path"])
        config["dependencies"] = [str(self._root)]
        path = self.folder / "aegra.json"
        path.write_text(json.dumps(config))
        return path

    def spawn(self) -> None:
        """Start it; it does not answer yet."""
        self._process = Process(
            [self._aegra, "serve", "--config", str(self._config), "--host", "127.0.0.1", "--port", str(self.port)],
            self.folder / "server.log", self.folder, self.env,
        )  # fmt: skip

    def freeze(self) -> None:
        """It keeps its connections and does nothing."""
        assert self._process
        self._process.send(signal.SIGSTOP)

    def thaw(self) -> None:
        """It goes on where it was."""
        assert self._process
        self._process.send(signal.SIGCONT)


@dataclass(frozen=True)
class Cluster:
    """Workers that are up, and the database of their ledger."""

    workers: tuple[Worker, ...]
    ledger: str
    redis: Redis


@contextmanager
def cluster(folder: Path, python: Path, postgres: Postgres, redis: Redis, **env: str) -> Iterator[Cluster]:
    """Two workers on these servers, until the end. Settings of the desk's own are given as `env`."""
    engine, ledger = (_database(postgres, name) for name in ("engine", "ledger"))
    upgrade(ledger)
    shared = {
        "DATABASE_URL": engine,
        "LEDGER_URL": ledger,
        "REDIS_URL": redis.url,
        "REDIS_BROKER_ENABLED": "true",
        "TRAIL_KEY": secrets.token_hex(32),
        "DATA_DIR": str(folder / "data"),
    }
    workers = tuple(Worker(folder / f"worker-{number}", python, **shared | env) for number in (1, 2))
    workers[1].share_tokens_of(workers[0])
    with ExitStack() as stack:
        for worker in workers:
            stack.callback(worker.kill)
            worker.spawn()
            if worker is workers[0]:  # which makes the engine's tables and the shop
                wait_for(worker.answers, START_LIMIT, lambda w=worker: f"it does not answer:\n{w.log_end()}")  # type: ignore[misc]
        for worker in workers:
            wait_for(worker.answers, START_LIMIT, lambda w=worker: f"it does not answer:\n{w.log_end()}")  # type: ignore[misc]
        yield Cluster(workers, ledger, redis)


def _database(postgres: Postgres, name: str) -> str:
    with psycopg.connect(postgres.url, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")  # type: ignore[arg-type]
    return postgres.url.removesuffix("/postgres") + f"/{name}"
