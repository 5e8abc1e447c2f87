"""Pieces that come back: asked for by rule, paid for when they are there, and sold again."""

import asyncio
from typing import Any

import pytest

from agent.commerce.commands import MarkDelivered, ReceiveReturn, RequestExchange, RequestReturn, Swap
from agent.ledger.database import PolicyDenied
from agent.ledger.tables import VariantRow
from agent.services import Services
from tests.support import steps
from tests.support.commands import hand_over_parcel, refund_payment
from tests.support.goods import W1001, W1002, W1003, W1015
from tests.support.scenes import (
    ask,
    denies,
    dump,
    entries,
    gift,
    network,
    new_order,
    paid,
    pay_by,
    repaid,
    replace,
    stock,
)

LAMP = ("LAMP-OAK", "LAMP-BRASS")
"""Of W-1001; the new one is 20.00 dearer."""

DESK = ("DESK-WALNUT", "DESK-OAK")
"""Of W-1001; the new one is 100.00 cheaper."""


async def give_back(
    shop: Services, *skus: str, order_id: str = W1001, method: str = "ada_card", **how: str
) -> dict[str, Any]:
    return await ask(shop, RequestReturn, order_id=order_id, skus=skus, payment_method_id=method, **how)


async def exchange(
    shop: Services, *swaps: tuple[str, str], order_id: str = W1001, method: str = "ada_card", **how: str
) -> dict[str, Any]:
    pieces = tuple(Swap(old=old, new=new) for old, new in swaps)
    return await ask(shop, RequestExchange, order_id=order_id, swaps=pieces, payment_method_id=method, **how)


async def arrive(shop: Services, order_id: str = W1001, key: str = "back") -> dict[str, Any]:
    return await ask(shop, ReceiveReturn, key=key, order_id=order_id)


@pytest.mark.parametrize(
    ("skus", "how", "rule"),
    [
        (("LAMP-OAK",), {"order_id": "A-404"}, "ORDER-EXISTS"),
        (("LAMP-OAK",), {"subject": "ben_ortiz"}, "ORDER-EXISTS"),
        (("LAMP-BRASS",), {"order_id": W1002}, "RETURN-STATUS"),
        (("LAMP-OAK",), {"method": "ada_slow"}, "RETURN-REFUND-TO"),
        (("LAMP-OAK",), {"method": "ben_gift"}, "RETURN-REFUND-TO"),
        (("LAMP-OAK",), {"method": "no_card"}, "RETURN-REFUND-TO"),
        (("LAMP-BRASS",), {}, "LINES-OWNED"),
        (("LAMP-OAK", "LAMP-OAK"), {}, "LINES-OWNED"),
    ],
)
async def test_a_return_against_a_rule_changes_nothing(
    shop: Services, skus: tuple[str, ...], how: dict[str, str], rule: str
) -> None:
    before = await dump(shop, "effects")
    with denies(rule):
        await give_back(shop, *skus, **how)
    assert await dump(shop, "effects") == before


@pytest.mark.parametrize(
    ("swap", "how", "rule"),
    [
        (LAMP, {"order_id": "A-404"}, "ORDER-EXISTS"),
        (LAMP, {"subject": "ben_ortiz"}, "ORDER-EXISTS"),
        (("LAMP-BRASS", "LAMP-OAK"), {"order_id": W1002}, "EXCHANGE-STATUS"),
        (LAMP, {"method": "ben_card"}, "DIFFERENCE-METHOD"),
        (("LAMP-BRASS", "LAMP-OAK"), {}, "LINES-OWNED"),
        (("LAMP-OAK", "DESK-OAK"), {}, "LINES-PRODUCT"),
        (("LAMP-OAK", "LAMP-OAK"), {}, "LINES-DIFFERENT"),
        (
            ("RUG-SAND", "RUG-INDIGO"),
            {"order_id": W1003, "subject": "ben_ortiz", "method": "ben_card"},
            "LINES-AVAILABLE",
        ),
    ],
)
async def test_an_exchange_against_a_rule_changes_nothing(
    shop: Services, swap: tuple[str, str], how: dict[str, str], rule: str
) -> None:
    before = await dump(shop, "effects")
    with denies(rule):
        await exchange(shop, swap, **how)
    assert await dump(shop, "effects") == before


