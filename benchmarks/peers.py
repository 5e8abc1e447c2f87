"""Other breakers for Python behind one call, each used the way its documentation says. None that is not installed.

All open after three failures. They are measured in `breaker`.
"""

from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import timedelta
from importlib import import_module
from typing import Any

Backend = Callable[[], Awaitable[Any]]
Guard = Callable[[Backend], Awaitable[Any]]
"""Calls a backend through a breaker."""

FAILURES = 3


async def peers(wait: float) -> dict[str, Guard]:
    """A new breaker of each kind, by the name that it is installed by; open ones wait for so many seconds."""
    guards: dict[str, Guard] = {}
    for name, build in _BUILDERS.items():
        with suppress(ImportError):
            guards[name] = await build(wait)
    return guards


async def _circuitbreaker(wait: float) -> Guard:
    async def call(backend: Backend) -> Any:
        return await backend()

    guard: Guard = import_module("circuitbreaker").CircuitBreaker(FAILURES, wait)(call)
    return guard


async def _interlock(wait: float) -> Guard:
    interlock = import_module("interlock")
    config = interlock.Config(
        minimum_number_of_calls=FAILURES, wait_duration_in_open=wait, permitted_calls_in_half_open=1
    )
    guard: Guard = interlock.CircuitBreaker(name="model", config=config).call_async
    return guard


async def _pybreaker(wait: float) -> Guard:
    breaker = import_module("pybreaker").CircuitBreaker(fail_max=FAILURES, reset_timeout=wait)

    async def call(backend: Backend) -> Any:
        with breaker.calling():
            return await backend()

    return call


async def _aiobreaker(wait: float) -> Guard:
    wait_for = timedelta(seconds=wait)
    guard: Guard = import_module("aiobreaker").CircuitBreaker(fail_max=FAILURES, timeout_duration=wait_for).call_async
    return guard


async def _purgatory(wait: float) -> Guard:
    factory = import_module("purgatory").AsyncCircuitBreakerFactory(default_threshold=FAILURES, default_ttl=wait)
    breaker = await factory.get_breaker("model")

    async def call(backend: Backend) -> Any:
        async with breaker:
            return await backend()

    return call


_BUILDERS: dict[str, Callable[[float], Awaitable[Guard]]] = {
    "circuitbreaker": _circuitbreaker,
    "interlock-cb": _interlock,
    "pybreaker": _pybreaker,
    "aiobreaker": _aiobreaker,
    "purgatory": _purgatory,
}
