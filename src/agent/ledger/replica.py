"""A streaming replica of the ledger, for reads that may be stale. When it fails it is left alone for a while.

Who reads from it, and from where instead, is decided in `database`.
"""

import asyncio
import contextvars
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import TypeVar

from sqlalchemy.orm import Session

from agent.ledger.database_errors import explained
from agent.ledger.engines import Limits, pooled_engine
from agent.resilience import CircuitBreaker

T = TypeVar("T")


class Replica:
    """The replica at `url`, behind a breaker. An answer may take it no longer than a connection."""

    def __init__(self, url: str, limits: Limits, breaker: CircuitBreaker) -> None:
        self._breaker = breaker
        self._engine = pooled_engine(url, replace(limits, free=limits.connect, statement=limits.connect))
        self._reader = self._engine.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
        self._threads = ThreadPoolExecutor(limits.connections, "ledger-replica")

    async def ask(self, question: Callable[[Session], T]) -> T:
        """The question's answer from one consistent view.

        Raises `DatabaseUnavailableError` or `DatabaseConflictError` (with recovery) in time, `CircuitOpenError` at
        once.
        """
        return await self._breaker.call(self._answer, question)

    async def close(self) -> None:
        """Give every connection back."""
        await asyncio.to_thread(self._threads.shutdown)
        self._engine.dispose()

    async def _answer(self, question: Callable[[Session], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(
            self._threads, contextvars.copy_context().run, self._query, question
        )

    def _query(self, question: Callable[[Session], T]) -> T:
        with explained(), Session(self._reader, expire_on_commit=False) as session:
            return question(session)
