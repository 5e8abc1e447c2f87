"""The clock goes back an hour: whatever was written as the present, and has yet to come, holds nothing up."""

import time
from datetime import timedelta

import pytest

from agent.commerce.commands import NewOrder
from agent.identity import Caller
from agent.ledger.times import CLOCK_SKEW
from agent.resilience import capacity
from agent.resilience.capacity import RateLimit
from agent.server import limits
from agent.server.limits import TooManyError, throttle
from agent.server.watchdog import is_late
from agent.services import Services
from tests.support.clock import Clock
from tests.support.commands import place_order, refund_payment
from tests.support.orders import SMALL, order, redrive_order, thread_of
from tests.support.scenes import new_order, paid, unreachable, wire
from tests.support.threads import events

HOUR = timedelta(hours=1)


async def test_an_order_under_way_is_taken_on_at_once_and_that_is_an_event(shop: Services, clock: Clock) -> None:
    await place_order(shop, NewOrder.model_validate(order(SMALL)["order"]), actor="ada_park")
    assert await shop.queries.unfinished(stale_seconds=120) == []
    before = events("clock.went_back")

    clock.now -= HOUR

    [left] = await shop.queries.unfinished(stale_seconds=120)
    assert events("clock.went_back") == before + 1
    assert (await redrive_order(thread_of(), left["id"]))["processing_stage"] == "completed"
    assert await shop.queries.unfinished(stale_seconds=120) == []


async def test_clocks_of_two_machines_that_differ_a_little_are_no_reason(shop: Services, clock: Clock) -> None:
    await place_order(shop, NewOrder.model_validate(order(SMALL)["order"]), actor="ada_park")
    clock.now -= CLOCK_SKEW
    assert await shop.queries.unfinished(stale_seconds=120) == []
    clock.advance(seconds=-1)
    assert len(await shop.queries.unfinished(stale_seconds=120)) == 1


async def test_a_thread_that_failed_is_given_up_at_once(shop: Services, clock: Clock) -> None:
    await place_order(shop, NewOrder.model_validate(order(SMALL)["order"]), actor="ada_park")
    wait = timedelta(minutes=2)
    assert await shop.orders.give_up_thread("N-1", wait)
    assert await shop.orders.give_up_thread("N-1", wait) is None

    clock.now -= HOUR

    assert await shop.orders.give_up_thread("N-1", wait)
    assert await shop.orders.give_up_thread("N-1", wait) is None


async def test_what_is_owed_is_paid(shop: Services, clock: Clock) -> None:
    await paid(shop, new_order())
    await refund_payment(shop, "A-1", 10_00)
    with wire(shop.providers.clients[0], request=unreachable):
        assert await shop.debts.settle() == {"r1:A-1:pay:1": "owed"}
    shop.breakers["payment"].reset()
    assert await shop.debts.settle() == {}

    clock.now -= HOUR

    assert await shop.debts.settle() == {"r1:A-1:pay:1": "settled"}


async def test_nobody_knows_how_long_the_reconciler_has_not_run(shop: Services, clock: Clock) -> None:
    await shop.heartbeat.record()
    clock.now -= HOUR
    assert is_late(shop, await shop.heartbeat.last())
    await shop.heartbeat.record()
    assert not is_late(shop, await shop.heartbeat.last())


async def test_a_customers_rate_counts_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    limits._limiter.cache_clear()
    ada, real = Caller("ada_park", "customer"), time.time
    await throttle(ada, "1/minute")
    with pytest.raises(TooManyError):
        await throttle(ada, "1/minute")

    monkeypatch.setattr(time, "time", lambda: real() - HOUR.total_seconds())

    await throttle(ada, "1/minute")
    limits._limiter.cache_clear()


async def test_a_rate_holds_where_the_clocks_of_two_workers_differ_a_little(monkeypatch: pytest.MonkeyPatch) -> None:
    limits._limiter.cache_clear()
    ada, real = Caller("ada_park", "customer"), time.time
    rate = RateLimit("payment", "1/minute", wait=0.05)
    await throttle(ada, "1/minute")
    await rate.take()

    monkeypatch.setattr(time, "time", lambda: real() - CLOCK_SKEW.total_seconds() / 2)

    for _ in range(2):
        with pytest.raises(TooManyError):
            await throttle(ada, "1/minute")
        with pytest.raises(capacity.RateLimitedError):
            await rate.take()
    limits._limiter.cache_clear()


async def test_a_providers_rate_counts_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    rate, real = RateLimit("payment", "1/minute", wait=0.05), time.time
    await rate.take()
    with pytest.raises(capacity.RateLimitedError):
        await rate.take()

    monkeypatch.setattr(time, "time", lambda: real() - HOUR.total_seconds())

    await rate.take()
