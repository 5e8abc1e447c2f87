"""A worker that is to stop: its runs end the step that they are in, and hold still until the engine takes them back.

LangGraph's `RunControl` ends a run after its step, and no engine asks for it. A run that is held has its checkpoint,
and begins nothing; when the engine stops it cancels what is held, which is queued again and goes on from there.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing, asynccontextmanager
from typing import Any, Final

from langgraph.errors import GraphDrained
from langgraph.runtime import RunControl


class Drain:
    """Of one process. `begun`: no step begins any more."""

    def __init__(self) -> None:
        self.begun = False
        self._moving: set[RunControl] = set()
        self._answers: set[asyncio.Timeout] = set()

    @property
    def moving(self) -> int:
        """How many runs are within a step."""
        return len(self._moving)

    def begin(self) -> None:
        """Have every run end after its step."""
        self.begun = True
        for control in tuple(self._moving):
            control.request_drain("the worker stops")

    async def until_still(self, seconds: float) -> bool:
        """Wait until no run is within a step, so long at most; whether that is so."""
        end = time.monotonic() + seconds
        while self._moving and time.monotonic() < end:  # noqa: ASYNC110  (runs may be on other threads' loops)
            await asyncio.sleep(0.05)
        return not self._moving

    async def parts(self, start: Callable[[RunControl], AsyncIterator[Any]]) -> AsyncIterator[Any]:
        """A run's stream, which `start` gives; of one that the drain ends, it never ends."""
        self._moving.add(control := RunControl())
        try:
            if not self.begun:  # looked at once it is among those that `begin`, on another thread, speaks to
                async with aclosing(start(control)) as parts:  # type: ignore[type-var]
                    async for part in parts:
                        yield part
                return
        except GraphDrained:
            pass
        finally:
            self._moving.discard(control)
        await asyncio.Event().wait()  # until the engine cancels it

    @asynccontextmanager
    async def answering(self) -> AsyncIterator[None]:
        """While a request is answered; `hang_up` ends that."""
        async with asyncio.timeout(None) as limit:
            self._answers.add(limit)
            try:
                yield
            finally:
                self._answers.discard(limit)

    def hang_up(self) -> None:
        """Break off all answers: a server waits for them before it ends, and one may wait for a run that is held."""
        for limit in tuple(self._answers):
            limit.reschedule(0)


DRAIN: Final = Drain()
"""This process's."""