async def test_nothing_moves_before_the_pieces_are_back(shop: Services) -> None:
    before = await dump(shop)
    assert (await give_back(shop, "LAMP-OAK"))["status"] == "return requested"
    now = await dump(shop)
    assert {name for name in now if now[name] != before[name]} == {"effects", "orders", "returns", "return_lines"}
    assert await shop.debts.settle() == {}


async def test_what_comes_back_is_sold_again_and_paid_back_to_the_card(shop: Services) -> None:
    on_hand, held = await stock(shop, "LAMP-OAK")
    await give_back(shop, "LAMP-OAK")
    assert (await arrive(shop))["status"] == "returned"
    assert await stock(shop, "LAMP-OAK") == (on_hand + 1, held)
    assert await shop.debts.settle(W1001) == {"back:0": "settled"}
    assert [refund.amount for refund in await repaid(shop, W1001)] == [69_00]


async def test_a_return_is_on_a_gift_card_at_once(shop: Services) -> None:
    await give_back(shop, "LAMP-OAK", "DESK-WALNUT", method="ada_gift")
    await arrive(shop)
    assert await gift(shop) == 70_00 + 718_00
    assert await shop.debts.settle() == {}


async def test_each_piece_is_worth_what_was_paid_for_it(shop: Services) -> None:
    """The same item may stand on lines of different price; the catalogue's price of today is another thing."""
    await paid(shop, new_order(lines={"CURTAIN-MEDIUM": 2}))
    with shop.database.writing() as session:
        session.get_one(VariantRow, "CURTAIN-SHORT").price = 60_00
    await replace(shop, "A-1", ("CURTAIN-MEDIUM", "CURTAIN-SHORT"))
    with shop.database.writing() as session:
        session.get_one(VariantRow, "CURTAIN-SHORT").price = 10_00
    await deliver(shop, "A-1")
    await give_back(shop, "CURTAIN-SHORT", "CURTAIN-MEDIUM", order_id="A-1", key="c2")
    assert [(row["order_id"], row["amount"]) for row in (await dump(shop))["returns"]] == [("A-1", -155_00)]


async def test_no_more_goes_back_than_was_paid_and_not_yet_refunded(shop: Services) -> None:
    await refund_payment(shop, W1001, 700_00)
    await give_back(shop, "LAMP-OAK")
    await arrive(shop)
    await shop.debts.settle()
    assert sorted(refund.amount for refund in await repaid(shop, W1001)) == [18_00, 700_00]


async def test_a_return_after_changed_items_comes_out_of_both_payments(shop: Services) -> None:
    await paid(shop, new_order(lines={"CURTAIN-MEDIUM": 1}))
    await replace(shop, "A-1", ("CURTAIN-MEDIUM", "CURTAIN-LONG"), method="ada_slow")
    await shop.payments.collect("A-1")
    await deliver(shop, "A-1")
    await give_back(shop, "CURTAIN-LONG", order_id="A-1", key="c2")
    await arrive(shop, "A-1")
    assert set((await shop.debts.settle("A-1")).values()) == {"settled"}
    assert [refund.amount for refund in await repaid(shop)] == [95_00]
    assert [credit.amount for credit in (await network(shop)).credits] == [24_00]  # to the card that was named
    assert sum(amount for _, amount in await entries(shop)) == 0


async def test_the_new_pieces_are_held_and_the_difference_noted_until_the_old_are_back(shop: Services) -> None:
    on_hand, held = await stock(shop, "LAMP-BRASS")
    assert (await exchange(shop, LAMP, DESK))["status"] == "exchange requested"
    assert await stock(shop, "LAMP-BRASS") == (on_hand, held + 1)
    assert [(row["method_id"], row["amount"]) for row in (await dump(shop))["returns"]] == [("ada_card", -80_00)]
    assert await shop.payments.collect() == await shop.debts.settle() == {}


async def test_a_dearer_piece_leaves_when_the_old_one_is_back_and_it_is_paid(shop: Services) -> None:
    old, new = await stock(shop, "LAMP-OAK"), await stock(shop, "LAMP-BRASS")
    await exchange(shop, LAMP)
    assert (await arrive(shop))["status"] == "exchange requested"
    assert await stock(shop, "LAMP-OAK") == (old[0] + 1, old[1])
    assert await stock(shop, "LAMP-BRASS") == (new[0], new[1] + 1)
    assert await shop.payments.collect(W1001) == {"back": "captured"}
    assert (await shop.queries.get(W1001))["status"] == "returned"
    assert await stock(shop, "LAMP-BRASS") == (new[0] - 1, new[1])
    assert sum(amount for _, amount in await entries(shop, W1001)) == 738_00


