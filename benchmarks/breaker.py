"""How good is our circuit breaker: what a call costs, who gets through, and what it makes of each kind of trouble.

`python -m benchmarks.breaker` prints all figures: those of `shared_breaker`, with Redis, and of `dead_provider`, for
the whole order line, too.
"""

import asyncio
import gc
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from statistics import median
from typing import Any, Final, TypedDict

import httpx
from langgraph.errors import GraphInterrupt, NodeTimeoutError
from langgraph.graph import START, StateGraph

from agent.resilience import BreakerConfig, CircuitBreaker
from benchmarks.dead_provider import figures as dead_provider_figures
from benchmarks.figures import Figure, report
from benchmarks.peers import FAILURES, Backend, Guard, peers
from benchmarks.shared_breaker import figures as shared_figures

OURS: Final = "ours"
WAIT: Final = 0.2  # seconds that an open breaker waits
CONFIG: Final = BreakerConfig(
    minimum_number_of_calls=FAILURES,
    wait_duration_in_open=WAIT,
    permitted_calls_in_half_open=3,
    success_threshold=1,
    probe_lease_seconds=0.5,
    slow_call_duration=60.0,
)
_CALLS: Final = 20_000
_ROUNDS: Final = 15


async def figures() -> AsyncIterator[Figure]:
    """All of them, the quick ones first."""
    async for figure in _overhead():
        yield figure
    for measure in (
        _half_open, _cancelled_probe, _hung_probe, _late_success,
        _answers, _interrupts, _rate_limit, _timeouts, _node_timeouts,
    ):  # fmt: skip
        yield await measure()
    async for figure in shared_figures():
        yield figure
    async for figure in dead_provider_figures():
        yield figure


async def _guards() -> dict[str, Guard]:
    """A new breaker of ours, and one of each peer."""
    return {OURS: CircuitBreaker("model", CONFIG).call} | await peers(WAIT)


async def _compared(measure: Callable[[Guard], Awaitable[float | str]]) -> tuple[Any, dict[str, float | str]]:
    """The same of ours and of the peers."""
    values = {name: await measure(guard) for name, guard in (await _guards()).items()}
    return values.pop(OURS), values


async def _answer() -> None:
    """A backend that is well."""


def _failing(error: BaseException) -> Backend:
    async def fail() -> None:
        raise error

    return fail


def _status(code: int, **headers: str) -> httpx.HTTPStatusError:
    request = httpx.Request("GET", "http://backend")
    return httpx.HTTPStatusError(str(code), request=request, response=httpx.Response(code, headers=headers))


async def _end(guard: Guard, backend: Backend) -> bool:
    """Make a call; whether it reached the backend."""
    reached = False

    async def backend_reached() -> None:
        nonlocal reached
        reached = True
        await backend()

    with suppress(Exception):  # what peers raise when open is their own affair
        await guard(backend_reached)
    return reached


async def _trip(guard: Guard) -> None:
    for _ in range(FAILURES):
        await _end(guard, _failing(httpx.ConnectError("refused")))


async def _overhead() -> AsyncIterator[Figure]:
    """CPU time of a call through a closed breaker, less that of a bare await; rounds in turn, the median."""

    async def bare() -> float:
        started = time.process_time()
        for _ in range(_CALLS):
            await _answer()
        return (time.process_time() - started) / _CALLS * 1e6

    async def guarded(guard: Guard) -> float:
        started = time.process_time()
        for _ in range(_CALLS):
            await guard(_answer)
        return (time.process_time() - started) / _CALLS * 1e6

    guards = await _guards()
    rounds: dict[str, list[float]] = {name: [] for name in guards}
    gc.disable()
    for _ in range(_ROUNDS):
        base = await bare()
        for name, guard in guards.items():
            rounds[name].append(await guarded(guard) - base)
        gc.collect()
    gc.enable()
    added = {name: round(median(costs), 3) for name, costs in rounds.items()}
    ours = added.pop(OURS)
    for peer, most in (("interlock-cb", 0.25), ("circuitbreaker", 2.0)):
        against = added.get(peer, 0.0)
        yield Figure(
            figure=f"closed_overhead_against_{peer}",
            value=ours,
            unit="µs of CPU time a call, over a bare await",
            bar=f"<= {most} x {peer}",
            holds=ours <= most * against,
            peers=added,
            note=f"{ours / against:.2f} x {peer}; median of {_ROUNDS} rounds; circuitbreaker, pybreaker and purgatory "
            "guard a coroutine of ours, which is in their figures"
            if against
            else "not installed",
        )


async def _half_open() -> Figure:
    async def reached(guard: Guard) -> int:
        count = 0

        async def backend() -> None:
            nonlocal count
            count += 1
            await asyncio.sleep(0.1)

        await _trip(guard)
        await asyncio.sleep(WAIT + 0.05)
        await asyncio.gather(*(guard(backend) for _ in range(100)), return_exceptions=True)
        return count

    value, others = await _compared(reached)
    permitted = CONFIG.permitted_calls_in_half_open
    return Figure(
        figure="half_open_100_tasks", value=value, unit="calls that reached the backend", bar=f"== {permitted}",
        holds=value == permitted, peers=others, note="peers that can be told how many are told 1",
    )  # fmt: skip


