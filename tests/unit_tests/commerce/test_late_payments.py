"""Payments of orders that were undone meanwhile: nothing is closed before it is known, and what was taken is repaid."""

import httpx
import pytest

from agent.providers.payment import PaymentNotSentError, PaymentUnknownError
from agent.services import Services
from tests.support import steps
from tests.support.clock import Clock
from tests.support.scenes import (
    TOTAL,
    approved,
    cancel,
    charges,
    denies,
    dump,
    entries,
    lost,
    new_order,
    repaid,
    unreachable,
    wire,
)

VOID = "A-1:pay:1:void"
REST = "A-1:pay:1:rest"


async def stage(shop: Services) -> str:
    return (await shop.queries.get("A-1"))["stage"]


async def unknown(shop: Services, method: str = "ada_card") -> None:
    """An order whose charge arrived, and whose answer did not; then its customer cancels it."""
    await approved(shop, new_order(method=method))
    with wire(shop.providers.clients[0], response=lost), pytest.raises(PaymentUnknownError):
        await shop.payments.capture("A-1")
    assert (await cancel(shop))["stage"] == "cancelling"


async def test_an_order_cancelled_while_its_charge_is_on_the_way_gets_the_money_back(shop: Services) -> None:
    await approved(shop, new_order())

    async def meanwhile(_: httpx.Response) -> None:
        assert (await cancel(shop))["stage"] == "cancelling"

    with wire(shop.providers.clients[0], response=meanwhile):
        assert (await shop.payments.capture("A-1")).outcome == "captured"
    assert await stage(shop) == "cancelled"
    assert await shop.debts.settle("A-1") == {VOID: "settled", REST: "settled"}
    assert await entries(shop) == [("capture", TOTAL), ("refund", -TOTAL)]
    assert [refund.amount for refund in await repaid(shop)] == [TOTAL]


async def test_a_payment_that_came_before_it_was_voided_is_booked_and_paid_back(shop: Services) -> None:
    await unknown(shop)
    assert await shop.debts.settle("A-1") == {VOID: "settled", REST: "settled"}
    assert await entries(shop) == [("capture", TOTAL), ("refund", -TOTAL)]
    assert [refund.amount for refund in await repaid(shop)] == [TOTAL]
    assert await stage(shop) == "cancelled"


async def test_an_order_cancelled_with_a_payment_unknown_waits_until_that_is_found_out(
    shop: Services, clock: Clock
) -> None:
    await unknown(shop)
    with denies("ORDER-STAGE"):
        await shop.payments.capture("A-1")
    with wire(shop.providers.clients[0], request=unreachable):
        assert await shop.debts.settle("A-1") == {VOID: "owed"}
    assert (await shop.orders.compensate("A-1", "CANCELLED"))["stage"] == "cancelling"
    clock.advance(hours=1)
    await shop.debts.settle("A-1")
    closed = await shop.queries.get("A-1")
    assert (closed["stage"], closed["reason"]) == ("cancelled", "CUSTOMER-CANCELLED")


async def test_a_declined_charge_that_is_found_out_owes_nothing(shop: Services) -> None:
    await unknown(shop, method="ada_declines")
    assert await shop.debts.settle("A-1") == {VOID: "settled"}
    assert (await stage(shop), await steps.payment_outcome(shop, "A-1")) == ("cancelled", "declined")


async def test_a_payment_of_which_nobody_was_asked_is_void_without_asking(shop: Services) -> None:
    await approved(shop, new_order())
    with wire(shop.providers.clients[0], request=unreachable), pytest.raises(PaymentNotSentError):
        await shop.payments.capture("A-1")
    await cancel(shop)
    with wire(shop.providers.clients[0], request=unreachable):
        assert await shop.debts.settle("A-1") == {VOID: "settled"}
    assert (await stage(shop), await steps.payment_outcome(shop, "A-1")) == ("cancelled", "void")


async def test_a_payment_that_arrives_after_it_was_voided_takes_nothing(shop: Services) -> None:
    await approved(shop, new_order())

    async def undone_on_the_way(request: httpx.Request) -> None:
        if request.url.path == "/charges":
            await cancel(shop)
            assert await shop.debts.settle("A-1") == {VOID: "settled"}
            assert await stage(shop) == "cancelled"

    with wire(shop.providers.clients[0], request=undone_on_the_way):
        assert (await shop.payments.capture("A-1")).outcome == "declined"
    assert [charge.status for charge in await charges(shop)] == ["declined"]
    assert await entries(shop) == []
    assert (await dump(shop))["tickets"] == []


async def test_an_answer_that_arrives_while_its_void_fails_is_not_lost(shop: Services, clock: Clock) -> None:
    await approved(shop, new_order())

    async def undone_and_cut_off(_: httpx.Response) -> None:
        await cancel(shop)
        shop.breakers["payment"].force_open()
        await shop.debts.settle("A-1")
        shop.breakers["payment"].reset()

    with wire(shop.providers.clients[0], response=undone_and_cut_off):
        assert (await shop.payments.capture("A-1")).outcome == "captured"
    clock.advance(hours=1)
    assert await shop.debts.settle("A-1") == {VOID: "settled", REST: "settled"}
    assert [refund.amount for refund in await repaid(shop)] == [TOTAL]


async def test_money_that_was_taken_although_people_said_it_never_came_is_paid_back(shop: Services) -> None:
    await approved(shop, new_order())

    async def given_up(_: httpx.Response) -> None:
        await cancel(shop)
        await steps.decide_debt(shop, VOID, by_hand=True)
        assert await stage(shop) == "cancelled"

    with wire(shop.providers.clients[0], response=given_up):
        assert (await shop.payments.capture("A-1")).outcome == "captured"
    assert await shop.debts.settle("A-1") == {REST: "settled"}
    assert await entries(shop) == [("capture", TOTAL), ("refund", -TOTAL)]
