"""The ledger's transactions: `read`, `read_stale`, `write`, and `once`, through which every effect goes.

Each is a plain function over a `Session`, run whole in one hop to a thread: no statement of it touches the event loop.
How the database is reached is in `engines`, its tables' history in `schema`, what its errors mean in `database_errors`.
"""

import asyncio
import contextvars
import hashlib
import json
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final, TypeVar, Unpack

from sqlalchemy import bindparam, select, text
from sqlalchemy.orm import Session

from agent.ledger import schema
from agent.ledger.database_errors import DatabaseConflictError, DatabaseUnavailableError, explained
from agent.ledger.engines import DEFAULT_LIMITS, Limits, is_embedded, pooled_engine
from agent.ledger.replica import Replica
from agent.ledger.statements import add, table_of
from agent.ledger.tables import EffectRow
from agent.observability.events import EventName, Fields, emit
from agent.resilience import CircuitOpenError

T = TypeVar("T")
Clock = Callable[[], datetime]
Json = dict[str, Any]
Act = Callable[[Session], Json]


def utc_now() -> datetime:
    """The ledger's clock."""
    return datetime.now(UTC)


_EFFECTS: Final = table_of(EffectRow)
_KNOWN: Final = select(_EFFECTS.c.fingerprint, _EFFECTS.c.answer).where(_EFFECTS.c.key == bindparam("of_key"))


_TURN: Final = text("SELECT pg_advisory_xact_lock(hashtextextended(:of_key, 0))")


class KeyReusedError(ValueError):
    """The same idempotency key was sent again with other arguments."""

    def __init__(self, key: str) -> None:
        super().__init__(f"idempotency key {key!r} was used before with other arguments: send a new key")
        self.key = key


class PolicyDenied(Exception):  # noqa: N818  (a word of the domain: a command is denied, by rule)
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


def emit_once_committed(session: Session, event: EventName, **fields: Unpack[Fields]) -> None:
    """Record that something happened, when the session's transaction has been committed; else it did not happen."""
    session.info.setdefault("events", []).append((event, fields))


def take_turn(session: Session, key: str) -> None:
    """Let those who come with one key come one after the other, until each has committed; the next sees what the one
    before wrote. On SQLite all writers do."""
    if session.get_bind().dialect.name == "postgresql":
        session.execute(_TURN, {"of_key": key})


