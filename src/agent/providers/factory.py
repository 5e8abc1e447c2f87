"""The world outside as it is configured: payment providers and a carrier.

Each is called through a transport of its own, with its breaker; what lives at one address shares its connections.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final, Literal, Self

import httpx

from agent.breakers import Breakers
from agent.providers.carrier import Carrier
from agent.providers.oauth import client_credentials
from agent.providers.payment import PaymentProvider
from agent.providers.sandbox import SandboxProvider
from agent.providers.sandbox_carrier import SandboxCarrier
from agent.resilience import BreakerConfig, CircuitBreaker, CircuitOpenError
from agent.resilience.credentials import Auth, HeaderAuth, TokenAuth
from agent.resilience.response_cache import CacheRules
from agent.resilience.transport import ClientWire, ResilientTransport, TransportConfig
from agent.settings import PaymentProviderName, Settings
from sandbox.server import InProcess, Sandbox

Reader = Callable[[Mapping[str, str], bytes], str | None]
"""Reads headers and body of a webhook: what to ask about, None for another matter; raises `WebhookRefusedError`."""


TRACKING: Final = CacheRules(seconds={"GET /shipments/*": 30.0})
"""How long a parcel is as the carrier last said, to whoever asks where it is; nothing is decided by it."""


def nothing(headers: Mapping[str, str], body: bytes) -> None:
    """A reader of webhooks that are never about this."""


@dataclass(frozen=True)
class Webhooks:
    """What a source sends: keys of payments, keys of refunds, its own ids of payments that are disputed, ids of
    parcels."""

    payment: Reader = nothing
    refund: Reader = nothing
    dispute: Reader = nothing
    parcel: Reader = nothing

    @classmethod
    def of(cls, provider: PaymentProvider) -> Self:
        """What a payment provider sends."""
        return cls(provider.read_webhook, provider.read_refund_webhook, provider.read_dispute_webhook)


@dataclass(frozen=True)
class Providers:
    """What is called over HTTP, and who may call. The first provider is asked first.

    `clients` hold the connections, with no breaker before them, and are to be
    closed.
    """

    payments: Sequence[PaymentProvider]
    payment_breakers: Sequence[CircuitBreaker]
    carrier: Carrier
    clients: Sequence[httpx.AsyncClient]
    webhooks: dict[str, Webhooks]
    past: PaymentProvider
    """The sandbox for what a shop brings with it: how the network is then is no news for a breaker."""

    def no_payments(self) -> CircuitOpenError | None:
        """Why no payment provider would be asked now, if so: each has its breaker open."""
        refusals = [breaker.refusal() for breaker in self.payment_breakers]
        return refusals[0] if all(refusals) else None


async def build_providers(config: Settings, breakers: Breakers) -> Providers:
    """Build the providers that the settings name, each behind a breaker."""
    seconds, bounds = config.payment_timeout_seconds, _bounds(config)
    payment, carrier = (breakers.add(name, bounds) for name in ("payment", "carrier"))
    network = await _sandbox(config, config.payment_url)
    secret = config.sandbox_webhook_secret.get_secret_value()
    tokens: list[httpx.AsyncClient] = []
    auth = _auth(config, tokens, breakers)
    http = guarded(network, carrier, seconds, auth=auth, cache=TRACKING)
    parcels = SandboxCarrier(http, 2 * seconds, webhook_secret=secret)
    payment_breakers = [payment]
    made = [await _payment_provider(config.payment_provider, config, network, payment, auth)]
    if second := "second" if config.second_payment_url else config.second_payment_provider:
        payment_breakers.append(breakers.add("second-payment", bounds))
        made.append(await _payment_provider(second, config, network, payment_breakers[-1], auth))
    providers = [provider for provider, _ in made]
    webhooks = {provider.name: Webhooks.of(provider) for provider in providers}
    webhooks["sandbox"] = replace(webhooks.get("sandbox", Webhooks()), parcel=parcels.read_webhook)
    clients = dict.fromkeys([network, *(client for _, client in made), *tokens])  # each once
    unheard = CircuitBreaker("past", bounds)
    past = SandboxProvider(guarded(network, unheard, seconds, auth=auth), 2 * seconds)
    return Providers(providers, payment_breakers, parcels, list(clients), webhooks, past)


async def _payment_provider(
    name: PaymentProviderName | Literal["second"],
    config: Settings,
    network: httpx.AsyncClient,
    breaker: CircuitBreaker,
    auth: Auth | None,
) -> tuple[PaymentProvider, httpx.AsyncClient]:
    """A payment provider behind this breaker, and the client whose connections it uses; `network` is the sandbox's,
    which is told who we are by `auth`.

    `second` is another network of the sandbox's form.
    """
    seconds, rate = config.payment_timeout_seconds, (config.payment_rate, config.redis_url)
    match name:
        case "sandbox":
            http = guarded(network, breaker, seconds, rate=rate, auth=auth)
            secret = config.sandbox_webhook_secret.get_secret_value()
            return SandboxProvider(http, 2 * seconds, webhook_secret=secret), network
        case "second":
            client = await _sandbox(config, config.second_payment_url)
            http = guarded(client, breaker, seconds, rate=rate)
            return SandboxProvider(http, 2 * seconds, name="second"), client
        case "stripe":
            client = httpx.AsyncClient(timeout=_timeouts(seconds), trust_env=False)
            http = guarded(client, breaker, seconds, rate=rate)
            return await asyncio.to_thread(_stripe, config, http), client


def guarded(
    client: httpx.AsyncClient,
    breaker: CircuitBreaker,
    seconds: float,
    *,
    media_type: str | None = "application/json",
    rate: tuple[str, str] = ("", ""),
    auth: Auth | None = None,
    cache: CacheRules | None = None,
) -> httpx.AsyncClient:
    """A client for what `breaker` stands for, over the connections of another.

    An exchange may take `seconds`, after half of that in waiting for a place, and a quarter for its turn in the `rate`
    (in `limits`' words, such as `100/second`, and the Redis by which workers share it; empty: none). So what bounds a
    call from further out, of which the breaker does not hear, should leave it twice as long.
    """
    bounds = TransportConfig(
        name=breaker.name,
        rate=rate[0] or None,
        redis_url=rate[1],
        rate_wait=seconds / 4,
        max_concurrent=50,  # of the 100 connections to an address, which two services may share
        concurrency_wait=seconds / 2,
        timeout=seconds,
        max_body=2**20,
        media_type=media_type,
        cache=cache,
    )
    transport = ResilientTransport(ClientWire(client), bounds, breaker, auth)
    return httpx.AsyncClient(transport=transport, base_url=client.base_url, timeout=client.timeout)


def _auth(config: Settings, clients: list[httpx.AsyncClient], breakers: Breakers) -> Auth | None:
    """Who we are at `payment_url`. A token endpoint is called over a client of its own, which joins `clients`, and
    behind a breaker of its own."""
    if config.payment_token_url:
        clients.append(httpx.AsyncClient(timeout=_timeouts(config.payment_timeout_seconds), trust_env=False))
        secret = config.payment_client_secret.get_secret_value()
        breaker, seconds = breakers.add("payment-token", _bounds(config)), config.payment_timeout_seconds / 2
        http = guarded(clients[-1], breaker, seconds)
        return TokenAuth(client_credentials(http, config.payment_token_url, config.payment_client_id, secret))
    token = config.payment_token.get_secret_value()
    return HeaderAuth("Authorization", f"Bearer {token}") if token else None


def _stripe(config: Settings, client: httpx.AsyncClient) -> PaymentProvider:
    """Stripe, whose SDK is an extra, and takes a moment to import."""
    from agent.providers.stripe import StripeProvider  # noqa: PLC0415

    url = {"url": config.stripe_url} if config.stripe_url else {}
    keys = (config.stripe_api_key.get_secret_value(), config.stripe_webhook_secret.get_secret_value())
    return StripeProvider(client, *keys, 2 * config.payment_timeout_seconds, **url)


def _timeouts(seconds: float) -> httpx.Timeout:
    """A dead host is known before a call's time is over: no connection is not an unknown."""
    connect = min(seconds / 2, 2.0)
    return httpx.Timeout(seconds, connect=connect, pool=connect)


def sandbox_client(
    url: str, database: Path, timeout: float, slow_seconds: float, hand_over_seconds: float = 0.0
) -> httpx.AsyncClient:
    """A client for the sandbox at `url`, cards and parcels; without one, for a sandbox in this process.

    `timeout` is in seconds. `database` (that sandbox's own SQLite file), `slow_seconds` (what `tok_slow` takes) and
    `hand_over_seconds` (how long a parcel waits to be fetched) are for the sandbox in this process only.
    """
    if not url:
        sandbox = Sandbox(database, slow_seconds=slow_seconds, hand_over_seconds=hand_over_seconds)
        return httpx.AsyncClient(transport=InProcess(sandbox), base_url="http://sandbox")
    return httpx.AsyncClient(
        base_url=url,
        timeout=_timeouts(timeout),
        limits=httpx.Limits(max_connections=100, keepalive_expiry=2.0),  # well before the server hangs up at 5 s
        trust_env=False,
    )


async def _sandbox(config: Settings, url: str) -> httpx.AsyncClient:
    return await asyncio.to_thread(
        sandbox_client,
        url,
        config.data_dir / "sandbox.db",
        config.payment_timeout_seconds,
        config.sandbox_slow_seconds,
        config.carrier_hand_over_seconds,
    )


def _bounds(config: Settings) -> BreakerConfig:
    return BreakerConfig(
        minimum_number_of_calls=config.payment_breaker_minimum_calls,
        wait_duration_in_open=config.payment_breaker_open_seconds,
        max_wait_duration_in_open=max(60.0, config.payment_breaker_open_seconds),
        slow_call_duration=config.payment_timeout_seconds,
        probe_lease_seconds=2 * config.payment_timeout_seconds,
    )
