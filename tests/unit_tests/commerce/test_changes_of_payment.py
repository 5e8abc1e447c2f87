"""A pending order goes elsewhere, or is paid by another method, while the policy lets it."""

import asyncio
from typing import Any

import pytest

from agent.ledger.database import PolicyDenied
from agent.services import Services
from tests.support.commands import hand_over_parcel, refund_payment
from tests.support.goods import W1001, W1002, W1006, W1008, W1009
from tests.support.scenes import (
    ELSEWHERE,
    cancel,
    denies,
    dump,
    entries,
    gift,
    new_order,
    paid,
    pay_by,
    repaid,
    replace,
    reserved,
    send_to,
)

LAMP = ("LAMP-BRASS", "LAMP-OAK")
"""Of W-1002; the new one is 20.00 cheaper."""


@pytest.mark.parametrize(
    ("order_id", "subject", "rule"),
    [
        ("A-404", "ada_park", "ORDER-EXISTS"),
        (W1002, "ben_ortiz", "ORDER-EXISTS"),
        (W1001, "ada_park", "ADDRESS-STATUS"),
        (W1006, "chloe_meyer", "ADDRESS-STATUS"),
        (W1008, "dev_shah", "ADDRESS-STATUS"),
    ],
)
async def test_an_order_is_sent_elsewhere_only_while_it_is_pending(
    shop: Services, order_id: str, subject: str, rule: str
) -> None:
    before = await dump(shop, "effects")
    with denies(rule):
        await send_to(shop, order_id, subject=subject)
    assert await dump(shop, "effects") == before


async def test_an_order_whose_items_were_changed_may_still_go_elsewhere(shop: Services) -> None:
    await replace(shop, W1002, LAMP)
    order = await send_to(shop, W1002, key="c2")
    assert order["ship_to"] == ELSEWHERE.model_dump()
    assert order["status"] == "pending (item modified)"


async def test_the_customers_own_address_stays(shop: Services) -> None:
    before = (await dump(shop))["customers"]
    await send_to(shop, W1002)
    assert (await dump(shop))["customers"] == before


@pytest.mark.parametrize(
    ("order_id", "method", "subject", "rule"),
    [
        ("A-404", "ada_slow", "ada_park", "ORDER-EXISTS"),
        (W1002, "ben_card", "ben_ortiz", "ORDER-EXISTS"),
        (W1001, "ada_slow", "ada_park", "PAYMENT-STATUS"),
        (W1002, "ada_card", "ada_park", "PAYMENT-DIFFERENT"),
        (W1002, "ben_card", "ada_park", "PAYMENT-DIFFERENT"),
        (W1002, "no_card", "ada_park", "PAYMENT-DIFFERENT"),
        (W1002, "ada_gift", "ada_park", "PAYMENT-GIFT-COVERS"),
        ("A-1", "ada_gift", "ada_park", "PAYMENT-GIFT-COVERS"),
    ],
)
async def test_a_swap_of_the_payment_against_a_rule_changes_nothing(
    shop: Services, order_id: str, method: str, subject: str, rule: str
) -> None:
    await reserved(shop, new_order())
    before = await dump(shop, "effects")
    with denies(rule):
        await pay_by(shop, order_id, method, subject=subject)
    assert await dump(shop, "effects") == before


async def test_the_new_method_pays_and_the_old_one_is_refunded(shop: Services) -> None:
    order = await pay_by(shop, W1002, "ada_slow")
    assert order["payment_method_id"] == "ada_card"
    assert await shop.debts.settle(W1002) == {}  # not before the new one has paid
    assert await shop.payments.collect(W1002) == {"c1": "captured"}
    assert (await shop.queries.get(W1002))["payment_method_id"] == "ada_slow"
    assert await shop.debts.settle(W1002) == {"c1:back": "settled"}
    assert sum(amount for _, amount in await entries(shop, W1002)) == 147_00
    assert [refund.amount for refund in await repaid(shop, W1002)] == [147_00]


