"""Where the drill is played: a server that dies and comes back, the world outside it, and the shop's ledger.

Both are processes of their own, ended by their own ids. What happens to them is in `drill`.
"""

import asyncio
import json
import os
import signal
import sys
from asyncio.subprocess import DEVNULL, PIPE
from asyncio.subprocess import Process as Child
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from itertools import cycle
from pathlib import Path
from typing import Any, Final, Protocol, Self

import httpx

from agent.commerce.shop_import import import_shop
from agent.ledger.database import Database, utc_now
from agent.ledger.invariants import CHECKS, Violation, violations
from agent.ledger.schema import upgrade
from agent.providers.factory import sandbox_client
from agent.providers.sandbox import SandboxProvider
from tests.chaos.orders import chaos_shop
from tests.chaos.server import Boundary
from tests.support.books import Ledger, LedgerReader, PostgresLedger
from tests.support.live_server import ROOT, START_LIMIT, LiveServer, Process, free_port, until

SECRET: Final = "whsec_Y2hhb3MgZHJpbGwgd2ViaG9vayBzZWNyZXQ="

HURRIED: Final[dict[str, Any]] = {
    "PAYMENT_TIMEOUT_SECONDS": "1.5",
    "PAYMENT_BREAKER_OPEN_SECONDS": "1",
    "PAYMENT_WAIT_SECONDS": "20",
    "DEBT_RETRY_SECONDS": "0.05",
    "STALE_AFTER_SECONDS": "2",
}
"""Settings for a drill: what takes hours in a shop takes seconds here."""


class MortalServer(LiveServer):
    """The server, with a launcher that gives it one life after the other (see `server`)."""

    def __init__(self, folder: Path, world_url: str, **env: Any) -> None:
        super().__init__(
            folder,
            **HURRIED,
            **env,
            PAYMENT_URL=world_url,
            SANDBOX_WEBHOOK_SECRET=SECRET,
            LANGGRAPH_NO_VERSION_CHECK="true",
            LOG_JSON="true",
            PYTHONPATH=f"{ROOT}:{ROOT / 'src'}",
        )
        self.urls: Sequence[str] = (self.url,)
        self._launcher: Child | None = None
        self._pid = 0
        self._http = httpx.AsyncClient(base_url=self.url, trust_env=False, timeout=5)
        self.death: asyncio.Future[int] = asyncio.get_running_loop().create_future()

    async def launch(self) -> None:
        """Start the launcher; no server lives yet."""
        with (self.folder / "server.log").open("ab") as log:
            self._launcher = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "tests.chaos.server", "dev", "--config", str(self._config), "--no-browser",
                "--no-reload", "--host", "127.0.0.1", "--port", str(self.port), "--n-jobs-per-worker", "8",
                stdin=PIPE, stdout=PIPE, stderr=log, cwd=self.folder, env=self.env, start_new_session=True,
            )  # fmt: skip

    async def begin(self, boundary: Boundary | None) -> None:
        """Begin a life, and wait until the server answers or is dead already; `death` is done when it is over."""
        assert self._launcher
        assert self._launcher.stdin
        self._launcher.stdin.write(json.dumps(boundary and asdict(boundary)).encode() + b"\n")
        self._pid = await self._told()
        self.death = asyncio.create_task(self._told(), name="death")
        await until(self._answers_or_dead, f"the server does not answer:\n{self.log_end()}", START_LIMIT)

    async def kill_now(self) -> bool:
        """End the life, if it is not over yet; whether this ended it. Raises RuntimeError if it ended by itself."""
        alive = not self.death.done()
        if alive:
            os.kill(self._pid, signal.SIGKILL)
        if await self.death != -signal.SIGKILL:
            raise RuntimeError(f"the server ended by itself:\n{self.log_end()}")
        return alive

    async def dies_within(self, seconds: float) -> None:
        """Wait until its life is over, and no longer."""
        await asyncio.wait([self.death], timeout=seconds)

    def has_ended(self) -> bool:
        """Whether its life is over."""
        return self.death.done()

    async def close(self) -> None:
        """End launcher and server."""
        await self._http.aclose()
        if self._launcher:
            self.death.cancel()
            os.killpg(self._launcher.pid, signal.SIGKILL)  # both are in its group
            await self._launcher.wait()

    async def desk(self, *words: str) -> Any:
        """What a local verb of `desk` prints of this shop, as JSON."""
        desk = str(Path(sys.executable).parent / "desk")
        called = await asyncio.create_subprocess_exec(
            desk, *words, env=self.env, cwd=self.folder, stdout=PIPE, stderr=DEVNULL
        )
        return json.loads((await called.communicate())[0])

    async def _answers_or_dead(self) -> bool:
        if self.death.done():
            return True
        try:
            return (await self._http.get("/ops/health")).is_success
        except httpx.TransportError:
            return False

    async def _told(self) -> int:
        assert self._launcher
        assert self._launcher.stdout
        line = await self._launcher.stdout.readline()
        if not line:
            raise RuntimeError(f"the launcher ended:\n{self.log_end()}")
        return int(line)


