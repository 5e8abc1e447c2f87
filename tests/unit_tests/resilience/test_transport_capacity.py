"""The rate and the bulkhead: who waits, who is rejected, and that nobody else hears of it."""

import asyncio
import pickle
import time

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from langgraph.types import RetryPolicy

from agent.resilience import NEUTRAL, Classifier, is_transient
from agent.resilience.capacity import BulkheadFullError, LocalRejectionError, RateLimitedError

from .flights import state
from .wires import URL, Gate, Wire, breaker, client, until

SECRET_URL = "http://backend/things?token=secret"


async def test_a_call_beyond_the_rate_is_rejected_and_not_sent() -> None:
    wire = Wire()
    async with client(wire, rate="2/hour", rate_wait=0) as http:
        await http.get(URL)
        await http.get(URL)
        with pytest.raises(RateLimitedError, match="backend: nothing left of 2/hour for 0 s; call less often"):
            await http.get(SECRET_URL)
    assert len(wire.requests) == 2


async def test_a_call_waits_for_its_turn_in_the_rate() -> None:
    sent = []

    def answer(_: httpx.Request) -> httpx.Response:
        sent.append(time.monotonic())
        return httpx.Response(200)

    async with client(Wire(answer), rate="2/second", rate_wait=5) as http:
        await asyncio.gather(*(http.get(URL) for _ in range(5)))
    assert all(third - first >= 0.99 for first, third in zip(sent, sent[2:], strict=False))


async def test_a_call_that_waits_in_vain_is_rejected_in_time() -> None:
    async with client(Wire(), rate="1/hour", rate_wait=0.05) as http:
        await http.get(URL)
        async with asyncio.timeout(5):
            both = await asyncio.gather(http.get(URL), http.get(URL), return_exceptions=True)
    assert [type(each) for each in both] == [RateLimitedError] * 2


async def test_two_transports_have_a_rate_each() -> None:
    async with client(Wire(), rate="1/hour", rate_wait=0) as one, client(Wire(), rate="1/hour", rate_wait=0) as other:
        assert [(await http.get(URL)).status_code for http in (one, other)] == [200, 200]


async def test_no_more_calls_are_in_flight_than_there_are_places() -> None:
    gate = Gate()
    wire = Wire(gate)
    async with client(wire, max_concurrent=2, concurrency_wait=60) as http:
        calls = [asyncio.ensure_future(http.get(URL)) for _ in range(5)]
        await until(lambda: wire.here == 2)
        gate.open()
        assert [answer.status_code for answer in await asyncio.gather(*calls)] == [200] * 5
    assert wire.most == 2


async def test_a_call_that_finds_no_place_in_time_is_rejected_and_not_sent() -> None:
    gate = Gate()
    wire = Wire(gate)
    async with client(wire, max_concurrent=1, concurrency_wait=0) as http:
        first = asyncio.ensure_future(http.get(URL))
        await until(lambda: wire.here)
        with pytest.raises(BulkheadFullError, match="backend: 1 calls in flight for 0 s; call fewer at once"):
            await http.get(SECRET_URL)
        gate.open()
        await first
        assert (await http.get(URL)).status_code == 200
    assert len(wire.requests) == 2


async def test_a_full_house_says_nothing_about_the_backend() -> None:
    gate, guard = Gate(), breaker(minimum_number_of_calls=1)
    wire = Wire(gate)
    async with client(wire, guard, max_concurrent=1, concurrency_wait=0) as http:
        first = asyncio.ensure_future(http.get(URL))
        await until(lambda: wire.here)
        await asyncio.gather(*(http.get(URL) for _ in range(20)), return_exceptions=True)
        gate.open()
        await first
    assert (state(guard), guard.snapshot().last_errors) == ("closed", {})


@settings(max_examples=50, deadline=None)
@given(places=st.integers(1, 4), steps=st.lists(st.sampled_from(["call", "cancel", "answer", "fail"]), max_size=30))
async def test_whatever_becomes_of_calls_their_places_are_free_again(places: int, steps: list[str]) -> None:
    held: list[asyncio.Future[httpx.Response]] = []

    async def hold(_: httpx.Request) -> httpx.Response:
        held.append(asyncio.get_running_loop().create_future())
        return await held[-1]

    wire, calls = Wire(hold), []
    async with client(wire, max_concurrent=places, concurrency_wait=60) as http:
        for step in steps:
            open_ones = [future for future in held if not future.done()]
            match step:
                case "call":
                    calls.append(asyncio.ensure_future(http.get(URL)))
                case "cancel" if calls:
                    calls[len(calls) // 2].cancel()
                case "answer" if open_ones:
                    open_ones[0].set_result(httpx.Response(200))
                case "fail" if open_ones:
                    open_ones[0].set_exception(httpx.ReadError("broke"))
            await asyncio.sleep(0)
        for call in calls:
            call.cancel()
        await asyncio.gather(*calls, return_exceptions=True)
        assert wire.most <= places

        gate = Gate()
        wire.answer, wire.most = gate, 0
        again = [asyncio.ensure_future(http.get(URL)) for _ in range(places)]
        await until(lambda: wire.here == places)
        gate.open()
        await asyncio.gather(*again)


@pytest.mark.parametrize("rejection", [RateLimitedError("full"), BulkheadFullError("full")], ids=repr)
def test_a_rejection_is_nobodys_failure_and_not_retried(rejection: LocalRejectionError) -> None:
    default = RetryPolicy().retry_on
    assert callable(default)
    assert Classifier().classify(rejection) is NEUTRAL
    assert not is_transient(rejection)
    assert default(rejection) is False


def test_a_rejection_is_to_httpx_a_call_that_was_not_sent() -> None:
    assert issubclass(LocalRejectionError, httpx.PoolTimeout)


@pytest.mark.parametrize("kind", [RateLimitedError, BulkheadFullError])
def test_a_rejection_survives_pickling(kind: type[LocalRejectionError]) -> None:
    copy = pickle.loads(pickle.dumps(kind("backend: full")))  # noqa: S301  our own bytes
    assert (type(copy), str(copy)) == (kind, "backend: full")
