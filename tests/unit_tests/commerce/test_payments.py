"""Capturing against the card network: exactly once, whatever is lost on the way; and what is not known stays so."""

import asyncio

import httpx
import pytest

from agent.commerce.booking import gift_balance
from agent.commerce.commands import NewOrder
from agent.commerce.payment_attempts import CaptureResult
from agent.ledger.tables import VariantRow
from agent.providers.payment import PaymentNotSentError, PaymentUnknownError
from agent.resilience import CircuitOpenError
from agent.services import Services
from tests.support import steps
from tests.support.scenes import (
    TOTAL,
    Scene,
    approved,
    charges,
    denies,
    dump,
    entries,
    lost,
    new_order,
    paid,
    placed,
    recard,
    reserved,
    unreachable,
    wire,
)


async def stage(shop: Services, order_id: str = "A-1") -> str:
    return (await shop.queries.get(order_id))["stage"]


async def balance(shop: Services, method_id: str = "ada_gift") -> int:
    with shop.database.reading() as session:
        return gift_balance(session, method_id)


def gift_order(pieces: int, order_id: str = "A-1") -> NewOrder:
    """An order paid by gift card: candles at 4.50."""
    return new_order(order_id, "ada_gift", lines={"CANDLE-SMALL": pieces})


async def test_the_money_is_taken_at_the_network_and_booked(shop: Services) -> None:
    await approved(shop, new_order())
    assert (await shop.payments.capture("A-1")).outcome == "captured"
    [charge] = await charges(shop)
    assert (charge.key, charge.status, charge.amount) == ("A-1:pay:1", "captured", TOTAL)
    assert await entries(shop) == [("capture", TOTAL)]
    [payment] = [row for row in (await dump(shop))["payments"] if row["order_id"] == "A-1"]
    assert (payment["amount"], payment["outcome"], payment["provider_id"]) == (TOTAL, "captured", charge.id)
    assert await stage(shop) == "paid"


async def test_a_declined_card_takes_nothing_and_stays_declined(shop: Services) -> None:
    await approved(shop, new_order(method="ada_declines"))
    assert (await shop.payments.capture("A-1")).outcome == "declined"
    assert (await shop.payments.capture("A-1")).outcome == await steps.payment_outcome(shop, "A-1") == "declined"
    assert [charge.status for charge in await charges(shop)] == ["declined"]
    assert await entries(shop) == []
    assert await stage(shop) == "declined"
    assert (await shop.orders.compensate("A-1", "PAYMENT-DECLINED"))["stage"] == "cancelled"


async def test_a_payment_is_deferred_while_the_network_is_down_and_taken_later(shop: Services) -> None:
    await approved(shop, new_order(method="ada_down"))
    with pytest.raises(PaymentNotSentError):
        await shop.payments.capture("A-1")
    assert await shop.payments.park("A-1") == ("parked", "deferred")
    assert await steps.payment_outcome(shop, "A-1") == "deferred"
    assert (await stage(shop), await charges(shop)) == ("parked", [])
    await recard(shop, "ada_down", "tok_approve")
    assert (await shop.payments.capture("A-1")).outcome == "captured"
    assert await stage(shop) == "paid"


async def test_a_lost_answer_is_unknown_until_it_is_looked_up_and_never_charged_again(shop: Services) -> None:
    await approved(shop, new_order())
    with wire(shop.providers.clients[0], response=lost), pytest.raises(PaymentUnknownError):
        await shop.payments.capture("A-1")
    assert await shop.payments.park("A-1") == ("parked", "unknown")
    assert (await stage(shop), await entries(shop)) == ("parked", [])
    assert (await shop.payments.capture("A-1")).outcome == "captured"
    assert len(await charges(shop)) == 1
    assert await entries(shop) == [("capture", TOTAL)]


async def test_an_unknown_payment_that_cannot_be_looked_up_is_not_sent_again(shop: Services) -> None:
    await approved(shop, new_order())
    sent: list[str] = []

    async def count_and_fail(request: httpx.Request) -> None:
        sent.append(request.method)
        await unreachable(request)

    with wire(shop.providers.clients[0], response=lost), pytest.raises(PaymentUnknownError):
        await shop.payments.capture("A-1")
    with wire(shop.providers.clients[0], request=count_and_fail), pytest.raises(PaymentNotSentError):
        await shop.payments.capture("A-1")
    assert sent == ["GET"]
    assert await steps.payment_outcome(shop, "A-1") == "unknown"


