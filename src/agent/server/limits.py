"""How often one customer may start or change something. Channels and staff are trusted to limit themselves.

With REDIS_URL all workers count together; else each for itself, so that many let through that many times the rate.
"""

import math
import time
from functools import lru_cache

import limits
from fastapi import HTTPException, Request

from agent.identity import Caller
from agent.observability.events import emit
from agent.resilience.windows import MovingWindows, lies_ahead
from agent.server.callers import caller_of_request
from agent.services import services
from agent.settings import settings


class TooManyError(Exception):
    """A customer asked too often; `headers` say when to come back."""

    def __init__(self, rate: str, seconds: int) -> None:
        super().__init__(f"no more than {rate}: try again in {seconds} s")
        self.headers = {"Retry-After": str(seconds)}


async def throttle(caller: Caller, rate: str) -> None:
    """Count one start or change of a customer's; an empty `rate` means no limit. Raises `TooManyError`."""
    if caller.role != "customer" or not rate:
        return
    limiter, parsed = _limiter(), limits.parse(rate)
    if not await limiter.hit(parsed, caller.identity):
        window = await limiter.get_window_stats(parsed, caller.identity)
        if lies_ahead(window, parsed):
            await limiter.clear(parsed, caller.identity)
            emit("clock.went_back")
            return
        emit("request.limited", role=caller.role)
        raise TooManyError(rate, max(1, math.ceil(window.reset_time - time.time())))


async def within_rate(request: Request) -> None:
    """For custom routes that change something: HTTP 429 with Retry-After."""
    try:
        await throttle(caller_of_request(request), (await services()).settings.customer_rate)
    except TooManyError as error:
        raise HTTPException(429, str(error), error.headers) from error


async def close() -> None:
    """Stop counting with the others."""
    await _limiter().close()
    _limiter.cache_clear()


@lru_cache(maxsize=1)
def _limiter() -> MovingWindows:
    return MovingWindows(settings().redis_url)
