"""Group commit: what many ask for at the same time is done in one transaction, each with its own answer."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Final, Generic, TypeVar

from sqlalchemy.orm import Session

from agent.ledger.database import Database

Asking = TypeVar("Asking")
Answer = TypeVar("Answer")

MAX_GROUP: Final = 500
"""How much is done in one transaction: others wait for its locks."""


class Group(Generic[Asking, Answer]):
    """Does what its callers ask, together: who comes while a transaction is at work goes into the next.

    Args:
        database: the ledger.
        act: answers all that was asked, in order; an exception among the answers is for that caller alone, one that
            is raised is for all of them, and nothing has happened then.
    """

    def __init__(
        self, database: Database, act: Callable[[Session, Sequence[Asking]], Sequence[Answer | Exception]]
    ) -> None:
        self._db = database
        self._act = act
        self._waiting: list[tuple[Asking, asyncio.Future[Answer]]] = []
        self._at_work: asyncio.Task[None] | None = None

    async def ask(self, asked: Asking) -> Answer:
        """The answer, once its transaction is committed. Raises what `act` and `Database.write` raise."""
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[Answer] = loop.create_future()
        self._waiting.append((asked, answer))
        if self._at_work is None or self._at_work.done():
            self._at_work = loop.create_task(self._work())
        return await answer

    async def _work(self) -> None:
        while self._waiting:
            group, self._waiting = self._waiting[:MAX_GROUP], self._waiting[MAX_GROUP:]
            try:
                answers: Sequence[Answer | Exception] = await self._db.write(
                    lambda session, group=group: self._act(session, [asked for asked, _ in group])  # type: ignore[misc]
                )
            except Exception as error:  # noqa: BLE001  (it is raised, to each of them)
                answers = [error] * len(group)
            for (_, answer), given in zip(group, answers, strict=True):
                if answer.done():  # its caller is gone
                    continue
                if isinstance(given, Exception):
                    answer.set_exception(given)
                else:
                    answer.set_result(given)
