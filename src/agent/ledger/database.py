"""The connection to the ledger: engines, transactions, and `once`, through which every effect goes."""

import hashlib
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import event
from sqlalchemy.engine import make_url
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, async_sessionmaker, create_async_engine

from agent.ledger.tables import Base, EffectRow

Clock = Callable[[], datetime]
Json = dict[str, Any]
Act = Callable[[AsyncSession], Awaitable[Json]]


def utc_now() -> datetime:
    """The ledger's clock."""
    return datetime.now(UTC)


class KeyReusedError(ValueError):
    """The same idempotency key was sent again with other arguments."""

    def __init__(self, key: str) -> None:
        super().__init__(f"idempotency key {key!r} was used before with other arguments: send a new key")
        self.key = key


class Denied(Exception):  # noqa: N818  (a word of the domain: a command is denied, by rule)
    """A rule forbids what was asked. Carries the rule's id and a sentence fit for a customer."""

    def __init__(self, rule: str, sentence: str) -> None:
        super().__init__(f"{rule}: {sentence}")
        self.rule = rule
        self.sentence = sentence


@dataclass(frozen=True)
class Effect:
    """What is asked for: `key` from stable ids, by `actor`, in the name of `subject` (a customer id)."""

    key: str
    name: str
    actor: str
    subject: str
    arguments: dict[str, Any] = field(default_factory=dict)

    @property
    def fingerprint(self) -> str:
        """Hash of what must be the same when the key is sent again."""
        return digest([self.name, self.subject, self.arguments])


def digest(value: Any) -> str:
    """SHA-256 over canonical JSON."""
    return hashlib.sha256(json.dumps(value, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


class Database:
    """The ledger's database. Reads and writes have transactions of their own; writers on SQLite queue up."""

    def __init__(self, url: str, clock: Clock = utc_now) -> None:
        self.clock = clock
        self._engine = create_async_engine(url)
        self._reads = async_sessionmaker(self._engine, expire_on_commit=False)
        self._writes = self._reads
        if make_url(url).get_backend_name() == "sqlite":
            _prepare_sqlite(self._engine)
            writer = self._engine.execution_options(begin="IMMEDIATE")
            self._writes = async_sessionmaker(writer, expire_on_commit=False)

    async def create(self) -> None:
        """Create the tables that are missing."""
        async with self._engine.begin() as connection:
            await connection.run_sync(Base.metadata.create_all)

    async def close(self) -> None:
        """Give every connection back."""
        await self._engine.dispose()

    @asynccontextmanager
    async def read(self) -> AsyncIterator[AsyncSession]:
        """One consistent view; nothing is written."""
        async with self._reads() as session:
            yield session

    @asynccontextmanager
    async def write(self) -> AsyncIterator[AsyncSession]:
        """One transaction: commits at the end, rolls back on an error."""
        async with self._writes() as session, session.begin():
            yield session

    async def once(self, effect: Effect, act: Act, *, remember_denial: bool = True) -> Json:
        """Make an effect happen once: the same key again gives the first answer, a denial included.

        `act` writes through the session that it is given and returns a JSON answer. With `remember_denial` off, a
        denied effect leaves no trace and may be asked for again.

        Raises `Denied` when a rule forbids it (nothing is changed), `KeyReusedError` when the key came with
        other arguments.
        """
        try:
            answer = await self._attempt(effect, act, remember_denial)
        except IntegrityError:
            async with self.read() as session:  # another worker was first with this key
                if await session.get(EffectRow, effect.key) is None:
                    raise
            answer = await self._attempt(effect, act, remember_denial)
        if denial := answer.get("denied"):
            raise Denied(denial["rule"], denial["sentence"])
        return answer

    async def _attempt(self, effect: Effect, act: Act, remember_denial: bool) -> Json:
        async with self.write() as session:
            if known := await session.get(EffectRow, effect.key):
                if known.fingerprint != effect.fingerprint:
                    raise KeyReusedError(effect.key)
                return known.answer
            try:
                async with session.begin_nested():
                    answer = await act(session)
            except Denied as denied:
                if not remember_denial:
                    raise
                answer = {"denied": {"rule": denied.rule, "sentence": denied.sentence}}
            session.add(
                EffectRow(
                    key=effect.key,
                    name=effect.name,
                    actor=effect.actor,
                    subject=effect.subject,
                    fingerprint=effect.fingerprint,
                    answer=answer,
                    at=self.clock(),
                )
            )
        return answer


def _prepare_sqlite(engine: AsyncEngine) -> None:
    """WAL, foreign keys, and transactions that we begin: a writer takes its lock at once and never has to upgrade."""

    @event.listens_for(engine.sync_engine, "connect")
    def on_connect(connection: Any, _: Any) -> None:
        connection.isolation_level = None
        cursor = connection.cursor()
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "busy_timeout=15000"):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    @event.listens_for(engine.sync_engine, "begin")
    def on_begin(connection: Any) -> None:
        mode = connection.get_execution_options().get("begin", "DEFERRED")
        connection.exec_driver_sql(f"BEGIN {mode}")
