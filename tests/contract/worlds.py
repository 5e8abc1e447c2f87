"""The providers that come with it: the sandbox, Stripe, and the example, each over real HTTP."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import httpx

from agent.providers.factory import sandbox_client
from agent.providers.payment import Attempt
from agent.providers.sandbox import SandboxProvider
from agent.providers.stripe import StripeProvider
from examples.payment_provider import CardApi
from sandbox.server import Sandbox
from tests.contract.world import World
from tests.support.card_api import FakeCardApi
from tests.support.serving import PATIENCE, serving
from tests.support.stripe_stub import Fault, StripeStub


@asynccontextmanager
async def sandbox(folder: Path) -> AsyncIterator[World]:
    async def sums() -> tuple[int, int]:
        told = (await client.get("/charges")).json()
        taken = [each["amount"] for each in told["charges"] if each["status"] == "captured"]
        return sum(taken), sum(each["amount"] for each in told["refunds"])

    database = folder / "network.db"
    async with serving(Sandbox(database)) as url, sandbox_client(url, database, PATIENCE, 0) as client:
        good = Attempt("k1", 1000, "USD", "tok_approve")
        yield World(
            SandboxProvider(client, PATIENCE),
            SandboxProvider(client, 0.5),
            good,
            replace(good, key="k2", token="tok_decline"),
            replace(good, key="k3", token="tok_timeout_after_charge"),
            undecided=None,
            sums=sums,
            voids_ahead=True,
        )


@asynccontextmanager
async def stripe(_: Path) -> AsyncIterator[World]:
    async def sums() -> tuple[int, int]:
        taken = [each.amount for each in stub.all("charge") if each.status == "succeeded"]
        return sum(taken), sum(each.amount for each in stub.all("refund"))

    async def lose(request: httpx.Request) -> None:
        if request.headers.get("idempotency-key") == "k3:confirm":
            stub.faults.append(Fault("/confirm", after=True))

    stub = StripeStub()
    async with stub.serving(), httpx.AsyncClient(event_hooks={"request": [lose]}) as client:
        customer = stub.customer()
        good = Attempt("k1", 1000, "USD", f"{customer}/pm_card_visa")
        provider = StripeProvider(client, "sk_test_contract", "whsec_contract", PATIENCE, url=stub.url)
        yield World(
            provider,
            provider,  # its answer is lost at once
            good,
            replace(good, key="k2", token=f"{customer}/pm_card_chargeCustomerFail"),
            replace(good, key="k3"),
            undecided=None,  # of cards only; what it says of one is in tests/unit_tests/providers
            sums=sums,
            voids_ahead=False,
        )


@asynccontextmanager
async def card_api(_: Path) -> AsyncIterator[World]:
    async def sums() -> tuple[int, int]:
        taken = [each["amount"] for each in fake.payments.values() if each["status"] == "captured"]
        return sum(taken), sum(each["amount"] for each in fake.refunds.values())

    fake = FakeCardApi()
    async with (
        serving(fake.app) as url,
        httpx.AsyncClient(base_url=url, timeout=PATIENCE) as client,
        httpx.AsyncClient(base_url=url, timeout=0.5) as hasty,
    ):
        good = Attempt("k1", 1000, "USD", "card_pays")
        yield World(
            CardApi(client),
            CardApi(hasty),
            good,
            declining=replace(good, key="k2", token="card_declines"),
            losing=replace(good, key="k3", token="card_slow"),
            undecided=replace(good, key="k4", token="card_pending"),
            sums=sums,
            voids_ahead=True,
        )


OURS = [sandbox, stripe, card_api]
