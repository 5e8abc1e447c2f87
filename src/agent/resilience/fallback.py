"""Chains of fallbacks as data: who is asked first, who when that fails, and so on to whoever can always answer.

Which failures lead on is said by the chain; any other error is a bug, and goes up. A breaker is inside a hop.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Generic, ParamSpec, Protocol, TypeVar

P = ParamSpec("P")
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Hop(Generic[P, T]):
    """One way to get an answer, and its name in events."""

    name: str
    ask: Callable[P, Awaitable[T]]


@dataclass(frozen=True, slots=True)
class FellBack:
    """A hop failed, and the next one is asked. `reason` is the failure's type: its text may hold secrets."""

    chain: str
    failed: str
    turned_to: str
    reason: str


class FallbackListener(Protocol):
    """Is told of every step down a chain, before the next hop is asked. Must be quick."""

    def __call__(self, fell: FellBack, /) -> None:
        """Take note."""


class FallbackChain(Generic[P, T]):
    """Asks one hop after another until one answers.

    For questions only: what may have had an effect must not be asked of somebody else.

    Args:
        name: of the chain, in events.
        hops: first the best; at least one.
        leads_on: the failures after which the next hop is asked.
        listeners: told of each step down.

    Raises:
        ValueError: there is no hop.
    """

    def __init__(
        self,
        name: str,
        hops: Sequence[Hop[P, T]],
        leads_on: tuple[type[Exception], ...],
        listeners: Sequence[FallbackListener] = (),
    ) -> None:
        if not hops:
            raise ValueError("a chain needs a hop")
        self._name = name
        self._hops = tuple(hops)
        self._leads_on = leads_on
        self._listeners = tuple(listeners)

    async def ask(self, *args: P.args, **kwargs: P.kwargs) -> tuple[T, str]:
        """The first answer, and the name of the hop that gave it. Raises what the last hop raises."""
        for hop, following in zip(self._hops, self._hops[1:], strict=False):
            try:
                return await hop.ask(*args, **kwargs), hop.name
            except self._leads_on as failure:
                fell = FellBack(self._name, hop.name, following.name, type(failure).__name__)
                for listener in self._listeners:
                    listener(fell)
        last = self._hops[-1]
        return await last.ask(*args, **kwargs), last.name