class Database:
    """The ledger's database. Reads and writes have transactions of their own; writers on SQLite queue up in one
    thread.

    Whatever uses it raises `DatabaseUnavailableError` or `DatabaseConflictError` within the limits; both are transient.
    A transaction that has begun goes on to its end when whoever waits for it is cancelled: it happens as a whole.

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
        self._limits = limits
        self._replica = replica
        self._engine = pooled_engine(url, limits)
        reading, writing = (
            ({}, {"begin": "IMMEDIATE"})
            if self._embedded
            else ({"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}, {})
        )
        self._reads = self._engine.execution_options(**reading)
        self._writes = self._engine.execution_options(**writing)
        # a thread a connection: who finds none free waits in the order of coming, on SQLite for the one that writes
        self._readers = ThreadPoolExecutor(limits.connections, "ledger")
        self._writers = ThreadPoolExecutor(1, "ledger-writer") if self._embedded else self._readers

    async def open(self) -> None:
        """Make sure of the schema: the embedded ledger's is brought up to date, another database's is checked.

        Raises `SchemaError`, which says what to do.
        """
        await asyncio.to_thread(schema.upgrade if self._embedded else schema.check, self._url)

    async def close(self) -> None:
        """Give every connection back, when what has begun is done."""
        await asyncio.to_thread(self.close_blocking)
        if self._replica:
            await self._replica.close()

    async def read(self, question: Callable[[Session], T]) -> T:
        """The answer from one consistent view; nothing is written."""
        return await self._in_thread(self._readers, self._read, question)

    async def write(self, act: Callable[[Session], T]) -> T:
        """One transaction: commits when `act` returns, rolls back on an error."""
        return await self._in_thread(self._writers, self._write, act)

    async def once(self, effect: Effect, act: Act, *, remember_denial: bool = True) -> Json:
        """Make an effect happen once: the same key again gives the first answer, a denial included.

        `act` writes through the session that it is given and returns a JSON answer. With `remember_denial` off, a
        denied effect leaves no trace and may be asked for again.

        Raises `PolicyDenied` when a rule forbids it (nothing is changed), `KeyReusedError` when the key came with
        other arguments.
        """
        answer = await self._in_thread(self._writers, self._once, effect, act, remember_denial)
        if denial := answer.get("denied"):
            raise PolicyDenied(denial["rule"], denial["sentence"])
        return answer

    async def read_stale(self, question: Callable[[Session], T]) -> T:
        """Answer from the replica, from a moment ago; from the ledger itself when there is no replica or it fails.

        Never for a read that a write depends on, nor where somebody looks for what they have just done. The
        question may be asked twice.
        """
        if self._replica:
            try:
                return await self._replica.ask(question)
            except (DatabaseUnavailableError, DatabaseConflictError, CircuitOpenError) as error:
                emit("replica.skipped", error=type(error).__name__)
        return await self.read(question)

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """`read`, for who is in a thread of their own: it blocks."""
        with explained(), Session(self._reads, expire_on_commit=False) as session:
            yield session

    @contextmanager
    def writing(self) -> Iterator[Session]:
        """`write`, for who is in a thread of their own: it blocks."""
        with explained(), Session(self._writes, expire_on_commit=False) as session:
            with session.begin():
                yield session
            for event, fields in session.info.get("events", ()):
                emit(event, **fields)

    def close_blocking(self) -> None:
        """`close` without the replica, for who is in a thread of their own."""
        self._writers.shutdown()
        self._readers.shutdown()
        self._engine.dispose()

    async def _in_thread(self, threads: ThreadPoolExecutor, act: Callable[..., T], *args: Any) -> T:
        """Run a transaction in one of the threads. Raises `DatabaseUnavailableError` when none takes it in time."""
        job: Future[T] = threads.submit(contextvars.copy_context().run, act, *args)
        waiting = asyncio.wrap_future(job)
        try:
            await asyncio.wait((waiting,), timeout=self._limits.free)
            if not waiting.done() and job.cancel():
                raise DatabaseUnavailableError("all of this process's connections are in use")
            return await asyncio.shield(waiting)
        except asyncio.CancelledError:
            waiting.add_done_callback(lambda done: done.cancelled() or done.exception())  # nobody else will ask for it
            job.cancel()
            raise

    def _read(self, question: Callable[[Session], T]) -> T:
        with self.reading() as session:
            return question(session)

    def _write(self, act: Callable[[Session], T]) -> T:
        with self.writing() as session:
            return act(session)

    def _once(self, effect: Effect, act: Act, remember_denial: bool) -> Json:
        try:
            with self.writing() as session:
                return self._answer(session, effect, act)
        except PolicyDenied as error:
            if not remember_denial:
                raise
            denial = {"denied": {"rule": error.rule, "sentence": error.sentence}}
            with self.writing() as session:
                return self._answer(session, effect, lambda _: denial)

    def _answer(self, session: Session, effect: Effect, act: Act) -> Json:
        """The answer that is kept under the effect's key; the first one is made by `act`."""
        take_turn(session, effect.key)
        known = session.connection().execute(_KNOWN, {"of_key": effect.key}).one_or_none()
        if known:
            if known.fingerprint != effect.fingerprint:
                raise KeyReusedError(effect.key)
            answer: Json = known.answer
            return answer
        answer = act(session)
        session.flush()
        kept = {"answer": answer, "at": self.clock(), "fingerprint": effect.fingerprint}
        who = {"key": effect.key, "name": effect.name, "actor": effect.actor, "subject": effect.subject}
        add(session, EffectRow, who | kept)
        return answer