async def test_the_difference_of_a_cheaper_piece_is_given_back(shop: Services) -> None:
    await exchange(shop, DESK, method="ada_gift")
    await arrive(shop)
    assert await gift(shop) == 170_00


async def test_for_an_equal_price_only_the_pieces_move(shop: Services) -> None:
    exchanged = {"order_id": W1015, "subject": "jonas_weber", "method": "jonas_card"}
    await exchange(shop, ("RUG-MOSS", "RUG-SAND"), **exchanged)
    before = await entries(shop, W1015)
    await arrive(shop, W1015)
    assert await shop.payments.collect() == await shop.debts.settle() == {}
    assert await entries(shop, W1015) == before


async def test_a_gift_card_must_cover_the_difference_of_an_exchange(shop: Services) -> None:
    with shop.database.writing() as session:
        session.get_one(VariantRow, "LAMP-BRASS").price = 69_00 + 70_01
    with denies("DIFFERENCE-GIFT-COVERS"):
        await exchange(shop, LAMP, method="ada_gift")
    with shop.database.writing() as session:
        session.get_one(VariantRow, "LAMP-BRASS").price = 69_00 + 70_00
    await exchange(shop, LAMP, method="ada_gift", key="c2")
    await arrive(shop)
    assert await gift(shop) == 0


async def test_pieces_whose_difference_the_gift_card_no_longer_covers_are_taken_in_and_paid_otherwise(
    shop: Services,
) -> None:
    await exchange(shop, LAMP, method="ada_gift")
    await paid(shop, new_order(method="ada_gift", lines={"VASE-LARGE": 1}))
    assert (await arrive(shop))["status"] == "exchange requested"
    await pay_by(shop, W1001, "ada_card", key="c2")
    assert await shop.payments.collect(W1001) == {"c2": "captured"}
    assert (await shop.queries.get(W1001))["status"] == "returned"


async def test_what_is_exchanged_is_so_in_one_request_and_the_rest_goes_back_when_it_is_over(shop: Services) -> None:
    await exchange(shop, LAMP)
    with denies("EXCHANGE-STATUS"):
        await exchange(shop, DESK, key="c2")
    with denies("RETURN-STATUS"):
        await give_back(shop, "DESK-WALNUT", key="c3")
    await arrive(shop)
    with denies("EXCHANGE-STATUS"):
        await exchange(shop, DESK, key="c4")
    await shop.payments.collect()
    with denies("EXCHANGE-STATUS"):
        await exchange(shop, DESK, key="c5")
    await give_back(shop, "DESK-WALNUT", key="c6")


async def test_only_what_is_expected_is_taken_in_and_only_once(shop: Services) -> None:
    for order_id in (W1001, W1002):
        with denies("RETURN-RECEIVED"):
            await arrive(shop, order_id, key=order_id)
    with denies("ORDER-EXISTS"):
        await arrive(shop, "A-404", key="A-404")
    await give_back(shop, "LAMP-OAK")
    await arrive(shop)
    before = await dump(shop, "effects")
    await arrive(shop)
    with denies("RETURN-RECEIVED"):
        await arrive(shop, key="again")
    assert await dump(shop, "effects") == before


async def test_of_a_return_and_an_exchange_at_once_one_wins(shop: Services) -> None:
    outcomes = await asyncio.gather(
        give_back(shop, "LAMP-OAK", key="c1"), exchange(shop, LAMP, key="c2"), return_exceptions=True
    )
    assert sorted(isinstance(outcome, PolicyDenied) for outcome in outcomes) == [False, True]
    assert len((await dump(shop))["return_lines"]) == 1


async def deliver(shop: Services, order_id: str) -> None:
    """Everything of a paid order leaves, and arrives."""
    for parcel in await steps.plan(shop, order_id):
        await hand_over_parcel(shop, parcel)
        await ask(shop, MarkDelivered, key=f"delivered:{parcel}", parcel_id=parcel)
