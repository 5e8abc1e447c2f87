"""The world outside as tests move it: the carrier's van, addresses it does not drive to, a second card network.

Each is moved as the world would move it: at the sandbox, never in our ledger.
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import aiosqlite
import httpx
from sqlalchemy import select

from agent.commerce.debts import Debts
from agent.commerce.payments import Payments
from agent.ledger.tables import OrderRow, PaymentMethodRow
from agent.providers.factory import guarded, sandbox_client
from agent.providers.payment import PaymentProvider
from agent.providers.sandbox import SandboxProvider
from agent.resilience import BreakerConfig
from agent.services import Services
from tests.support.scenes import Hook

NEVER_TAKEN = "00000"
"""A postcode to which the sandbox's carrier takes nothing."""

BOOKS = (("GET", "/charges"), ("GET", "/shipments"))


async def the_van_comes(shop: Services) -> None:
    """All parcels that are booked leave, says the carrier when it is asked next."""
    await at_the_carrier(shop)  # its books are there now, if it never heard of a parcel
    async with aiosqlite.connect(shop.settings.data_dir / "sandbox.db", timeout=15) as db:
        await db.execute("UPDATE shipments SET leaves_at = 0 WHERE leaves_at IS NOT NULL")
        await db.commit()


async def at_the_carrier(shop: Services) -> dict[str, str]:
    """How far each parcel is that the carrier has heard of."""
    told = (await shop.providers.clients[0].get("/shipments")).json()["shipments"]
    return {each["parcel_id"]: each["state"] for each in told}


async def readdress(shop: Services, order_id: str, postcode: str) -> None:
    """Only this postcode differs from now on, whatever was booked before."""
    with shop.database.writing() as session:
        order = session.get_one(OrderRow, order_id)
        order.ship_to = order.ship_to | {"postcode": postcode}


def only(path: str, hook: Hook) -> Hook:
    """A hook for `wire` that befalls requests to this path, or their responses, and no others."""
    return _when(lambda request: request.url.path == path, hook)


def sparing_the_books(hook: Hook) -> Hook:
    """A hook for `wire` that leaves a test's own look at everything alone."""
    return _when(lambda request: (request.method, request.url.path) not in BOOKS, hook)


def _when(it_is: Callable[[httpx.Request], bool], hook: Hook) -> Hook:
    async def perhaps(message: httpx.Request | httpx.Response) -> None:
        if it_is(message if isinstance(message, httpx.Request) else message.request):
            await hook(message)

    return perhaps


def with_second(shop: Services) -> Services:
    """The shop with a second card network, `world.clients[1]`, asked when the first surely took nothing. Both know
    every card, by the same token."""
    with shop.database.writing() as session:
        for method in session.scalars(select(PaymentMethodRow)):
            method.tokens = dict.fromkeys(("sandbox", "second"), method.token)
    client = sandbox_client("", shop.settings.data_dir / "second.db", timeout=30, slow_seconds=0)
    breaker = shop.breakers.add("second-payment", BreakerConfig())
    second = SandboxProvider(guarded(client, breaker, seconds=30), timeout=60, name="second")
    world = replace(shop.providers, clients=[*shop.providers.clients, client])
    return at_providers(replace(shop, providers=world), *shop.providers.payments, second)


def at_providers(shop: Services, *providers: PaymentProvider) -> Services:
    """The shop, configured for these providers."""
    settings = shop.settings
    payments = Payments(shop.database, providers, timedelta(seconds=settings.payment_wait_seconds))
    first_wait = timedelta(seconds=settings.debt_retry_seconds)
    return replace(
        shop,
        payments=payments,
        debts=Debts(shop.database, payments, providers, shop.providers.carrier, first_wait),
        providers=replace(shop.providers, payments=providers),
    )
