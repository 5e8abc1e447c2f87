"""The world outside as it is configured: payment providers and a carrier, each behind a breaker of its own."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import httpx

from agent.observability.events import emit
from agent.providers.carrier import Carrier
from agent.providers.guarded import GuardedCarrier, GuardedPayment
from agent.providers.notices import TIMEOUT_SECONDS, NoticeReceiver
from agent.providers.payment import PaymentProvider
from agent.providers.sandbox import SandboxProvider, sandbox_client
from agent.providers.sandbox_carrier import SandboxCarrier
from agent.resilience import BreakerConfig, BreakerMoved, CircuitBreaker
from agent.settings import Settings

Reader = Callable[[Mapping[str, str], bytes], str | None]
"""Reads headers and body of a webhook: what to ask about, None for another matter; raises `WebhookRefusedError`."""


def nothing(headers: Mapping[str, str], body: bytes) -> None:
    """A reader of webhooks that are never about this."""


@dataclass(frozen=True)
class Webhooks:
    """What a source sends: keys of payments, ids of parcels."""

    payment: Reader = nothing
    parcel: Reader = nothing


@dataclass(frozen=True)
class OutsideWorld:
    """What is called over HTTP, and who may call. The first provider is asked first; `clients` are to be closed."""

    payments: Sequence[GuardedPayment]
    carrier: Carrier
    notices: NoticeReceiver | None
    breakers: dict[str, CircuitBreaker]
    clients: Sequence[httpx.AsyncClient]
    webhooks: dict[str, Webhooks]


async def outside_world(config: Settings) -> OutsideWorld:
    """Build the providers that the settings name."""
    timeout, secret = config.payment_timeout_seconds, config.sandbox_webhook_secret.get_secret_value()
    clients = [await _sandbox(config, config.payment_url)]
    parcels = SandboxCarrier(clients[0], timeout, webhook_secret=secret)
    cards = SandboxProvider(clients[0], timeout, webhook_secret=secret)
    webhooks = {"sandbox": Webhooks(cards.read_webhook, parcels.read_webhook)}
    providers: list[PaymentProvider] = [cards]
    if config.payment_provider == "stripe":
        clients.append(httpx.AsyncClient(timeout=_timeouts(timeout), trust_env=False))
        providers, webhooks["stripe"] = await asyncio.to_thread(_stripe, config, clients[-1])
    if config.second_payment_url:
        clients.append(await _sandbox(config, config.second_payment_url))
        providers.append(SandboxProvider(clients[-1], timeout, name="second"))
    breakers = {name: _breaker(name, config) for name in ("carrier", *("payment", "second-payment")[: len(providers)])}
    notices = None
    if config.notice_webhook_url:
        clients.append(httpx.AsyncClient(timeout=TIMEOUT_SECONDS, trust_env=False))
        breakers["notices"] = CircuitBreaker(
            "notices",
            BreakerConfig(
                minimum_number_of_calls=4, slow_call_duration=TIMEOUT_SECONDS, probe_lease_seconds=2 * TIMEOUT_SECONDS
            ),
            listeners=[breaker_moved],
        )
        secret = config.notice_webhook_secret.get_secret_value()
        notices = NoticeReceiver(clients[-1], config.notice_webhook_url, secret, breakers["notices"])
    return OutsideWorld(
        payments=[
            GuardedPayment(provider, breakers[name])
            for provider, name in zip(providers, ("payment", "second-payment"), strict=False)
        ],
        carrier=GuardedCarrier(parcels, breakers["carrier"]),
        notices=notices,
        breakers=breakers,
        clients=clients,
        webhooks=webhooks,
    )


def _stripe(config: Settings, client: httpx.AsyncClient) -> tuple[list[PaymentProvider], Webhooks]:
    """Stripe, whose SDK is an extra, and takes a moment to import."""
    from agent.providers.stripe import StripeProvider  # noqa: PLC0415

    url = {"url": config.stripe_url} if config.stripe_url else {}
    keys = (config.stripe_api_key.get_secret_value(), config.stripe_webhook_secret.get_secret_value())
    provider = StripeProvider(client, *keys, config.payment_timeout_seconds, **url)
    return [provider], Webhooks(payment=provider.read_webhook)


def breaker_moved(move: BreakerMoved) -> None:
    """A breaker's move is an event (law 13)."""
    emit("breaker.moved", name=move.name, before=move.before, after=move.after, kind=move.kind)


def _timeouts(seconds: float) -> httpx.Timeout:
    """A dead host is known before a call's time is over: no connection is not an unknown."""
    connect = min(seconds / 2, 2.0)
    return httpx.Timeout(seconds, connect=connect, pool=connect)


async def _sandbox(config: Settings, url: str) -> httpx.AsyncClient:
    return await asyncio.to_thread(
        sandbox_client,
        url,
        config.data_dir / "sandbox.db",
        config.payment_timeout_seconds,
        config.sandbox_slow_seconds,
        config.carrier_hand_over_seconds,
    )


def _breaker(name: str, config: Settings) -> CircuitBreaker:
    return CircuitBreaker(
        name,
        BreakerConfig(
            minimum_number_of_calls=config.payment_breaker_minimum_calls,
            wait_duration_in_open=config.payment_breaker_open_seconds,
            max_wait_duration_in_open=max(60.0, config.payment_breaker_open_seconds),
            slow_call_duration=config.payment_timeout_seconds,
            probe_lease_seconds=2 * config.payment_timeout_seconds,
        ),
        listeners=[breaker_moved],
    )
