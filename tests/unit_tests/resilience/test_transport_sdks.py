"""Law 12: one layer retries, and it is none of the SDKs. Each makes one request on this transport, whatever comes."""

from collections.abc import Awaitable, Callable

import httpx
import openai
import pytest
import stripe
from langchain_openai import ChatOpenAI

from agent.providers.stripe_http import StripeHttp
from agent.resilience import CircuitBreaker, CircuitOpenError
from agent.resilience.capacity import RateLimitedError

from .wires import Wire, breaker, client

Ask = Callable[[httpx.AsyncClient], Awaitable[object]]

BUSY = httpx.Response(503, json={"error": {"message": "busy"}}, headers={"stripe-should-retry": "true"})


async def ask_openai(http: httpx.AsyncClient) -> None:
    model = ChatOpenAI(model="scripted", api_key="test", base_url="http://model", max_retries=0, http_async_client=http)
    await model.ainvoke("hello")


async def ask_stripe(http: httpx.AsyncClient) -> None:
    sdk = stripe.StripeClient("sk_test_1", http_client=StripeHttp(http), max_network_retries=0)
    await sdk.v1.payment_intents.retrieve_async("pi_1")


def at_the_bottom(error: BaseException) -> BaseException:
    """What was raised first; SDKs put errors of their own on top."""
    return at_the_bottom(error.__cause__) if error.__cause__ else error


each_sdk = pytest.mark.parametrize("ask", [ask_openai, ask_stripe])


@each_sdk
async def test_an_sdk_makes_one_request_when_the_backend_is_busy(ask: Ask) -> None:
    wire, guard = Wire(lambda _: BUSY), breaker(minimum_number_of_calls=1)
    async with client(wire, guard) as http:
        with pytest.raises((openai.APIStatusError, httpx.HTTPStatusError)):
            await ask(http)
    assert len(wire.requests) == 1
    assert set(guard.snapshot().last_errors) == {"overload"}


@each_sdk
@pytest.mark.parametrize("error", [httpx.ConnectError("refused"), httpx.ReadError("broke"), httpx.ReadTimeout("late")])
async def test_an_sdk_makes_one_request_when_the_connection_fails(ask: Ask, error: Exception) -> None:
    def fails(_: httpx.Request) -> httpx.Response:
        raise error

    wire = Wire(fails)
    async with client(wire) as http:
        with pytest.raises((openai.APIConnectionError, type(error))):
            await ask(http)
    assert len(wire.requests) == 1


@each_sdk
async def test_an_open_breaker_comes_through_an_sdk_as_it_is(ask: Ask) -> None:
    wire, guard = Wire(), CircuitBreaker("backend")
    guard.force_open()
    async with client(wire, guard) as http:
        with pytest.raises(CircuitOpenError):
            await ask(http)
    assert wire.requests == []


@each_sdk
async def test_a_local_rejection_is_told_once(ask: Ask) -> None:
    wire = Wire(lambda _: BUSY)
    async with client(wire, rate="1/hour", rate_wait=0) as http:
        with pytest.raises((openai.APIStatusError, httpx.HTTPStatusError)):
            await ask(http)
        with pytest.raises((openai.APITimeoutError, RateLimitedError)) as rejected:
            await ask(http)
    assert isinstance(at_the_bottom(rejected.value), RateLimitedError)
    assert len(wire.requests) == 1
