"""The world outside, as settings name it."""

from pathlib import Path

import httpx
import pytest
from pydantic import SecretStr

from agent.providers.outside import OutsideWorld, outside_world
from agent.providers.payment import Attempt, PaymentNotSentError
from agent.providers.webhooks import WebhookRefusedError
from agent.resilience import CircuitOpenError
from agent.settings import Settings


async def world(folder: Path, **more: object) -> OutsideWorld:
    return await outside_world(Settings(data_dir=folder, payment_timeout_seconds=2, **more))  # type: ignore[arg-type]


async def close(made: OutsideWorld) -> None:
    for client in made.clients:
        await client.aclose()


async def test_without_settings_the_sandbox_takes_the_money(tmp_path: Path) -> None:
    made = await world(tmp_path)

    charge = await made.payments[0].capture(Attempt("k1", 1000, "USD", "tok_approve"))

    assert (charge.outcome, [provider.name for provider in made.payments]) == ("captured", ["sandbox"])
    assert (set(made.breakers), set(made.webhooks)) == ({"payment", "carrier"}, {"sandbox"})
    await close(made)


async def test_stripe_takes_it_instead_and_may_send_webhooks(tmp_path: Path) -> None:
    nobody = "http://127.0.0.1:1"
    made = await world(tmp_path, payment_provider="stripe", stripe_api_key=SecretStr("sk_test_1"), stripe_url=nobody)

    assert [provider.name for provider in made.payments] == ["stripe"]
    with pytest.raises(PaymentNotSentError):
        await made.payments[0].capture(Attempt("k1", 1000, "USD", "cus_1/pm_1"))
    with pytest.raises(WebhookRefusedError):
        made.webhooks["stripe"].payment(httpx.Headers(), b"{}")
    await close(made)


async def test_a_second_provider_stands_behind_a_breaker_of_its_own(tmp_path: Path) -> None:
    made = await world(tmp_path, second_payment_url="http://127.0.0.1:1")
    made.breakers["payment"].force_open()

    with pytest.raises(CircuitOpenError):
        await made.payments[0].capture(Attempt("k1", 1000, "USD", "tok_approve"))
    with pytest.raises(PaymentNotSentError):
        await made.payments[1].capture(Attempt("k1", 1000, "USD", "tok_approve"))
    assert [provider.name for provider in made.payments] == ["sandbox", "second"]
    await close(made)


async def test_who_wants_notices_is_called_through_a_breaker(tmp_path: Path) -> None:
    secret = SecretStr("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    made = await world(tmp_path, notice_webhook_url="http://127.0.0.1:1/hear", notice_webhook_secret=secret)

    assert made.notices is not None
    assert "notices" in made.breakers
    await close(made)
