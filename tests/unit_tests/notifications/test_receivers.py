"""Who is sent notifications: whom the settings name, each through a breaker of their own."""

import pytest
from pydantic import SecretStr

from agent.breakers import Breakers
from agent.notifications.receivers import build_receivers
from agent.settings import Settings

URL = "http://127.0.0.1:1/hook"


@pytest.mark.parametrize(("prefix", "audience"), [("notice", "customers"), ("approval", "staff")])
async def test_a_receiver_is_called_through_a_breaker_of_its_own(config: Settings, prefix: str, audience: str) -> None:
    secret = SecretStr("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    given = {f"{prefix}_webhook_url": URL, f"{prefix}_webhook_secret": secret}
    breakers = Breakers()

    made = await build_receivers(config.model_copy(update=given), breakers)

    assert (list(made.webhooks), list(breakers), made.addresses) == ([audience], [f"{audience}-webhook"], {})
    for client in made.clients:
        await client.aclose()


async def test_a_secret_that_signs_nothing_is_named_by_its_setting(config: Settings) -> None:
    with pytest.raises(ValueError, match="APPROVAL_WEBHOOK_SECRET must be whsec_"):
        await build_receivers(config.model_copy(update={"approval_webhook_url": URL}), Breakers())
