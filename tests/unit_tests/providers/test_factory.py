"""The world outside, as settings name it."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from pydantic import SecretStr

from agent.breakers import Breakers
from agent.providers.carrier import CarrierUnavailableError
from agent.providers.factory import Providers, build_providers
from agent.providers.payment import Attempt, PaymentNotSentError, PaymentUnknownError
from agent.providers.webhooks import WebhookRefusedError
from agent.resilience import CircuitOpenError
from agent.settings import Settings
from tests.support.serving import PATIENCE

World = Callable[..., Awaitable[Providers]]


@pytest.fixture
def breakers() -> Breakers:
    return Breakers()


@pytest.fixture
def world(tmp_path: Path, breakers: Breakers) -> World:
    """Builds what the settings name, behind `breakers`."""

    async def built(**named: Any) -> Providers:
        config = Settings(data_dir=tmp_path, **{"payment_timeout_seconds": 30} | named)
        return await build_providers(config, breakers)

    return built


@asynccontextmanager
async def silent() -> AsyncIterator[str]:
    """A server that takes whatever comes and never answers."""
    hearing: list[asyncio.Task[None]] = []

    async def hear(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()
        await writer.wait_closed()

    def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        hearing.append(asyncio.create_task(hear(reader, writer)))

    async with await asyncio.start_server(accept, "127.0.0.1", 0) as server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    await asyncio.wait_for(asyncio.gather(*hearing), PATIENCE)


async def close(made: Providers) -> None:
    for client in made.clients:
        await client.aclose()


async def test_without_settings_the_sandbox_takes_the_money(world: World, breakers: Breakers) -> None:
    made = await world()

    charge = await made.payments[0].capture(Attempt("k1", 1000, "USD", "tok_approve"))

    assert (charge.outcome, [provider.name for provider in made.payments]) == ("captured", ["sandbox"])
    assert (set(breakers), set(made.webhooks)) == ({"payment", "carrier"}, {"sandbox"})
    await close(made)


async def test_stripe_takes_it_instead_and_may_send_webhooks(world: World) -> None:
    nobody = "http://127.0.0.1:1"
    made = await world(payment_provider="stripe", stripe_api_key=SecretStr("sk_test_1"), stripe_url=nobody)

    assert [provider.name for provider in made.payments] == ["stripe"]
    with pytest.raises(PaymentNotSentError):
        await made.payments[0].capture(Attempt("k1", 1000, "USD", "cus_1/pm_1"))
    with pytest.raises(WebhookRefusedError):
        made.webhooks["stripe"].payment(httpx.Headers(), b"{}")
    await close(made)


async def test_a_second_provider_stands_behind_a_breaker_of_its_own(world: World, breakers: Breakers) -> None:
    made = await world(second_payment_provider="sandbox", second_payment_url="http://127.0.0.1:1")
    breakers["payment"].force_open()

    with pytest.raises(CircuitOpenError):
        await made.payments[0].capture(Attempt("k1", 1000, "USD", "tok_approve"))
    with pytest.raises(PaymentNotSentError):
        await made.payments[1].capture(Attempt("k1", 1000, "USD", "tok_approve"))
    assert [provider.name for provider in made.payments] == ["sandbox", "second"]
    await close(made)


@pytest.mark.parametrize("names", [["sandbox", "stripe"], ["stripe", "sandbox"]])
async def test_the_sandbox_and_stripe_stand_in_for_one_another_and_both_may_send_webhooks(
    world: World, names: list[str]
) -> None:
    first, second = names
    made = await world(
        payment_provider=first,
        second_payment_provider=second,
        stripe_api_key=SecretStr("sk_test_1"),
        stripe_url="http://127.0.0.1:1",
        stripe_webhook_secret=SecretStr("whsec_1"),
        sandbox_webhook_secret=SecretStr("whsec_" + "c2VjcmV0" * 4),
    )
    assert [provider.name for provider in made.payments] == names
    assert [breaker.name for breaker in made.payment_breakers] == ["payment", "second-payment"]
    assert len(made.clients) == 2  # the sandbox's is its carrier's too
    for source in names:
        with pytest.raises(WebhookRefusedError):
            made.webhooks[source].payment(httpx.Headers(), b"{}")
    with pytest.raises(WebhookRefusedError):
        made.webhooks["sandbox"].parcel(httpx.Headers(), b"{}")
    await close(made)


@pytest.mark.parametrize("provider", ["sandbox", "stripe"])
async def test_a_provider_that_goes_silent_opens_its_own_breaker_alone(
    world: World, breakers: Breakers, provider: str
) -> None:
    async with silent() as url:
        made = await world(
            payment_provider=provider,
            payment_url=url,
            stripe_url=url,
            stripe_api_key=SecretStr("sk_test_1"),
            payment_timeout_seconds=0.2,
            payment_breaker_minimum_calls=1,
        )
        with pytest.raises(PaymentUnknownError):
            await made.payments[0].capture(Attempt("k1", 1000, "USD", "cus_1/pm_1"))
        with pytest.raises(CircuitOpenError):
            await made.payments[0].capture(Attempt("k1", 1000, "USD", "cus_1/pm_1"))
        with pytest.raises(CarrierUnavailableError):
            await made.carrier.book("A-1/EAST", {})
        await close(made)
    assert set(breakers["payment"].snapshot().last_errors) == {"timeout"}


async def test_the_network_hears_our_token_and_no_more_calls_than_the_rate(world: World) -> None:
    heard: list[str | None] = []

    async def note(request: httpx.Request) -> None:
        heard.append(request.headers.get("authorization"))

    made = await world(payment_token=SecretStr("t0k3n"), payment_rate="2/minute", payment_timeout_seconds=4)
    made.clients[0].event_hooks["request"].append(note)
    for number in range(2):
        await made.payments[0].capture(Attempt(f"k{number}", 1000, "USD", "tok_approve"))

    with pytest.raises(PaymentNotSentError, match="RateLimitedError"):
        await made.payments[0].capture(Attempt("k3", 1000, "USD", "tok_approve"))

    await made.carrier.book("A-1/EAST", {})
    assert heard == ["Bearer t0k3n"] * 3
    await close(made)
