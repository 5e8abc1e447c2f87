"""Refunds: never more than was taken, owed once, paid once, and owed until they are paid."""

import asyncio
from datetime import timedelta
from typing import Any

import httpx
import pytest
from prometheus_client import REGISTRY
from pydantic import ValidationError

from agent.commerce.booking import gift_balance
from agent.ledger.database import KeyReusedError, PolicyDenied
from agent.ledger.tables import PaymentRow
from agent.services import Services
from tests.support.clock import Clock
from tests.support.commands import refund_payment
from tests.support.goods import W1002
from tests.support.scenes import (
    TOTAL,
    approved,
    cancel,
    denies,
    dump,
    entries,
    lost,
    new_order,
    paid,
    repaid,
    stock,
    unreachable,
    wire,
)


async def refund(
    shop: Services, amount: int, order_id: str = "A-1", subject: str = "ada_park", key: str = "r1"
) -> None:
    await refund_payment(shop, order_id, amount, subject=subject, key=key)


async def debts(shop: Services) -> list[dict[str, Any]]:
    return (await dump(shop))["debts"]


def settled_events() -> float:
    return REGISTRY.get_sample_value("desk_events_total", {"event": "refund.settled"}) or 0


async def test_a_refund_is_owed_first_and_then_paid_at_the_network(shop: Services) -> None:
    await paid(shop, new_order())
    await refund(shop, 10_00)
    assert await repaid(shop) == []
    assert await shop.queries.refundable("A-1") == TOTAL - 10_00
    [key] = await shop.debts.settle("A-1")
    assert [(done.key, done.amount) for done in await repaid(shop)] == [(key, 10_00)]
    assert await entries(shop) == [("capture", TOTAL), ("refund", -10_00)]
    assert [(debt["amount"], debt["settled"]) for debt in await debts(shop)] == [(10_00, True)]


async def test_an_order_can_be_refunded_in_parts_up_to_what_was_paid(shop: Services) -> None:
    await paid(shop, new_order())
    await refund(shop, 200_00, key="r1")
    await shop.debts.settle()
    with denies("REFUND-AMOUNT"):
        await refund(shop, TOTAL - 200_00 + 1, key="r2")
    await refund(shop, TOTAL - 200_00, key="r3")
    await shop.debts.settle()
    assert await shop.queries.refundable("A-1") == 0
    assert sum(done.amount for done in await repaid(shop)) == TOTAL


async def test_no_more_than_was_paid_is_refunded(shop: Services) -> None:
    await paid(shop, new_order())
    before = await dump(shop, "effects")
    with denies("REFUND-AMOUNT"):
        await refund(shop, TOTAL + 1)
    assert await dump(shop, "effects") == before


@pytest.mark.parametrize("amount", [0, -1, True, 1.5])
async def test_a_refund_of_no_amount_cannot_be_asked_for(shop: Services, amount: Any) -> None:
    with pytest.raises(ValidationError, match="amount"):
        await refund(shop, amount)


async def test_a_refund_is_taken_from_one_payment_after_the_other(shop: Services) -> None:
    await paid(shop, new_order())
    with shop.database.writing() as session:
        first = session.get_one(PaymentRow, "A-1:pay:1")
        second = {"key": "A-1:pay:2", "method_id": "ada_card", "outcome": "captured"}
        session.add(PaymentRow(order_id="A-1", amount=50_00, at=first.at + timedelta(hours=1), **second))
    await refund(shop, TOTAL + 10_00)
    assert {debt["payment_key"]: debt["amount"] for debt in await debts(shop)} == {
        "A-1:pay:1": TOTAL,
        "A-1:pay:2": 10_00,
    }


async def test_what_was_not_paid_is_not_refunded(shop: Services) -> None:
    await approved(shop, new_order(method="ada_declines"))
    await shop.payments.capture("A-1")
    with denies("REFUND-AMOUNT"):
        await refund(shop, 1)


async def test_anothers_order_is_like_none_at_all(shop: Services) -> None:
    await paid(shop, new_order())
    with denies("ORDER-EXISTS") as anothers:
        await refund(shop, 1_00, subject="ben_ortiz", key="r1")
    with denies("ORDER-EXISTS") as none:
        await refund(shop, 1_00, "A-404", subject="ben_ortiz", key="r2")
    assert anothers.value.sentence.replace("A-1", "A-404") == none.value.sentence
    assert await debts(shop) == []


async def test_the_same_refund_many_times_is_one_debt(shop: Services) -> None:
    await paid(shop, new_order())
    await asyncio.gather(*(refund(shop, 10_00) for _ in range(4)))
    assert [debt["amount"] for debt in await debts(shop)] == [10_00]
    with pytest.raises(KeyReusedError):
        await refund(shop, 10_01)


