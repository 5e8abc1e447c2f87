"""Who is sent notifications, as the settings say: receivers of webhooks, each with a breaker, and staff addresses."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import httpx

from agent.breakers import Breakers
from agent.notifications.staff_addresses import StaffAddress, staff_addresses
from agent.notifications.webhook import TIMEOUT_SECONDS, WebhookReceiver
from agent.providers.factory import guarded
from agent.resilience import BreakerConfig
from agent.settings import Settings

_BOUNDS: Final = BreakerConfig(
    minimum_number_of_calls=4, slow_call_duration=TIMEOUT_SECONDS, probe_lease_seconds=2 * TIMEOUT_SECONDS
)


@dataclass(frozen=True)
class Receivers:
    """Receivers of webhooks by audience, addresses by queue. `clients` hold connections, and are to be closed."""

    webhooks: Mapping[str, WebhookReceiver]
    addresses: Mapping[str, StaffAddress]
    clients: Sequence[httpx.AsyncClient]


async def build_receivers(config: Settings, breakers: Breakers) -> Receivers:
    """Build the receivers that the settings name. Raises ValueError for a secret or an address of another form."""
    webhooks: dict[str, WebhookReceiver] = {}
    clients: list[httpx.AsyncClient] = []
    for audience, url, secret, setting in (
        ("customers", config.notice_webhook_url, config.notice_webhook_secret, "NOTICE_WEBHOOK_SECRET"),
        ("staff", config.approval_webhook_url, config.approval_webhook_secret, "APPROVAL_WEBHOOK_SECRET"),
    ):
        if url:
            clients.append(httpx.AsyncClient(timeout=TIMEOUT_SECONDS, trust_env=False))
            breaker = breakers.add(f"{audience}-webhook", _BOUNDS)
            http = guarded(clients[-1], breaker, TIMEOUT_SECONDS, media_type=None)
            webhooks[audience] = WebhookReceiver(http, url, secret.get_secret_value(), setting)
    return Receivers(webhooks, await asyncio.to_thread(staff_addresses, config), clients)
