"""A streaming replica of the ledger, for reads that may be stale. When it fails it is left alone for a while.

Who reads from it, and from where instead, is decided in `database`.
"""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import TypeVar

from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from agent.ledger.engines import Limits, async_engine
from agent.ledger.failures import explained
from agent.resilience import CircuitBreaker

T = TypeVar("T")


class Replica:
    """The replica at `url`, behind a breaker. An answer may take it no longer than a connection."""

    def __init__(self, url: str, limits: Limits, breaker: CircuitBreaker) -> None:
        self._breaker = breaker
        self._engine = async_engine(url, replace(limits, free=limits.connect, statement=limits.connect))
        reader = self._engine.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
        self._sessions = async_sessionmaker(reader, expire_on_commit=False)

    async def ask(self, question: Callable[[AsyncSession], Awaitable[T]]) -> T:
        """The question's answer from one consistent view.

        Raises `DatabaseAwayError` or `DatabaseConflictError` (with recovery) in time, `CircuitOpenError` at once.
        """
        return await self._breaker.call(self._answer, question)

    async def close(self) -> None:
        """Give every connection back."""
        await self._engine.dispose()

    async def _answer(self, question: Callable[[AsyncSession], Awaitable[T]]) -> T:
        with explained():
            async with self._sessions() as session:
                return await question(session)
