"""Chains of fallbacks as data: who is asked first, who when that fails, and so on to whoever can always answer.

Which failures lead on is said by the chain; any other error is a bug, and goes up. A breaker is inside a step.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Generic, ParamSpec, Protocol, TypeVar

P = ParamSpec("P")
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class FallbackStep(Generic[P, T]):
    """One way to get an answer, and its name in events."""

    name: str
    ask: Callable[P, Awaitable[T]]


@dataclass(frozen=True, slots=True)
class FallbackTaken:
    """A step failed, and the next one is asked. `reason` is the failure's type: its text may hold secrets."""

    chain: str
    failed: str
    next_step: str
    reason: str


class FallbackListener(Protocol):
    """Is told of every step down a chain, before the next step is asked. Must be quick."""

    def __call__(self, fell: FallbackTaken, /) -> None:
        """Take note."""


class FallbackChain(Generic[P, T]):
    """Asks one step after another until one answers.

    For questions only: what may have had an effect must not be asked of somebody else.

    Args:
        name: of the chain, in events.
        steps: first the best; at least one.
        leads_on: the failures after which the next step is asked.
        listeners: told of each step down.

    Raises:
        ValueError: there is no step.
    """

    def __init__(
        self,
        name: str,
        steps: Sequence[FallbackStep[P, T]],
        leads_on: tuple[type[Exception], ...],
        listeners: Sequence[FallbackListener] = (),
    ) -> None:
        if not steps:
            raise ValueError("a chain needs a step")
        self._name = name
        self._steps = tuple(steps)
        self._leads_on = leads_on
        self._listeners = tuple(listeners)

    async def ask(self, *args: P.args, **kwargs: P.kwargs) -> tuple[T, str]:
        """The first answer, and the name of the step that gave it. Raises what the last step raises."""
        for step, following in zip(self._steps, self._steps[1:], strict=False):
            try:
                return await step.ask(*args, **kwargs), step.name
            except self._leads_on as error:
                fell = FallbackTaken(self._name, step.name, following.name, type(error).__name__)
                for listener in self._listeners:
                    listener(fell)
        last = self._steps[-1]
        return await last.ask(*args, **kwargs), last.name
