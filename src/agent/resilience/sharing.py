"""How the breakers and retry budgets of one worker keep in step with a store: one background task, and a deadline on
every question.

A call waits for the store in one place only, to get a probe's lease; all else is told and read in the background.
While the store is away each worker goes by what it sees itself. What is told, and what follows from an answer, is in
`shared_circuit`, and in `policies` for budgets.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Final, ParamSpec, Protocol, TypeVar

from agent.resilience.policies import RetryBudget
from agent.resilience.stores import SharedView, StateStore, StoreUnavailableError

P = ParamSpec("P")
T = TypeVar("T")

_logger = logging.getLogger(__name__)

DEADLINE: Final = 0.04
"""Seconds for one question: with the event loop's own delay, a probe is held up by less than 50 ms."""
REFRESH: Final = 0.25
"""Seconds between two looks at the store: a worker knows of a move elsewhere well within one second."""
_LONGEST_PAUSE: Final = 5.0  # seconds between two looks for a store that is away


@dataclass(frozen=True, slots=True)
class StoreMoved:
    """The store went away, with the type of the error that showed it, or came back (None)."""

    error: str | None


class StoreListener(Protocol):
    """Is told when the store goes away or comes back. Must be quick: it runs within a call."""

    def __call__(self, moved: StoreMoved, /) -> None:
        """Take note."""


class Member(Protocol):
    """A breaker that takes part."""

    name: str

    async def report(self) -> None:
        """Tell the store what it has not heard yet. Raises `StoreUnavailableError`."""

    def adopt(self, view: SharedView) -> None:
        """Follow what the store knows."""

    def leave(self) -> None:
        """Have nothing that others wait for: this worker stops."""


class Sharing:
    """The link between this worker's breakers and a store. Works in the background from the first call on.

    Args:
        store: where workers meet.
        budgets: of retries, which the workers share.
        listeners: told when the store goes away or comes back.
        deadline: seconds for each question to the store.
        refresh: seconds between two looks at it.
    """

    def __init__(
        self,
        store: StateStore,
        budgets: Sequence[RetryBudget] = (),
        *,
        listeners: Sequence[StoreListener] = (),
        deadline: float = DEADLINE,
        refresh: float = REFRESH,
    ) -> None:
        self.store = store
        self.reachable = True
        self._listeners = tuple(listeners)
        self._deadline = deadline
        self._refresh = refresh
        self._members: list[Member] = []
        self._budgets = tuple(budgets)
        self._exchanging = asyncio.Lock()
        self._news = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._closed = False

    def join(self, member: Member) -> None:
        """Keep a breaker in step from now on."""
        if member not in self._members:
            self._members.append(member)
            self.wake()
        if not self._closed and (self._task is None or self._task.done()):
            self._task = asyncio.get_running_loop().create_task(self._keep_in_step())
            self._task.add_done_callback(_say_why_it_ended)

    def wake(self) -> None:
        """A member has something to report."""
        self._news.set()

    async def ask(self, question: Callable[P, Awaitable[T]], *args: P.args, **kwargs: P.kwargs) -> T:
        """The store's answer, in time.

        Raises:
            StoreUnavailableError: there was none.
        """
        if self._closed:
            raise StoreUnavailableError
        try:
            async with asyncio.timeout(self._deadline):
                answer = await question(*args, **kwargs)
        except StoreUnavailableError as error:
            self._set_reachable(False, type(error.__cause__).__name__)
            raise
        except TimeoutError as error:
            self._set_reachable(False, type(error).__name__)
            raise StoreUnavailableError from error
        self._set_reachable(True)
        return answer

    async def exchange(self) -> None:
        """Tell the store our news, and hear its, now: who looks at a breaker need not wait for the next time.

        Raises:
            StoreUnavailableError: it did not answer.
        """
        async with self._exchanging:
            members = tuple(self._members)
            for member in members:
                await member.report()
            views = await self.ask(self.store.read, [member.name for member in members])
            for member, view in zip(members, views, strict=True):
                member.adopt(view)
            for budget in self._budgets:
                await budget.agree(self._spend)

    async def leave(self) -> None:
        """Give back what others would wait for: this worker stops. In vain while the store is away."""
        for member in self._members:
            member.leave()
        if self.reachable:
            with suppress(StoreUnavailableError):
                await self.exchange()

    async def close(self) -> None:
        """Leave, and end the background task and the store's connections; the breakers go on, each worker by itself."""
        await self.leave()
        self._closed = True
        self.reachable = False
        if self._task:
            self._task.cancel()
            await asyncio.wait([self._task])
        await self.store.close()

    async def _keep_in_step(self) -> None:
        pause = self._refresh
        while True:
            self._news.clear()
            try:
                await self.exchange()
                pause = self._refresh
            except StoreUnavailableError:
                pause = min(2 * pause, _LONGEST_PAUSE)
            with suppress(TimeoutError):
                async with asyncio.timeout(pause):  # not wait_for: on 3.11 it can lose a cancellation
                    await self._news.wait()

    async def _spend(self, dependency: str, spent: int, most: int, seconds: float) -> float:
        return await self.ask(self.store.spend, dependency, spent, most, seconds)

    def _set_reachable(self, reachable: bool, error: str | None = None) -> None:
        if self.reachable == reachable:
            return
        self.reachable = reachable
        self.wake()
        for listener in self._listeners:
            try:
                listener(StoreMoved(error))
            except Exception:  # as in `circuit`: telling of it must not break a call
                _logger.exception("a listener of the store of breaker states failed")


def _say_why_it_ended(task: asyncio.Task[None]) -> None:
    if not task.cancelled():
        _logger.error("this worker no longer hears of breakers elsewhere", exc_info=task.exception())
