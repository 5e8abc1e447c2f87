"""Payments of orders that were undone meanwhile: nothing is closed before it is known, and what was taken is repaid."""

import httpx
import pytest

from agent.commerce.payments import LOOK_UP_AFTER
from agent.providers.payment import PaymentNotSentError, PaymentUnknownError
from agent.resilience import CircuitOpenError
from agent.services import Services

from ..conftest import Clock
from .scenes import TOTAL, approved, cancel, charges, denies, dump, entries, lost, new_order, repaid, unreachable, wire


async def test_an_order_cancelled_while_its_charge_is_on_the_way_gets_the_money_back(shop: Services) -> None:
    await approved(shop, new_order())

    async def meanwhile(response: httpx.Response) -> None:
        assert (await cancel(shop))["stage"] == "cancelling"

    with wire(shop.payment_client, response=meanwhile):
        assert await shop.payments.capture("A-1") == "captured"
    assert (await shop.orders.undo("A-1", "CANCELLED"))["stage"] == "cancelled"
    assert list((await shop.refunds.settle("A-1")).values()) == ["settled"]
    assert await entries(shop) == [("capture", TOTAL), ("refund", -TOTAL)]
    assert [refund.amount for refund in await repaid(shop)] == [TOTAL]


async def test_an_order_cancelled_with_a_payment_unknown_waits_until_that_is_found_out(shop: Services) -> None:
    await approved(shop, new_order())
    with wire(shop.payment_client, response=lost), pytest.raises(PaymentUnknownError):
        await shop.payments.capture("A-1")
    assert (await cancel(shop))["stage"] == "cancelling"
    with denies("ORDER-STAGE"):
        await shop.payments.capture("A-1")
    with wire(shop.payment_client, request=unreachable), pytest.raises(PaymentNotSentError):
        await shop.payments.find_out("A-1")
    assert (await shop.orders.undo("A-1", "CANCELLED"))["stage"] == "cancelling"
    await shop.payments.find_out("A-1")
    closed = await shop.orders.undo("A-1", "CANCELLED")
    assert (closed["stage"], closed["reason"]) == ("cancelled", "CUSTOMER-CANCELLED")
    assert await shop.refunds.settle("A-1") == {"A-1:pay:1:rest": "settled"}
    assert [refund.amount for refund in await repaid(shop)] == [TOTAL]


async def test_a_declined_charge_that_is_found_out_owes_nothing(shop: Services) -> None:
    await approved(shop, new_order(method="ada_declines"))
    with wire(shop.payment_client, response=lost), pytest.raises(PaymentUnknownError):
        await shop.payments.capture("A-1")
    await cancel(shop)
    await shop.payments.find_out("A-1")
    assert (await shop.orders.undo("A-1", "CANCELLED"))["stage"] == "cancelled"
    assert await shop.refunds.settle("A-1") == {}


async def test_a_charge_the_network_does_not_know_counts_as_never_made_when_it_is_old(
    shop: Services, clock: Clock
) -> None:
    await approved(shop, new_order())
    with wire(shop.payment_client, request=unreachable), pytest.raises(PaymentNotSentError):
        await shop.payments.capture("A-1")
    await cancel(shop)
    clock.advance(seconds=LOOK_UP_AFTER.total_seconds())
    await shop.payments.find_out("A-1")
    assert (await shop.orders.undo("A-1", "CANCELLED"))["stage"] == "cancelling"
    clock.advance(seconds=1)
    await shop.payments.find_out("A-1")
    assert await shop.payments.outcome("A-1") == "declined"
    assert (await shop.orders.undo("A-1", "CANCELLED"))["stage"] == "cancelled"


async def test_finding_out_waits_for_a_closed_circuit(shop: Services) -> None:
    await approved(shop, new_order())
    with wire(shop.payment_client, response=lost), pytest.raises(PaymentUnknownError):
        await shop.payments.capture("A-1")
    await cancel(shop)
    before = await dump(shop)
    shop.breakers["payment"].force_open()
    with pytest.raises(CircuitOpenError):
        await shop.payments.find_out("A-1")
    assert await dump(shop) == before


async def test_an_old_attempt_that_was_just_sent_again_does_not_count_as_never_made(
    shop: Services, clock: Clock
) -> None:
    await approved(shop, new_order())
    with wire(shop.payment_client, request=unreachable), pytest.raises(PaymentNotSentError):
        await shop.payments.capture("A-1")
    clock.advance(hours=1)
    found: list[str] = []

    async def meanwhile(request: httpx.Request) -> None:
        if request.method == "POST":
            await cancel(shop)
            await shop.payments.find_out("A-1")
            found.append(await shop.payments.outcome("A-1"))

    with wire(shop.payment_client, request=meanwhile):
        await shop.payments.capture("A-1")
    assert found == ["deferred"]


async def test_a_charge_that_arrives_after_it_counted_as_never_made_is_paid_back(shop: Services, clock: Clock) -> None:
    await approved(shop, new_order())

    async def a_long_pause(request: httpx.Request) -> None:
        if request.method == "POST":
            await cancel(shop)
            clock.advance(minutes=5)
            await shop.payments.find_out("A-1")
            assert (await shop.orders.undo("A-1", "CANCELLED"))["stage"] == "cancelled"

    with wire(shop.payment_client, request=a_long_pause):
        await shop.payments.capture("A-1")
    assert [charge.status for charge in await charges(shop)] == ["captured"]
    assert await shop.refunds.settle("A-1") == {"A-1:pay:1:rest": "settled"}
    assert await entries(shop) == [("capture", TOTAL), ("refund", -TOTAL)]