async def test_two_refunds_at_once_do_not_exceed_what_was_paid(shop: Services) -> None:
    await paid(shop, new_order())
    outcomes = await asyncio.gather(
        *(refund(shop, TOTAL // 2 + 1, key=key) for key in ("r1", "r2")), return_exceptions=True
    )
    [refused] = [outcome for outcome in outcomes if outcome is not None]
    assert isinstance(refused, PolicyDenied)
    assert refused.rule == "REFUND-AMOUNT"
    assert len(await debts(shop)) == 1


async def test_settled_many_times_the_customer_is_repaid_once(shop: Services) -> None:
    await paid(shop, new_order())
    await refund(shop, 10_00)
    before = settled_events()
    answers = await asyncio.gather(*(shop.debts.settle() for _ in range(3)))
    assert {"r1:A-1:pay:1": "settled"} in answers
    assert await shop.debts.settle() == {}
    assert len(await repaid(shop)) == 1
    assert await entries(shop) == [("capture", TOTAL), ("refund", -10_00)]
    assert settled_events() == before + 1


async def test_a_refund_stays_owed_while_the_network_is_down(shop: Services, clock: Clock) -> None:
    await paid(shop, new_order())
    await refund(shop, 10_00)
    with wire(shop.providers.clients[0], request=unreachable):
        assert await shop.debts.settle() == {"r1:A-1:pay:1": "owed"}
    assert [(debt["attempts"], debt["settled"]) for debt in await debts(shop)] == [(1, False)]
    assert await entries(shop) == [("capture", TOTAL)]
    clock.advance(hours=1)
    assert await shop.debts.settle() == {"r1:A-1:pay:1": "settled"}
    assert [done.amount for done in await repaid(shop)] == [10_00]


async def test_a_refund_whose_answer_was_lost_is_not_paid_twice(shop: Services, clock: Clock) -> None:
    await paid(shop, new_order())
    await refund(shop, 10_00)
    with wire(shop.providers.clients[0], response=lost):
        assert await shop.debts.settle() == {"r1:A-1:pay:1": "owed"}
    clock.advance(hours=1)
    assert await shop.debts.settle() == {"r1:A-1:pay:1": "settled"}
    assert [done.amount for done in await repaid(shop)] == [10_00]


async def test_a_refund_that_fails_does_not_hold_up_the_others(shop: Services) -> None:
    for order_id in ("A-1", "A-2"):
        await paid(shop, new_order(order_id))
        await refund(shop, 10_00, order_id, key=f"r:{order_id}")

    async def fails_for_the_first(request: httpx.Request) -> None:
        if "A-1" in request.headers["Idempotency-Key"]:
            await unreachable(request)

    with wire(shop.providers.clients[0], request=fails_for_the_first):
        assert await shop.debts.settle() == {"r:A-1:A-1:pay:1": "owed", "r:A-2:A-2:pay:1": "settled"}


async def test_one_orders_refunds_can_be_settled_alone(shop: Services) -> None:
    for order_id in ("A-1", "A-2"):
        await paid(shop, new_order(order_id))
        await refund(shop, 10_00, order_id, key=f"r:{order_id}")
    assert await shop.debts.settle("A-2") == {"r:A-2:A-2:pay:1": "settled"}
    assert [debt["settled"] for debt in await debts(shop)] == [False, True]


async def test_a_gift_card_is_credited_at_once(shop: Services) -> None:
    async def balance() -> int:
        with shop.database.reading() as session:
            return gift_balance(session, "ada_gift")

    before = await balance()
    await paid(shop, new_order(method="ada_gift", lines={"CANDLE-SMALL": 4}))
    await refund(shop, 9_00)
    assert await balance() == before - 9_00
    assert await entries(shop) == [("gift_debit", 18_00), ("gift_credit", -9_00)]


async def test_cancelling_an_imported_order_releases_its_stock_and_repays_the_rest(shop: Services) -> None:
    lamps, held = await stock(shop, "LAMP-BRASS")
    total = (await shop.queries.get(W1002))["total"]
    await refund(shop, 30_00, W1002)
    order = await cancel(shop, W1002, "ordered by mistake")
    assert (order["stage"], order["status"]) == ("cancelled", "cancelled")
    assert await stock(shop, "LAMP-BRASS") == (lamps, held - 1)
    assert set((await shop.debts.settle()).values()) == {"settled"}
    assert sorted(done.amount for done in await repaid(shop, W1002)) == [30_00, total - 30_00]
    assert sum(amount for _, amount in await entries(shop, W1002)) == 0


async def test_an_order_that_was_refunded_in_full_owes_nothing_more_when_undone(shop: Services) -> None:
    await paid(shop, new_order())
    await refund(shop, TOTAL)
    await shop.orders.compensate("A-1", "CANCELLED")
    assert [debt["amount"] for debt in await debts(shop)] == [TOTAL]
