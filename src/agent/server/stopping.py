"""From SIGTERM, or Ctrl-C, to the end of the process: no new run, the steps in hand, the engine's own end, or a kill.

The port listens meanwhile: whoever asks for a run is told to come again (`edge`), and `/ops/ready` says `draining`.
"""

import asyncio
import signal
import threading
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from types import FrameType
from typing import Final

from agent.drain import DRAIN
from agent.observability.events import emit
from agent.services import leave

CLOSING_SECONDS: Final = 8.0
"""Of the time to stop, what is left to the engine: it waits 5 s for runs that it cancels, writes threads, and sends
traces (1 s)."""

ANSWERS_SECONDS: Final = 1.0
"""Of these, what answers have to end by themselves once the port listens no more."""

SAME_SECONDS: Final = 2.0
"""So long after the first signal another is the same one: Ctrl-C and a group's SIGTERM come from the reloader of
`langgraph dev` once more."""

_SIGNALS: Final = (signal.SIGTERM, signal.SIGINT)


@asynccontextmanager
async def stopping_in_order(seconds: float) -> AsyncIterator[None]:
    """Drain this process before its server stops it, in so many seconds, its own end included.

    A second signal that comes after `SAME_SECONDS`, and the end of that time, end it at once. A server that is stopped
    otherwise drains at the end.
    """
    loop, drains = asyncio.get_running_loop(), list[asyncio.Task[None]]()
    told: float | None = None

    def begin() -> asyncio.Task[None]:
        if not drains:
            drains.append(loop.create_task(_drain(seconds - CLOSING_SECONDS), name="drain"))
        return drains[0]

    def hear(number: int, frame: FrameType | None) -> None:
        nonlocal told
        if told is not None:
            if time.monotonic() - told > SAME_SECONDS:
                signal.signal(number, signal.SIG_DFL)
                signal.raise_signal(number)
            return
        told = time.monotonic()
        signal.setitimer(signal.ITIMER_REAL, seconds)  # SIGALRM, which nobody handles, ends the process

        def drained(_: asyncio.Task[None]) -> None:
            loop.call_later(ANSWERS_SECONDS, DRAIN.hang_up)
            if callable(server := before[signal.Signals(number)]):
                server(number, frame)

        loop.call_soon_threadsafe(lambda: begin().add_done_callback(drained))

    hears = threading.current_thread() is threading.main_thread()
    before = {number: signal.signal(number, hear) for number in _SIGNALS} if hears else {}
    try:
        yield
    finally:
        await begin()
        if told is None:
            for number, handler in before.items():
                signal.signal(number, handler)


async def _drain(seconds: float) -> None:
    """Have runs end after their step, and wait for that. Of what is cut then, another worker probes at once."""
    DRAIN.begin()
    emit("worker.draining", number=DRAIN.moving)
    await DRAIN.until_still(seconds)
    await leave()
    emit("worker.drained", number=DRAIN.moving)