class World:
    """Cards and parcels as a process of its own, with an account of its own, whose wire can be made unreliable."""

    def __init__(self, folder: Path, *, seed: int) -> None:
        folder.mkdir(parents=True)
        port = free_port()
        self.url = f"http://127.0.0.1:{port}"
        self.file = folder / "world.db"
        self._log = folder / "world.log"
        self._command = [
            sys.executable, "-m", "tests.support.faulty_network", "--port", str(port), "--data", str(self.file),
            "--seed", str(seed), "--slow-seconds", "2.5", "--hand-over-seconds", "1.5",
        ]  # fmt: skip
        self._process: Process | None = None
        self._injected_before = Counter[str]()
        self._http = httpx.AsyncClient(base_url=self.url, trust_env=False, timeout=10)

    async def start(self, webhook_url: str) -> None:
        """Start it, if it is down, and wait until it answers."""
        if self._process is None:
            command = [*self._command, "--webhook-url", webhook_url, "--webhook-secret", SECRET]
            self._process = Process(command, self._log, ROOT, os.environ)
            await until(self._answers, "the world outside does not answer", START_LIMIT)

    async def misbehave(self, faults: dict[str, Any]) -> None:
        """From now on these faults, and no other."""
        (await self._http.put("/faults", json=faults)).raise_for_status()

    async def injected(self) -> Counter[str]:
        """How often each fault was met, in all of its lives."""
        now = (await self._http.get("/faults")).raise_for_status().json() if self._process else {"injected": {}}
        return self._injected_before + Counter(now["injected"])

    async def kill(self) -> None:
        """End it as a power cut would."""
        if self._process:
            self._injected_before = await self.injected()
            self._process.end(signal.SIGKILL)
            self._process = None

    async def account(self) -> dict[str, list[dict[str, Any]]]:
        """Everything that it did, by its own account: charges, refunds, credits, shipments."""
        cards = (await self._http.get("/charges")).raise_for_status().json()
        parcels = (await self._http.get("/shipments")).raise_for_status().json()
        return dict(cards | parcels)

    async def close(self) -> None:
        """End it for good."""
        if self._process:
            self._process.end(signal.SIGKILL)
        await self._http.aclose()

    async def _answers(self) -> bool:
        try:
            return (await self._http.get("/faults")).is_success
        except httpx.TransportError:
            return False


class Server(Protocol):
    """What the drill knows of who serves: one server, or several that are one desk."""

    tokens: dict[str, str]

    @property
    def urls(self) -> Sequence[str]:
        """Where it is called."""

    async def launch(self) -> None:
        """Make ready; it need not live yet."""

    async def begin(self, boundary: Boundary | None) -> None:
        """Begin a life, and wait until it answers or is dead already."""

    async def dies_within(self, seconds: float) -> None:
        """Wait until its life is over, and no longer."""

    async def kill_now(self) -> bool:
        """End the life, if it is not over yet; whether this ended it."""

    def has_ended(self) -> bool:
        """Whether its life is over."""

    def log_end(self, lines: int = 40) -> str:
        """The last lines that it printed."""

    async def desk(self, *words: str) -> Any:
        """What a local verb of `desk` prints of this shop, as JSON."""

    async def close(self) -> None:
        """End it for good."""


class Site:
    """Who serves, the world outside, and the ledger; `data` is a folder of the drill's own."""

    def __init__(self, server: Server, world: World, *, ledger_url: str, ledger: LedgerReader, data: Path) -> None:
        self.server = server
        self.providers = world
        self.ledger = ledger
        self.shop = chaos_shop(utc_now())
        self.opening_stock: dict[str, int] = {}
        self._url = ledger_url
        self._data = data
        self._hears = cycle(server.urls)

    @classmethod
    def of_one_server(cls, folder: Path, *, seed: int, postgres_url: str | None = None) -> Self:
        """With the ledger in an empty database of a PostgreSQL server, or in a file."""
        data = folder / "server" / "data"
        world = World(folder / "world", seed=seed)
        setting = {"DATABASE_URL": postgres_url} if postgres_url else {}
        server = MortalServer(folder / "server", world.url, **setting)
        file = data / "ledger.db"
        return cls(
            server, world, data=data, ledger_url=postgres_url or f"sqlite:///{file}",
            ledger=PostgresLedger(postgres_url) if postgres_url else Ledger(file),
        )  # fmt: skip

    async def open(self) -> None:
        """Start the world and the launcher, and put the shop into the ledger."""
        await asyncio.gather(self.start_world(), self.server.launch())
        self._data.mkdir(parents=True, exist_ok=True)
        await asyncio.to_thread(upgrade, self._url)
        database = Database(self._url, utc_now)
        async with sandbox_client(self.providers.url, self._data, 30, 0) as client:
            await import_shop(database, SandboxProvider(client, timeout=30), self.shop, pay_again=True)
        await database.close()
        self.opening_stock = self.ledger.pieces()

    async def start_world(self) -> None:
        """Start the world, if it is down; each of its lives tells its news to the next of the servers."""
        await self.providers.start(f"{next(self._hears)}/webhooks/sandbox")

    async def broken_promises(self) -> list[Violation]:
        """What breaks a promise of the ledger now."""
        database = Database(self._url, utc_now)
        try:
            with database.reading() as session:
                return [violation for check in CHECKS for violation in violations(session, check)]
        finally:
            await database.close()

    async def close(self) -> None:
        """End every process."""
        await self.server.close()
        await self.providers.close()
