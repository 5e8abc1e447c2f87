"""The circuit breakers of this process by name, all wired alike: shared through Redis if there is one, moves as
events, calls counted and timed. Budgets of retries are shared in the same way.

What is behind each, and its thresholds, is said where it is added. `resilience` has the breaker itself.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress

from agent.observability import tracing
from agent.observability.events import emit
from agent.observability.metrics import CALL_SECONDS, CALLS, announce_breaker
from agent.resilience import (
    BreakerConfig,
    BreakerMoved,
    BreakerSnapshot,
    CallEnded,
    CircuitBreaker,
    RetryBudget,
    Sharing,
    StoreMoved,
    StoreUnavailableError,
)


class Breakers(Mapping[str, CircuitBreaker]):
    """Breakers by name. With `redis_url` the workers that use the same Redis open, probe and close as one, and spend
    `budgets` together."""

    def __init__(self, redis_url: str = "", budgets: Iterable[RetryBudget] = ()) -> None:
        self._breakers: dict[str, CircuitBreaker] = {}
        self._sharing = _sharing(redis_url, tuple(budgets)) if redis_url else None

    def add(self, name: str, config: BreakerConfig) -> CircuitBreaker:
        """Make the breaker of a dependency. On the event loop: a shared one hears of the others from now on."""
        announce_breaker(name)
        breaker = CircuitBreaker(name, config, listeners=[_moved], on_call=_called, sharing=self._sharing)
        breaker.join()
        self._breakers[name] = breaker
        return breaker

    async def look(self) -> list[BreakerSnapshot]:
        """All of them, after hearing what the other workers know."""
        if self._sharing:
            with suppress(StoreUnavailableError):  # `shared` tells, and an event told
                await self._sharing.exchange()
        return [breaker.snapshot() for breaker in self.values()]

    @property
    def shared(self) -> bool | None:
        """Whether other workers hear of moves here; None: there is no store to tell them."""
        return self._sharing.reachable if self._sharing else None

    async def leave(self) -> None:
        """Have the other workers probe in place of this one, which stops."""
        if self._sharing:
            await self._sharing.leave()

    async def close(self) -> None:
        """Stop sharing."""
        if self._sharing:
            await self._sharing.close()

    def __getitem__(self, name: str) -> CircuitBreaker:
        """The breaker of a dependency."""
        return self._breakers[name]

    def __iter__(self) -> Iterator[str]:
        """The names, in the order in which they were added."""
        return iter(self._breakers)

    def __len__(self) -> int:
        """How many there are."""
        return len(self._breakers)


def _sharing(redis_url: str, budgets: Sequence[RetryBudget]) -> Sharing:
    """Redis, whose client is an extra."""
    from agent.resilience.redis_store import RedisStore  # noqa: PLC0415

    return Sharing(RedisStore(redis_url, prefix="order-desk:breaker"), budgets, listeners=[_store_moved])


def _moved(move: BreakerMoved) -> None:
    """A breaker's move is an event (law 13)."""
    emit("breaker.moved", name=move.name, before=move.before, after=move.after, kind=move.kind)


def _called(ended: CallEnded) -> None:
    """A call is counted, and timed and traced if it was sent."""
    CALLS.of(ended.name, ended.outcome).inc()
    if ended.outcome != "refused":
        CALL_SECONDS.of(ended.name).observe(ended.seconds)
        tracing.called(ended.name, ended.outcome, ended.seconds)


def _store_moved(moved: StoreMoved) -> None:
    """Without its store each worker goes by what it sees itself: worth an event both ways."""
    emit("breaker.store_moved", reachable=moved.error is None, error=moved.error)