async def _cancelled_probe() -> Figure:
    async def then(guard: Guard) -> str:
        await _trip(guard)
        await asyncio.sleep(WAIT + 0.05)
        probe = asyncio.ensure_future(guard(asyncio.Event().wait))
        await asyncio.sleep(0.01)
        probe.cancel()
        await asyncio.gather(probe, return_exceptions=True)
        if not await _end(guard, _failing(httpx.ConnectError("still down"))):
            return "no probe"
        return "closed by the cancelled probe" if await _end(guard, _answer) else "probe"

    value, others = await _compared(then)
    return Figure(
        figure="after_a_cancelled_probe", value=value, unit="what the next call is", bar="== probe",
        holds=value == "probe", peers=others,
    )  # fmt: skip


async def _hung_probe() -> Figure:
    limit = 2.0

    async def waited(guard: Guard) -> float | str:
        await _trip(guard)
        await asyncio.sleep(WAIT + 0.05)
        places = [
            asyncio.ensure_future(guard(asyncio.Event().wait)) for _ in range(CONFIG.permitted_calls_in_half_open)
        ]
        started = time.monotonic()
        await asyncio.sleep(0.01)
        while not await _end(guard, _answer):
            if time.monotonic() - started > limit:
                break
            await asyncio.sleep(0.005)
        took = time.monotonic() - started
        for place in places:
            place.cancel()
        await asyncio.gather(*places, return_exceptions=True)
        return "never" if took > limit else round(took, 3)

    value, others = await _compared(waited)
    lease = CONFIG.probe_lease_seconds
    return Figure(
        figure="after_hung_probes", value=value, unit="seconds to the next probe", bar=f"<= {lease} (the lease)",
        holds=value != "never" and value <= lease + 0.05, peers=others,
        note=f"0.05 s allowed for the measurement; never: not within {limit} s; about 0: everyone is let through",
    )  # fmt: skip


async def _late_success() -> Figure:
    async def then(guard: Guard) -> str:
        release = asyncio.Event()
        late = asyncio.ensure_future(guard(release.wait))
        await asyncio.sleep(0.01)
        await _trip(guard)
        release.set()
        await asyncio.gather(late, return_exceptions=True)
        return "closed" if await _end(guard, _answer) else "open"

    value, others = await _compared(then)
    return Figure(
        figure="after_a_late_success", value=value, unit="state", bar="== open", holds=value == "open", peers=others
    )


async def _after(times: int, error: BaseException) -> tuple[Any, dict[str, float | str]]:
    async def then(guard: Guard) -> str:
        for _ in range(times):
            await _end(guard, _failing(error))
        return "closed" if await _end(guard, _answer) else "open"

    return await _compared(then)


async def _answers() -> Figure:
    value, others = await _after(50, _status(404))
    return Figure(
        figure="after_50_answers_404", value=value, unit="state", bar="== closed", holds=value == "closed",
        peers=others, note="peers as they come, without a list of errors to leave out",
    )  # fmt: skip


async def _interrupts() -> Figure:
    value, others = await _after(5, GraphInterrupt())
    return Figure(
        figure="after_5_interrupts", value=value, unit="state", bar="== closed", holds=value == "closed", peers=others
    )


async def _rate_limit() -> Figure:
    _, others = await _after(1, _status(429, **{"retry-after": "17"}))
    now = 0.0
    breaker = CircuitBreaker("model", CONFIG, clock=lambda: now)
    await _end(breaker.call, _failing(_status(429, **{"retry-after": "17"})))
    now = 16.999
    early = await _end(breaker.call, _answer)
    now = 17.0
    at_last = await _end(breaker.call, _answer)
    return Figure(
        figure="after_the_first_429_with_retry_after_17", value="open for 17 s" if at_last and not early else "else",
        unit="what it does", bar="== open for 17 s", holds=at_last and not early, peers=others,
    )  # fmt: skip


async def _timeouts() -> Figure:
    """Three of ten calls fail: as timeouts they open it, as refused connections they do not."""

    async def opened(error: Exception) -> bool:
        breaker = CircuitBreaker("model", replace(CONFIG, minimum_number_of_calls=10))
        for backend in [_answer] * 7 + [_failing(error)] * 3:
            await _end(breaker.call, backend)
        return breaker.snapshot().state == "open"

    timeouts, refusals = await opened(httpx.ReadTimeout("late")), await opened(httpx.ConnectError("refused"))
    return Figure(
        figure="threshold_of_timeouts", value=f"timeouts {timeouts}, refused connections {refusals}",
        unit="opened by 3 of 10", bar="== timeouts True, refused connections False",
        holds=timeouts and not refusals,
    )  # fmt: skip


class _State(TypedDict):
    order_id: str


async def _node_timeouts() -> Figure:
    async def then(guard: Guard) -> str:
        async def node(state: _State) -> None:  # noqa: ARG001
            await guard(asyncio.Event().wait)

        graph: Any = StateGraph(_State).add_node("node", node, timeout=timedelta(seconds=0.03)).add_edge(START, "node")
        compiled = graph.compile()
        for _ in range(FAILURES):
            with suppress(NodeTimeoutError):
                await compiled.ainvoke({"order_id": "W-1"})
        return "closed" if await _end(guard, _answer) else "open"

    _, others = await _compared(then)
    value = await then(CircuitBreaker("model", replace(CONFIG, slow_call_duration=0.02)).call)
    return Figure(
        figure="after_3_node_timeouts", value=value, unit="state", bar="== open", holds=value == "open", peers=others
    )


if __name__ == "__main__":
    sys.exit(0 if asyncio.run(report(figures())) else 1)
