"""Workers of `aegra serve`, and what they share: a Redis, and a PostgreSQL for the engine and the ledger."""

import json
import os
import secrets
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import psycopg
from psycopg.rows import dict_row

from agent.ledger.schema import upgrade
from tests.cluster.engine import NotInstalledError, environment
from tests.support.live_server import LiveServer, Process
from tests.support.postgres_server import Postgres, binaries, folder_of_the_server
from tests.support.redis_server import Redis, program

ENGINE: Final = {
    "CRON_POLL_INTERVAL_SECONDS": "5",  # as often as the platform looks
    "SQLALCHEMY_POOL_SIZE": "20",  # all that it may open: one past the pool's size is closed after each use
    "SQLALCHEMY_MAX_OVERFLOW": "0",
    "LANGGRAPH_MAX_POOL_SIZE": "10",
    # a worker that is gone for three heartbeats is taken over, five seconds later at most
    "LEASE_DURATION_SECONDS": "15",
    "HEARTBEAT_INTERVAL_SECONDS": "5",
    "REAPER_INTERVAL_SECONDS": "5",
    "STUCK_PENDING_THRESHOLD_SECONDS": "20",  # of a run that a worker took out of the queue, and was cut off
    "LOG_LEVEL": "WARNING",
}
"""Settings of the engine's own."""


class Worker(LiveServer):
    """One worker, as a live server: `kill` ends it as a power cut would, `freeze` and `thaw` make a zombie of it."""

    is_platform = False

    def __init__(self, folder: Path, python: Path, **env: str) -> None:
        super().__init__(folder, python=python, config="aegra.json")
        self.env |= env | ENGINE | {"LANGGRAPH_API_URL": self.url, "PYTHONPATH": f"{self._root / 'src'}:{self._root}"}
        self._aegra = str(python.parent / "aegra")

    def share_tokens_of(self, other: "Worker") -> None:
        """Know the same callers as another worker."""
        self.tokens_file, self.tokens = other.tokens_file, other.tokens
        self.env["TOKENS_FILE"] = str(other.tokens_file)

    def _write_config(self, name: str) -> Path:
        config = json.loads((self._root / name).read_text())
        for graph in config["graphs"].values():
            graph["path"] = str(self._root / graph["path"])
        config["dependencies"] = [str(self._root)]
        path = self.folder / name
        path.write_text(json.dumps(config))
        return path

    def spawn(self) -> None:
        """Start it; it does not answer yet."""
        self._process = Process(
            [self._aegra, "serve", "--config", str(self._config), "--host", "127.0.0.1", "--port", str(self.port)],
            self.folder / "server.log", self.folder, self.env,
        )  # fmt: skip

    def desk(self, *words: str) -> Any:
        """What a local verb of `desk` prints of this shop, as JSON."""
        called = [str(Path(sys.executable).with_name("desk")), *words]
        ran = subprocess.run(called, env=self.env, cwd=self.folder, capture_output=True, text=True, check=False)
        if not ran.stdout:
            raise RuntimeError(f"{' '.join(called)}: {ran.stderr}")
        return json.loads(ran.stdout)

    def log(self) -> str:
        """All that it printed."""
        return (self.folder / "server.log").read_text(errors="replace")

    def runs_in(self, process: int) -> bool:
        """Whether a process, by its id, is one of this worker's."""
        try:
            return self._process is not None and os.getpgid(process) == self._process.group
        except ProcessLookupError:
            return False

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
    """Workers that are up, and their databases."""

    workers: tuple[Worker, ...]
    ledger: str
    engine: str

    def runs(self, run_ids: Sequence[str]) -> list[dict[str, Any]]:
        """What the engine knows of runs."""
        query = "SELECT run_id, status, claimed_by FROM runs WHERE run_id = ANY(%s)"
        with psycopg.connect(self.engine, row_factory=dict_row) as connection:
            return connection.execute(query, [list(run_ids)]).fetchall()

    def runs_on(self, threads: Sequence[str]) -> list[dict[str, Any]]:
        """What the engine knows of the runs of these threads."""
        with psycopg.connect(self.engine, row_factory=dict_row) as connection:
            return connection.execute("SELECT * FROM runs WHERE thread_id = ANY(%s)", [list(threads)]).fetchall()

    def all_over(self, run_ids: Sequence[str]) -> bool:
        """Whether these runs are, or wait for people."""
        return all(run["status"] in ("success", "interrupted", "error") for run in self.runs(run_ids))

    def held_by(self, worker: Worker) -> list[str]:
        """The runs that a worker has under way: the engine notes them by host, process and number."""
        with psycopg.connect(self.engine) as connection:
            rows = connection.execute(
                "SELECT run_id, claimed_by FROM runs WHERE status = 'running' AND claimed_by IS NOT NULL"
            ).fetchall()
        return [run for run, by in rows if worker.runs_in(int(by.partition("-worker-")[0].rpartition("-")[2]))]


def needed() -> tuple[Path, str, Path]:
    """Programs of PostgreSQL, Redis, and the Python of the engine, whose environment is made. Raises
    `NotInstalledError`."""
    postgres, redis = binaries(), program()
    if not postgres or not redis:
        raise NotInstalledError("PostgreSQL or Redis is not installed: run `make services`")
    return postgres, redis, environment()


@contextmanager
def cluster(folder: Path, **env: str) -> Iterator[Cluster]:
    """Two workers on a PostgreSQL and a Redis of their own, until the end. Settings of the desk's own are given as
    `env`. Raises `NotInstalledError` for want of PostgreSQL, Redis or Python 3.12.
    """
    programs, redis_program, python = needed()
    redis = Redis(redis_program)
    with ExitStack() as stack:
        postgres = stack.enter_context(Postgres.running(programs, stack.enter_context(folder_of_the_server())))
        stack.callback(redis.stop)
        redis.start()
        engine, ledger = (_database(postgres, name) for name in ("engine", "ledger"))
        with psycopg.connect(engine, autocommit=True) as connection:  # or a frozen worker would hold on to its threads
            connection.execute("ALTER DATABASE engine SET idle_in_transaction_session_timeout = '10s'")
            # one that freezes between two messages of a statement is not idle to PostgreSQL: who waits for it gives up
            connection.execute("ALTER DATABASE engine SET lock_timeout = '5s'")
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
        for worker in workers:  # one after the other: the first makes the engine's tables, and the shop
            stack.callback(worker.kill)
            worker.start()
        yield Cluster(workers, ledger, engine)


def how_to_use(workers: Cluster) -> dict[str, Any]:
    """For whoever has started workers to use them: addresses of the desk, the file of tokens, a command that works."""
    first = workers.workers[0]
    settings = f"TOKENS_FILE={first.tokens_file} DESK_URL={first.url}"
    return {
        "workers": [f"{worker.url}/desk/" for worker in workers.workers],
        "tokens": str(first.tokens_file),
        "try": f"{settings} {Path(sys.executable).with_name('desk')} approvals list --as order_manager",
    }


def _database(postgres: Postgres, name: str) -> str:
    with psycopg.connect(postgres.url, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
    return postgres.url.removesuffix("/postgres") + f"/{name}"
