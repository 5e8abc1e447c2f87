"""The wire to a receiver of notifications: what is no success is an error, in time, without the secret."""

import asyncio
from base64 import b64encode
from collections.abc import AsyncIterator

import httpx
import pytest
from fastapi import FastAPI

from agent.notifications.webhook import NotDeliveredError, WebhookReceiver
from agent.providers.factory import guarded
from agent.resilience import BreakerConfig, CircuitBreaker, CircuitOpenError
from tests.support.serving import PATIENCE, serving

SECRET = f"whsec_{b64encode(bytes(range(24))).decode()}"


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(trust_env=False) as one:
        yield one


def receiver(client: httpx.AsyncClient, url: str, seconds: float = PATIENCE) -> WebhookReceiver:
    breaker = CircuitBreaker("notices", BreakerConfig(minimum_number_of_calls=1))
    return WebhookReceiver(guarded(client, breaker, seconds, media_type=None), url, SECRET, "THE_SECRET")


async def test_nobody_there_is_not_taken_and_then_not_asked(client: httpx.AsyncClient) -> None:
    async with serving(FastAPI()) as url:
        pass
    gone = receiver(client, url)

    with pytest.raises(NotDeliveredError, match="ConnectError"):
        await gone.take("k", {})
    with pytest.raises(CircuitOpenError):
        await gone.take("k", {})


async def test_who_takes_too_long_has_not_taken_it(client: httpx.AsyncClient) -> None:
    app, ended = FastAPI(), asyncio.Event()

    @app.post("/")
    async def wait() -> None:
        await ended.wait()

    async with serving(app) as url:
        with pytest.raises(NotDeliveredError, match="TimeoutError"):
            await receiver(client, url, seconds=0.2).take("k", {})
        ended.set()


async def test_an_error_names_the_status(client: httpx.AsyncClient) -> None:
    async with serving(FastAPI()) as url:
        with pytest.raises(NotDeliveredError) as why:
            await receiver(client, f"{url}/?token=secret").take("k", {})

    assert why.value.why == "404"
    assert "secret" not in str(why.value)


@pytest.mark.parametrize(
    "secret", ["", "whsec_", "whsec_c2hvcnQ=", SECRET.removeprefix("whsec_"), "whsec_no-base64" * 9]
)
async def test_a_secret_that_signs_nothing_is_refused_at_the_start(client: httpx.AsyncClient, secret: str) -> None:
    with pytest.raises(ValueError, match="THE_SECRET must be whsec_ and the base64 of 24") as why:
        WebhookReceiver(client, "http://127.0.0.1/", secret, "THE_SECRET")

    assert not secret[6:] or secret[6:] not in str(why.value)
