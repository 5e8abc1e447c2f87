"""The store of breaker states and retry budgets in Redis (the extra `redis`). Each step is one script, by the server's
clock.

Two keys a breaker: a hash, and its probe leases, which end by themselves. The steps are in `redis_store.lua`. One key a
budget, which lives until the budget is whole again: how long that is says what is left.
Deadlines, and what happens without Redis, are in `sharing`.
"""

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final, get_args

from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from agent.resilience.failures import FailureKind
from agent.resilience.stores import BreakerState, Claim, SharedView, StoreUnavailableError

_SCRIPT: Final = Path(__file__).with_suffix(".lua").read_text(encoding="utf-8")

_SPEND: Final = """
local whole_in = math.min(math.max(0, redis.call('PTTL', KEYS[1])) + ARGV[1], ARGV[2])
if whole_in > 0 then redis.call('SET', KEYS[1], '', 'PX', whole_in) end
return whole_in
"""
"""Milliseconds until a budget is whole again, after as many more and at most so many."""

# a broken socket is an OSError, and under uvloop a RuntimeError; a record that someone wrote by hand is a ValueError
_TROUBLE: Final = (RedisError, OSError, RuntimeError, ValueError)


class RedisStore:
    """Breaker states at `url`, under keys that begin with `prefix`: workers of one application use the same."""

    def __init__(self, url: str, prefix: str = "breaker") -> None:
        self._client: Redis = Redis.from_url(url, decode_responses=True, protocol=2, retry=Retry(NoBackoff(), 0))
        self._script = self._client.register_script(_SCRIPT)
        self._spend = self._client.register_script(_SPEND)
        self._prefix = prefix

    async def read(self, names: Sequence[str]) -> Sequence[SharedView]:
        """What is known of these breakers, in their order."""
        try:
            async with self._client.pipeline(transaction=False) as pipeline:
                pipeline.time()
                for name in names:
                    pipeline.hmget(self._keys(name)[0], "epoch", "state", "why", "until", "openings")
                (seconds, micros), *records = await pipeline.execute()
            now = seconds * 1000 + micros // 1000
            return [
                _view(epoch or 0, state or "closed", why, max(0, int(until or 0) - now), openings or 0)
                for epoch, state, why, until, openings in records
            ]
        except _TROUBLE as error:
            raise StoreUnavailableError from error

    async def open(self, name: str, epoch: int, why: FailureKind | None, seconds: float, openings: int) -> SharedView:
        """Open for so long, if it is still as it was at `epoch`, or unknown."""
        _, view = await self._step(name, "open", epoch, why or "", _milliseconds(seconds), openings)
        return view

    async def acquire(self, name: str, claim: Claim) -> tuple[bool, SharedView]:
        """Whether a probe may go."""
        span = _milliseconds(claim.lease_seconds)
        return await self._step(name, "acquire", claim.lease, span, claim.permitted, claim.why or "", claim.openings)

    async def settle(self, name: str, lease: str, good: bool, success_threshold: int) -> SharedView:
        """Give a probe's lease back."""
        _, view = await self._step(name, "settle", lease, int(good), success_threshold)
        return view

    async def force_open(self, name: str) -> SharedView:
        """Open until it is reset."""
        _, view = await self._step(name, "force_open")
        return view

    async def reset(self, name: str) -> SharedView:
        """Close, whatever the state."""
        _, view = await self._step(name, "reset")
        return view

    async def spend(self, name: str, spent: int, most: int, seconds: float) -> float:
        """Take so many out of a bucket; what is left of it."""
        times = [_milliseconds(spent * seconds / most), _milliseconds(2 * seconds)]
        try:
            whole_in = int(await self._spend(keys=[f"{self._keys(name)[0]}:retries"], args=times))
        except _TROUBLE as error:
            raise StoreUnavailableError from error
        return most * (1 - whole_in / _milliseconds(seconds))

    async def close(self) -> None:
        """Give the connections back."""
        await self._client.aclose()

    async def _step(self, name: str, *arguments: str | int) -> tuple[bool, SharedView]:
        """Run one step of the script: whether it granted a lease, and the view after it."""
        try:
            reply = await self._script(keys=self._keys(name), args=arguments)
            return bool(reply[5]), _view(*reply[:5])
        except _TROUBLE as error:
            raise StoreUnavailableError from error

    def _keys(self, name: str) -> list[str]:
        key = f"{self._prefix}:{{{name}}}"  # in braces: both keys in one slot of a cluster
        return [key, f"{key}:leases"]


def _view(epoch: Any, state: Any, why: Any, milliseconds: Any, openings: Any) -> SharedView:
    if state not in get_args(BreakerState) or (why and why not in get_args(FailureKind)):
        raise ValueError("a record that is no breaker's")
    return SharedView(int(epoch), state, why or None, int(milliseconds) / 1000, int(openings))


def _milliseconds(seconds: float) -> int:
    return math.ceil(seconds * 1000)  # never 0 of something: a lease of no time would be an error
