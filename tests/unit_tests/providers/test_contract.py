"""What the payment port promises, whoever keeps it: the sandbox and Stripe, each over real HTTP."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest

from agent.providers.factory import sandbox_client
from agent.providers.payment import Attempt, Movement, PaymentProvider, PaymentRejectedError, PaymentUnknownError
from agent.providers.sandbox import SandboxProvider
from agent.providers.stripe import StripeProvider
from sandbox.server import Sandbox
from tests.support.serving import PATIENCE, serving
from tests.support.stripe_stub import Fault, StripeStub

Sums = Callable[[], Awaitable[tuple[int, int]]]


@dataclass(frozen=True)
class World:
    """A provider and what a test must know of it: which cards do what, and the money taken and given back so far.

    `hasty` is the same provider for an answer that does not come: it waits half a second.
    """

    provider: PaymentProvider
    hasty: PaymentProvider
    good: Attempt
    declining: Attempt
    losing: Attempt
    sums: Sums
    voids_ahead: bool  # an attempt of which it never heard; else what comes later is late money, and given back


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
            sums,
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
            sums,
            voids_ahead=False,
        )


@pytest.fixture(params=[sandbox, stripe])
async def world(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[World]:
    async with request.param(tmp_path) as made:
        yield made


async def test_nothing_is_found_of_an_attempt_that_never_came(world: World) -> None:
    assert await world.provider.find(world.good) is None


async def test_the_same_attempt_twice_takes_the_money_once(world: World) -> None:
    charge = await world.provider.capture(world.good)
    assert (charge.key, charge.outcome, charge.amount, charge.reason) == ("k1", "captured", 1000, "")
    assert await world.provider.capture(world.good) == charge
    assert await world.provider.find(world.good) == charge
    assert await world.sums() == (1000, 0)


async def test_two_captures_at_once_take_the_money_once(world: World) -> None:
    both = await asyncio.gather(world.provider.capture(world.good), world.provider.capture(world.good))
    assert both[0] == both[1]
    assert await world.sums() == (1000, 0)


async def test_a_decline_is_an_answer_with_a_reason_and_is_kept(world: World) -> None:
    charge = await world.provider.capture(world.declining)
    assert charge.outcome == "declined"
    assert charge.reason
    for again in (world.provider.capture, world.provider.find, world.provider.void):
        assert await again(world.declining) == charge
    assert await world.sums() == (0, 0)


async def test_a_lost_answer_is_unknown_and_the_look_up_tells_it(world: World) -> None:
    with pytest.raises(PaymentUnknownError):
        await world.hasty.capture(world.losing)
    found = await world.provider.find(world.losing)
    assert found
    assert found.outcome == "captured"
    assert await world.sums() == (1000, 0)


async def test_a_voided_attempt_takes_nothing_when_it_comes_after_all(world: World) -> None:
    assert await world.provider.void(world.good) is None
    assert await world.provider.void(world.good) is None
    assert await world.provider.find(world.good) is None
    if not world.voids_ahead:
        return
    late = await world.provider.capture(world.good)
    assert late.outcome == "declined"
    assert late.reason
    assert await world.sums() == (0, 0)


async def test_a_void_that_comes_too_late_tells_what_the_attempt_did(world: World) -> None:
    charge = await world.provider.capture(world.good)
    assert await world.provider.void(world.good) == charge
    assert await world.provider.find(world.good) == charge


async def test_a_capture_and_a_void_that_race_agree_on_the_outcome(world: World) -> None:
    charge, voided = await asyncio.gather(world.provider.capture(world.good), world.provider.void(world.good))
    if world.voids_ahead or voided:
        assert voided == (charge if charge.outcome == "captured" else None)
    assert await world.sums() == (1000 if charge.outcome == "captured" else 0, 0)


async def test_a_key_with_another_sum_is_rejected(world: World) -> None:
    charge = await world.provider.capture(world.good)
    with pytest.raises(PaymentRejectedError):
        await world.provider.capture(replace(world.good, amount=2000))
    assert await world.provider.find(world.good) == charge
    assert await world.sums() == (1000, 0)


async def test_money_is_given_back_in_parts_and_each_part_once(world: World) -> None:
    charge = await world.provider.capture(world.good)
    for key, amount in (("r1", 600), ("r2", 400), ("r1", 600), ("r2", 400)):
        await world.provider.refund(key, charge.provider_id, amount)
    assert await world.sums() == (1000, 1000)


async def test_more_than_was_captured_is_rejected(world: World) -> None:
    charge = await world.provider.capture(world.good)
    await world.provider.refund("r1", charge.provider_id, 600)
    with pytest.raises(PaymentRejectedError):
        await world.provider.refund("r2", charge.provider_id, 401)
    assert await world.sums() == (1000, 600)


async def test_a_refunds_key_with_another_sum_is_rejected(world: World) -> None:
    charge = await world.provider.capture(world.good)
    await world.provider.refund("r1", charge.provider_id, 600)
    with pytest.raises(PaymentRejectedError):
        await world.provider.refund("r1", charge.provider_id, 300)
    assert await world.sums() == (1000, 600)


async def test_the_books_have_each_capture_and_each_refund_and_no_decline(world: World) -> None:
    began = datetime.now(UTC) - timedelta(minutes=1)
    charge = await world.provider.capture(world.good)
    await world.provider.capture(world.declining)
    await world.provider.refund("r1", charge.provider_id, 400)
    assert await world.provider.movements(began) == [
        Movement("capture", "k1", charge.provider_id, 1000),
        Movement("refund", "r1", charge.provider_id, 400),
    ]


async def test_the_books_are_read_over_all_their_pages(world: World) -> None:
    began = datetime.now(UTC) - timedelta(minutes=1)
    charge = await world.provider.capture(world.good)
    for number in range(150):
        await world.provider.refund(f"r{number}", charge.provider_id, 1)
    keys = [each.key for each in await world.provider.movements(began)]
    assert (len(keys), set(keys)) == (151, {"k1", *(f"r{number}" for number in range(150))})
