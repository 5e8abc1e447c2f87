"""A change that its payment method does not pay has three ways out: another method, undoing it, or a cancel."""

from typing import Any

import pytest
from sqlalchemy import text

from agent.commerce.commands import ReplaceLines, Swap, UndoChange
from agent.ledger.database import PolicyDenied
from agent.services import Services
from tests.support import steps
from tests.support.clock import Clock
from tests.support.commands import hand_over_parcel, refund_payment
from tests.support.invariants import all_adds_up
from tests.support.outside import at_the_carrier
from tests.support.scenes import ask, cancel, denies, dump, entries, new_order, paid, pay_by, repaid, replace, stock

CURTAIN = {"CURTAIN-MEDIUM": 2}
OLD, NEW = "CURTAIN-MEDIUM", "CURTAIN-LONG"


async def declined(shop: Services) -> dict[str, Any]:
    """A paid order, one piece of which was changed for one that is 24.00 dearer; the card for that declines."""
    await paid(shop, new_order(lines=CURTAIN))
    order = await replace(shop, "A-1", (OLD, NEW), method="ada_declines")
    assert await shop.payments.collect("A-1") == {"c1": "declined"}
    return order


async def undo(shop: Services, key: str = "u1", **how: str) -> dict[str, Any]:
    return await ask(shop, UndoChange, key=key, order_id="A-1", **how)


async def lines(shop: Services) -> list[tuple[str, int, int]]:
    """SKU, quantity and price of each line."""
    found = (await shop.queries.get("A-1"))["lines"]
    return sorted((line["sku"], line["quantity"], line["unit_price"]) for line in found)


async def test_another_method_pays_the_difference_and_the_order_leaves(shop: Services) -> None:
    await declined(shop)
    await pay_by(shop, "A-1", "ada_slow", key="c2")
    assert await shop.payments.collect("A-1") == {"c2": "captured"}
    [parcel] = await steps.plan(shop, "A-1")
    await hand_over_parcel(shop, parcel)
    assert sorted(await entries(shop)) == [("capture", 24_00), ("capture", 190_00)]


async def test_a_gift_card_pays_the_difference_at_once(shop: Services) -> None:
    before = await dump(shop)
    await declined(shop)
    with denies("PAYMENT-DIFFERENT"):
        await pay_by(shop, "A-1", "ada_declines", key="same")
    await pay_by(shop, "A-1", "ada_gift", key="c4")  # which covers it
    await all_adds_up(shop, before, await dump(shop))


async def test_after_the_last_method_the_change_is_undone_by_the_clock(shop: Services) -> None:
    before = await dump(shop)
    await declined(shop)
    for key in ("c2", "c3"):
        with shop.database.writing() as session:
            session.connection().exec_driver_sql(
                "UPDATE payments SET method_id = 'ada_slow' WHERE outcome = 'declined'"
            )
        await pay_by(shop, "A-1", "ada_declines", key=key)
        assert await shop.payments.collect("A-1") == {key: "declined"}
    with denies("PAYMENT-STATUS"):
        await pay_by(shop, "A-1", "ada_slow", key="c4")
    assert await shop.expiry.enforce_deadlines() == {"c3": "undone"}
    assert await shop.expiry.enforce_deadlines() == {}
    assert await lines(shop) == [(OLD, 1, 95_00), (OLD, 1, 95_00)]
    await all_adds_up(shop, before, await dump(shop))


async def test_the_customer_undoes_it_and_the_order_is_as_it_was(shop: Services) -> None:
    before = await dump(shop)
    await declined(shop)
    held = await stock(shop, OLD), await stock(shop, NEW)
    order = await undo(shop)
    assert (order["status"], order["total"]) == ("pending", 190_00)
    assert await lines(shop) == [(OLD, 1, 95_00), (OLD, 1, 95_00)]
    assert await stock(shop, OLD) == held[0]  # it was held all the while
    assert await stock(shop, NEW) == (held[1][0], held[1][1] - 1)
    [parcel] = await steps.plan(shop, "A-1")
    await hand_over_parcel(shop, parcel)
    await all_adds_up(shop, before, await dump(shop))


async def test_the_customer_cancels_and_has_everything_back(shop: Services) -> None:
    before = await dump(shop)
    await declined(shop)
    assert (await cancel(shop, key="x1"))["stage"] == "cancelled"
    await shop.debts.settle()
    assert [refund.amount for refund in await repaid(shop)] == [190_00]
    now = await dump(shop)
    assert now["variants"] == before["variants"]
    await all_adds_up(shop, before, now)


async def test_an_order_whose_change_is_paid_is_not_cancelled_any_more(shop: Services) -> None:
    await paid(shop, new_order(lines=CURTAIN))
    await replace(shop, "A-1", (OLD, NEW))
    await shop.payments.collect("A-1")
    with denies("CANCEL-STATUS"):
        await cancel(shop, key="x1")
    with denies("CHANGE-UNPAID"):
        await undo(shop)


async def test_nobody_else_undoes_it(shop: Services) -> None:
    await declined(shop)
    with denies("ORDER-EXISTS"):
        await undo(shop, subject="ben_ortiz")


async def test_nobody_answers_and_a_day_later_the_order_leaves_as_it_was(shop: Services, clock: Clock) -> None:
    await declined(shop)
    assert await shop.expiry.enforce_deadlines() == {}
    clock.advance(days=1)
    assert await shop.expiry.enforce_deadlines() == {"c1": "undone"}
    events = [row["event"] for row in (await dump(shop))["notices"]]
    assert {"difference.declined", "change.undone"} <= set(events)
    [parcel] = await steps.plan(shop, "A-1")
    assert (await shop.fulfilment.book(parcel)).outcome == "booked"
    assert parcel in await at_the_carrier(shop)


async def test_what_a_change_costs_less_is_paid_as_far_as_it_was_not_refunded(shop: Services) -> None:
    await paid(shop, new_order(lines={"CURTAIN-LONG": 1}))

    await refund_payment(shop, "A-1", 110_00)
    await replace(shop, "A-1", ("CURTAIN-LONG", "CURTAIN-MEDIUM"))
    [notice] = [row for row in (await dump(shop))["notices"] if row["event"] == "difference.refunded"]
    assert notice["facts"] == {"amount": 9_00, "value": 24_00}


async def test_150_pieces_are_changed_in_one_swap(shop: Services) -> None:
    with shop.database.writing() as session:
        session.execute(text("UPDATE variants SET on_hand = 400 WHERE sku LIKE 'CURTAIN%'"))
    await paid(shop, new_order(lines={OLD: 150}))
    swaps = (Swap(old=OLD, new=NEW, quantity=149),)

    await ask(shop, ReplaceLines, order_id="A-1", swaps=swaps, payment_method_id="ada_card")
    assert await lines(shop) == [(NEW, 149, 119_00), (OLD, 1, 95_00)]
    await shop.payments.collect("A-1")
    assert await stock(shop, OLD) == (400, 1)


@pytest.mark.parametrize("verb", ["undo", "pay"])
async def test_there_is_no_way_out_of_what_is_not_declined(shop: Services, verb: str) -> None:
    await paid(shop, new_order(lines=CURTAIN))
    await replace(shop, "A-1", (OLD, NEW))
    with pytest.raises(PolicyDenied):
        await (undo(shop) if verb == "undo" else pay_by(shop, "A-1", "ada_slow", key="c2"))
