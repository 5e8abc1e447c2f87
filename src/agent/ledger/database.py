"""The ledger's transactions: `read`, `read_stale`, `write`, and `once`, through which every effect goes.

How the database is reached is in `engines`, its tables' history in `schema`, what its errors mean in `failures`.
"""

import asyncio
import hashlib
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, TypeVar

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from agent.ledger import schema
from agent.ledger.engines import DEFAULT_LIMITS, Limits, async_engine, is_embedded
from agent.ledger.failures import DatabaseAwayError, DatabaseConflictError, explained
from agent.ledger.replica import Replica
from agent.ledger.tables import EffectRow
from agent.observability.events import emit
from agent.resilience import CircuitOpenError

T = TypeVar("T")
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
    """The ledger's database. Reads and writes have transactions of their own; writers on SQLite queue up.

    Whatever uses it raises `DatabaseAwayError` or `DatabaseConflictError` within the limits; both are transient.

    Args:
        url: SQLAlchemy URL, of SQLite or PostgreSQL.
        clock: gives the time that rows carry, time zone aware.
        limits: connections and waiting.
        replica: serves `read_stale`, when it can.
    """

    def __init__(
        self, url: str, clock: Clock = utc_now, limits: Limits = DEFAULT_LIMITS, replica: Replica | None = None
    ) -> None:
        self.clock = clock
        self._url = url
        self._embedded = is_embedded(url)
        self._replica = replica
        self._engine = async_engine(url, limits)
        reading, writing = (
            ({}, {"begin": "IMMEDIATE"})
            if self._embedded
            else ({"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}, {})
        )
        self._reads = async_sessionmaker(self._engine.execution_options(**reading), expire_on_commit=False)
        self._writes = async_sessionmaker(self._engine.execution_options(**writing), expire_on_commit=False)

    async def create(self) -> None:
        """Bring the schema up to date, tables and all. Raises `SchemaError` for one that is newer than the program."""
        await asyncio.to_thread(schema.upgrade, self._url)

    async def open(self) -> None:
        """Make sure of the schema: the embedded ledger's is brought up to date, another database's is checked.

        Raises `SchemaError`, which says what to do.
        """
        await asyncio.to_thread(schema.upgrade if self._embedded else schema.check, self._url)

    async def close(self) -> None:
        """Give every connection back."""
        await self._engine.dispose()
        if self._replica:
            await self._replica.close()

    @asynccontextmanager
    async def read(self) -> AsyncIterator[AsyncSession]:
        """One consistent view; nothing is written."""
        with explained():
            async with self._reads() as session:
                yield session

    async def read_stale(self, question: Callable[[AsyncSession], Awaitable[T]]) -> T:
        """Answer from the replica, from a moment ago; from the ledger itself when there is no replica or it fails.

        Never for a read that a write depends on, nor where somebody looks for what they have just done. The
        question may be asked twice.
        """
        if self._replica:
            try:
                return await self._replica.ask(question)
            except (DatabaseAwayError, DatabaseConflictError, CircuitOpenError) as error:
                emit("replica.skipped", error=type(error).__name__)
        async with self.read() as session:
            return await question(session)

    @asynccontextmanager
    async def write(self) -> AsyncIterator[AsyncSession]:
        """One transaction: commits at the end, rolls back on an error."""
        with explained():
            async with self._writes() as session, session.begin():
                yield session

    async def once(self, effect: Effect, act: Act, *, remember_denial: bool = True) -> Json:
        """Make an effect happen once: the same key again gives the first answer, a denial included.

        `act` writes through the session that it is given and returns a JSON answer. With `remember_denial` off, a
        denied effect leaves no trace and may be asked for again.

        Raises `Denied` when a rule forbids it (nothing is changed), `KeyReusedError` when the key came with
        other arguments.
        """
        async with self.write() as session:
            await self._take_turn(session, effect.key)
            answer = await self._answer(session, effect, act, remember_denial)
        if denial := answer.get("denied"):
            raise Denied(denial["rule"], denial["sentence"])
        return answer

    async def _take_turn(self, session: AsyncSession, key: str) -> None:
        """Those who come with one key at the same time wait for the first. On SQLite all writers do anyway."""
        if not self._embedded:
            await session.execute(text("SELECT pg_advisory_xact_lock(hashtextextended(:key, 0))"), {"key": key})

    async def _answer(self, session: AsyncSession, effect: Effect, act: Act, remember_denial: bool) -> Json:
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