async def test_a_gift_card_gets_back_what_another_method_has_paid(shop: Services) -> None:
    before = await gift(shop, "ella_gift")
    await pay_by(shop, W1009, "ella_card", subject="ella_novak")
    assert await gift(shop, "ella_gift") == before
    assert await shop.payments.collect(W1009) == {"c1": "captured"}
    assert await gift(shop, "ella_gift") == before + 46_00
    assert await shop.debts.settle(W1009) == {}


async def test_a_gift_card_that_covers_everything_pays_at_once(shop: Services) -> None:
    await paid(shop, new_order(lines={"VASE-MEDIUM": 2}))  # 70.00: all that is on the card
    await pay_by(shop, "A-1", "ada_gift")
    assert await gift(shop) == 0
    assert await shop.payments.collect("A-1") == {}


@pytest.mark.parametrize(
    "earlier",
    [
        lambda shop: pay_by(shop, W1002, "ada_slow", key="c0"),
        lambda shop: replace(shop, W1002, LAMP, key="c0"),
        lambda shop: replace(shop, W1002, ("CUSHION-SAND", "CUSHION-MOSS"), key="c0"),
        lambda shop: refund_payment(shop, W1002, 1_00),
    ],
    ids=["swapped", "items changed", "items changed at an equal price", "refunded in part"],
)
async def test_a_payment_is_swapped_only_when_it_is_the_only_one(shop: Services, earlier: Any) -> None:
    await earlier(shop)
    await shop.payments.collect(W1002)
    with denies("PAYMENT-STATUS"):
        await pay_by(shop, W1002, "ada_lost")


async def test_when_the_new_method_declines_the_old_one_has_paid_and_stays(shop: Services) -> None:
    await pay_by(shop, W1002, "ada_declines")
    assert await shop.payments.collect(W1002) == {"c1": "declined"}
    assert (await shop.queries.get(W1002))["payment_method_id"] == "ada_card"
    assert await repaid(shop, W1002) == []
    await pay_by(shop, W1002, "ada_slow", key="c2")  # the way to another one is open
    await hand_over_parcel(shop, f"{W1002}/all")  # the order is paid all the while


async def test_so_many_methods_may_decline_and_no_more(shop: Services) -> None:
    for key in ("c1", "c2", "c3"):
        await pay_by(shop, W1002, "ada_declines", key=key)
        assert await shop.payments.collect(W1002) == {key: "declined"}
    with denies("PAYMENT-STATUS"):
        await pay_by(shop, W1002, "ada_slow", key="c4")
    assert (await cancel(shop, W1002, key="c5"))["status"] == "cancelled"


async def test_what_was_due_is_void_when_the_order_is_cancelled(shop: Services) -> None:
    await pay_by(shop, W1002, "ada_slow")
    await cancel(shop, W1002)
    assert await shop.payments.collect() == {}
    await shop.debts.settle()
    assert sum(amount for _, amount in await entries(shop, W1002)) == 0


async def test_of_a_cancel_and_a_collection_at_once_the_customer_gets_all_back(shop: Services) -> None:
    await pay_by(shop, W1002, "ada_slow")
    await asyncio.gather(cancel(shop, W1002), shop.payments.collect(W1002))
    await shop.debts.settle(W1002)
    assert (await shop.queries.get(W1002))["stage"] == "cancelled"
    assert sum(amount for _, amount in await entries(shop, W1002)) == 0


async def test_of_two_changes_at_once_one_comes_second(shop: Services) -> None:
    """Never both on the order that each of them saw."""
    outcomes = await asyncio.gather(
        replace(shop, W1002, LAMP, key="c1"),
        replace(shop, W1002, ("CUSHION-SAND", "CUSHION-RUST"), key="c2"),
        return_exceptions=True,
    )
    denials = [outcome for outcome in outcomes if isinstance(outcome, PolicyDenied)]
    assert [denial.rule for denial in denials] == ["LINES-STATUS"]
