"""A worker with one shared breaker, told what to do line by line: `python -m tests.support.breaker_worker URL`.

- `trip`: fails until the breaker is open.
- `wait STATE`: until the breaker is in that state.
- `recover`: calls until the breaker is closed.
- `crowd N`: makes N calls at once when the wait is over, and says how many reached the backend.
- `hold`: makes a call that never ends, and says when it has reached the backend.
"""

import asyncio
import sys
from contextlib import suppress
from typing import Final

from agent.resilience import BreakerConfig, CircuitBreaker, CircuitOpenError, Sharing
from agent.resilience.redis_store import RedisStore

CONFIG: Final = BreakerConfig(
    minimum_number_of_calls=2,
    wait_duration_in_open=1.0,
    wait_jitter=0.01,
    permitted_calls_in_half_open=1,
    success_threshold=1,
    probe_lease_seconds=1.5,
    slow_call_duration=60.0,
)
_LOOK: Final = 0.005  # seconds between two looks at the breaker


async def main(url: str) -> None:
    """Obey until standard input ends."""
    breaker = CircuitBreaker("model", CONFIG, sharing=Sharing(RedisStore(url)))
    await breaker.call(_answer)
    _say("ready")
    while order := await asyncio.to_thread(sys.stdin.readline):
        await _obey(breaker, order.split())


async def _obey(breaker: CircuitBreaker, order: list[str]) -> None:
    match order:
        case ["trip"]:
            while breaker.snapshot().state == "closed":
                with suppress(ConnectionRefusedError):
                    await breaker.call(_refuse)
            _say("open")
        case ["wait", state]:
            while breaker.snapshot().state != state:  # noqa: ASYNC110  (others move it, by way of Redis)
                await asyncio.sleep(_LOOK)
            _say(state)
        case ["recover"]:
            while breaker.snapshot().state != "closed":
                with suppress(CircuitOpenError):
                    await breaker.call(_answer)
                await asyncio.sleep(_LOOK)
            _say("closed")
        case ["crowd", number]:
            while breaker.snapshot().next_probe_in:  # noqa: ASYNC110  (time does)
                await asyncio.sleep(_LOOK)
            crowd = [asyncio.create_task(breaker.call(asyncio.sleep, 1.0)) for _ in range(int(number))]
            ends = await asyncio.gather(*crowd, return_exceptions=True)
            _say(str(sum(not isinstance(end, CircuitOpenError) for end in ends)))
        case ["hold"]:
            while True:
                with suppress(CircuitOpenError):
                    await breaker.call(_hold)
                await asyncio.sleep(_LOOK)
        case _:
            raise ValueError(order)


async def _answer() -> None:
    """A backend that is well."""


async def _refuse() -> None:
    raise ConnectionRefusedError


async def _hold() -> None:
    _say("held")
    await asyncio.Event().wait()


def _say(word: str) -> None:
    print(word, flush=True)  # noqa: T201


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
