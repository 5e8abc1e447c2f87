"""Asking a server that is away for a while: killed, being started again, or behind a network that is down.

Only for what may be asked twice: nothing is sent again here.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

import httpx

T = TypeVar("T")

PATIENCE = 60.0
"""Seconds that a server may be away before what was sent to it counts as unknown: a restart takes up to thirty."""

SETTLING = 10.0
"""Seconds that a server which answers may take to bring to an end what was sent to it."""

LOOK_EVERY = 0.5
"""Seconds between two looks."""


async def until_answered(ask: Callable[[], Awaitable[T]]) -> T:
    """What `ask` gives, once the server answers; it is called again while nobody does, or an HTTP 5xx or 429.

    Raises `httpx.HTTPError`: any other refusal at once, the last failure after `PATIENCE`.
    """
    loop = asyncio.get_running_loop()
    end = loop.time() + PATIENCE
    while True:
        try:
            async with asyncio.timeout_at(end + LOOK_EVERY):
                return await ask()
        except TimeoutError as error:
            raise httpx.ReadTimeout(f"no answer within {PATIENCE:g} s") from error
        except httpx.HTTPError as error:
            if not _passes(error) or loop.time() >= end:
                raise
        await asyncio.sleep(LOOK_EVERY)


async def until_settled(ask: Callable[[], Awaitable[T]], settled: Callable[[T], bool]) -> T:
    """What `ask` gives, once that is `settled`; after `SETTLING` as it is then. Raises as `until_answered` does."""
    loop = asyncio.get_running_loop()
    found = await until_answered(ask)
    end = loop.time() + SETTLING
    while not settled(found) and loop.time() < end:
        await asyncio.sleep(LOOK_EVERY)
        found = await until_answered(ask)
    return found


def _passes(error: httpx.HTTPError) -> bool:
    if isinstance(error, httpx.HTTPStatusError):
        return error.response.status_code >= 500 or error.response.status_code == 429
    return True