async def test_captured_many_times_at_once_the_customer_pays_once(shop: Services) -> None:
    await approved(shop, new_order())
    taken = await asyncio.gather(*(shop.payments.capture("A-1") for _ in range(4)))
    assert taken == [CaptureResult("captured", ["A-1/east", "A-1/west"])] * 4
    assert len(await charges(shop)) == 1
    assert await entries(shop) == [("capture", TOTAL)]


async def test_a_lost_answer_does_not_undo_what_another_worker_learned(shop: Services) -> None:
    await approved(shop, new_order())
    learned: list[str] = []

    async def learn_first(response: httpx.Response) -> None:
        if response.request.method == "POST" and not learned:
            learned.append("asked")
            learned[0] = (await shop.payments.capture("A-1")).outcome
            await lost(response)

    with wire(shop.providers.clients[0], response=learn_first), pytest.raises(PaymentUnknownError):
        await shop.payments.capture("A-1")
    assert learned == ["captured"]
    assert await steps.payment_outcome(shop, "A-1") == "captured"


@pytest.mark.parametrize("scene", [placed, reserved])
async def test_money_is_taken_only_of_an_approved_order(shop: Services, scene: Scene) -> None:
    await scene(shop, new_order())
    before = await dump(shop)
    with denies("ORDER-STAGE"):
        await shop.payments.capture("A-1")
    assert await dump(shop) == before
    assert await charges(shop) == []


async def test_nothing_is_taken_of_an_order_that_does_not_exist(shop: Services) -> None:
    with denies("ORDER-EXISTS"):
        await shop.payments.capture("A-404")
    assert await steps.payment_outcome(shop, "A-404") == "none"


async def test_a_paid_order_is_not_parked(shop: Services) -> None:
    await paid(shop, new_order())
    assert await shop.payments.park("A-1") == ("paid", "captured")
    assert await stage(shop) == "paid"


async def test_a_gift_card_that_covers_the_order_pays_it_without_the_network(shop: Services) -> None:
    before = await balance(shop)
    await paid(shop, gift_order(2))
    assert await balance(shop) == before - 9_00
    assert await entries(shop) == [("gift_debit", 9_00)]
    assert await charges(shop) == []


async def test_a_gift_card_pays_down_to_the_last_cent(shop: Services) -> None:
    with shop.database.writing() as session:
        session.get_one(VariantRow, "VASE-SMALL").price = gift_balance(session, "ada_gift")
    await paid(shop, new_order(method="ada_gift", lines={"VASE-SMALL": 1}))
    assert await balance(shop) == 0


async def test_a_gift_card_that_does_not_cover_everything_pays_nothing(shop: Services) -> None:
    before = await balance(shop)
    await approved(shop, new_order(method="ada_gift", lines={"SOFA-WOOL": 1}))
    assert (await shop.payments.capture("A-1")).outcome == "declined"
    assert await balance(shop) == before
    assert await entries(shop) == []


async def test_a_gift_card_is_not_overdrawn_by_two_orders_at_once(shop: Services) -> None:
    pieces = await balance(shop) // 4_50 // 2 + 1
    for order_id in ("A-1", "A-2"):
        await approved(shop, gift_order(pieces, order_id))
    both = await asyncio.gather(shop.payments.capture("A-1"), shop.payments.capture("A-2"))
    assert sorted(taken.outcome for taken in both) == ["captured", "declined"]
    assert await balance(shop) >= 0


async def test_an_open_circuit_sends_nothing_and_defers(shop: Services) -> None:
    await approved(shop, new_order())
    shop.breakers["payment"].force_open()
    with pytest.raises(CircuitOpenError):
        await shop.payments.capture("A-1")
    assert (await steps.payment_outcome(shop, "A-1"), await charges(shop)) == ("deferred", [])
    shop.breakers["payment"].reset()
    assert (await shop.payments.capture("A-1")).outcome == "captured"
