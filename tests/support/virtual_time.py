"""An event loop whose time is not the world's: when all tasks wait, it is at once as late as the first wants it.

Nothing real may be waited for on it: neither a socket nor a thread.
"""

import asyncio
import functools
import selectors
from collections.abc import Callable, Coroutine
from typing import Any, ParamSpec

P = ParamSpec("P")


class _Impatient(selectors.DefaultSelector):
    """Does not wait, and adds up how long it would have."""

    passed = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        self.passed += timeout or 0.0
        return super().select(timeout and 0.0)


class VirtualTime(asyncio.SelectorEventLoop):
    """Sleeps and deadlines take no time, and end in the right order."""

    def __init__(self) -> None:
        self._waits = _Impatient()
        super().__init__(self._waits)

    def time(self) -> float:
        return 1000.0 + self._waits.passed


def in_virtual_time(test: Callable[P, Coroutine[Any, Any, None]]) -> Callable[P, None]:
    """Run a test on such a loop."""

    @functools.wraps(test)
    def run(*args: P.args, **kwargs: P.kwargs) -> None:
        with asyncio.Runner(loop_factory=VirtualTime) as runner:
            runner.run(test(*args, **kwargs))

    return run


def now() -> float:
    return asyncio.get_running_loop().time()
