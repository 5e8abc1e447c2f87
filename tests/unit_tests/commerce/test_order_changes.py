"""Items of a pending order are changed by rule or not at all; the difference in price is paid, or given back, once."""

import pytest

from agent.ledger.tables import VariantRow
from agent.services import Services
from tests.support import steps
from tests.support.commands import hand_over_parcel, refund_payment
from tests.support.goods import W1001, W1002
from tests.support.scenes import (
    cancel,
    denies,
    dump,
    entries,
    gift,
    lost,
    network,
    new_order,
    paid,
    pay_by,
    placed,
    repaid,
    replace,
    stock,
    unreachable,
    wire,
)

LAMP = ("LAMP-BRASS", "LAMP-OAK")
"""Of W-1002; the new one is 20.00 cheaper."""

CURTAIN = {"CURTAIN-MEDIUM": 2}
"""95.00 each: 20.00 more than a short one, 24.00 less than a long one."""


@pytest.mark.parametrize(
    ("order_id", "swap", "how", "rule"),
    [
        ("A-404", LAMP, {}, "ORDER-EXISTS"),
        (W1002, LAMP, {"subject": "ben_ortiz"}, "ORDER-EXISTS"),
        (W1001, ("LAMP-OAK", "LAMP-BRASS"), {}, "LINES-STATUS"),
        (W1002, LAMP, {"method": "ben_card"}, "DIFFERENCE-METHOD"),
        (W1002, LAMP, {"method": "no_card"}, "DIFFERENCE-METHOD"),
        (W1002, ("LAMP-OAK", "LAMP-BRASS"), {}, "LINES-OWNED"),
        (W1002, ("LAMP-BRASS", "CUSHION-MOSS"), {}, "LINES-PRODUCT"),
        (W1002, ("LAMP-BRASS", "LAMP-GOLD"), {}, "LINES-PRODUCT"),
        (W1002, ("LAMP-BRASS", "LAMP-BRASS"), {}, "LINES-DIFFERENT"),
        ("A-1", ("RUG-SAND", "RUG-INDIGO"), {}, "LINES-AVAILABLE"),
        ("A-1", ("DESK-ASH", "DESK-WALNUT"), {"method": "ada_gift"}, "DIFFERENCE-GIFT-COVERS"),
    ],
)
async def test_a_change_of_items_against_a_rule_changes_nothing(
    shop: Services, order_id: str, swap: tuple[str, str], how: dict[str, str], rule: str
) -> None:
    await paid(shop, new_order(lines={"RUG-SAND": 1, "DESK-ASH": 1}))
    before = await dump(shop, "effects")
    with denies(rule):
        await replace(shop, order_id, swap, **how)
    assert await dump(shop, "effects") == before


async def test_no_more_pieces_are_changed_than_were_bought(shop: Services) -> None:
    with denies("LINES-OWNED"):
        await replace(shop, W1002, *[("CUSHION-SAND", "CUSHION-RUST")] * 3)


async def test_items_of_which_there_are_not_enough_are_not_available(shop: Services) -> None:
    await paid(shop, new_order(lines={"CLOCK-OAK": 2}))
    with denies("LINES-AVAILABLE"):
        await replace(shop, "A-1", *[("CLOCK-OAK", "CLOCK-WALNUT")] * 2)
    assert await stock(shop, "CLOCK-WALNUT") == (1, 0)


async def test_a_piece_that_the_same_change_gives_up_is_not_available(shop: Services) -> None:
    await paid(shop, new_order(lines={"CLOCK-OAK": 1, "CLOCK-WALNUT": 1}))
    with denies("LINES-AVAILABLE"):
        await replace(shop, "A-1", ("CLOCK-WALNUT", "CLOCK-ASH"), ("CLOCK-OAK", "CLOCK-WALNUT"))


async def test_items_are_changed_once_and_then_the_order_is_not_cancelled(shop: Services) -> None:
    assert (await replace(shop, W1002, LAMP))["status"] == "pending (item modified)"
    with denies("LINES-STATUS"):
        await replace(shop, W1002, ("CUSHION-SAND", "CUSHION-MOSS"), key="c2")
    with denies("CANCEL-STATUS"):
        await cancel(shop, W1002)


async def test_each_line_gets_the_price_of_its_own_item(shop: Services) -> None:
    await paid(shop, new_order(lines={"LAMP-OAK": 1, "CLOCK-OAK": 1}))
    order = await replace(shop, "A-1", ("LAMP-OAK", "LAMP-BRASS"), ("CLOCK-OAK", "CLOCK-WALNUT"))
    assert [(line["sku"], line["unit_price"]) for line in order["lines"]] == [
        ("LAMP-BRASS", 89_00),
        ("CLOCK-WALNUT", 119_00),
    ]
    assert order["total"] == 208_00
    assert await shop.payments.collect("A-1") == {"c1": "captured"}
    assert sorted(await entries(shop)) == [("capture", 44_00), ("capture", 164_00)]


async def test_stock_is_held_for_the_new_item_and_no_longer_for_the_old(shop: Services) -> None:
    old, new = await stock(shop, LAMP[0]), await stock(shop, LAMP[1])
    await replace(shop, W1002, LAMP)
    assert await stock(shop, LAMP[0]) == (old[0], old[1] - 1)
    assert await stock(shop, LAMP[1]) == (new[0], new[1] + 1)


async def test_one_piece_of_several_gets_a_line_of_its_own_in_the_same_parcel(shop: Services) -> None:
    await paid(shop, new_order(lines=CURTAIN))
    [parcel] = await steps.plan(shop, "A-1")
    order = await replace(shop, "A-1", ("CURTAIN-MEDIUM", "CURTAIN-SHORT"))
    assert [(line["sku"], line["quantity"], line["unit_price"]) for line in order["lines"]] == [
        ("CURTAIN-MEDIUM", 1, 95_00),
        ("CURTAIN-SHORT", 1, 75_00),
    ]
    before = await stock(shop, "CURTAIN-SHORT")
    await hand_over_parcel(shop, parcel)
    assert await stock(shop, "CURTAIN-SHORT") == (before[0] - 1, before[1] - 1)
    assert await shop.fulfilment.join("A-1") == "completed"


async def test_a_higher_price_is_captured_from_the_method_that_was_named(shop: Services) -> None:
    await paid(shop, new_order(lines=CURTAIN))
    await replace(shop, "A-1", ("CURTAIN-MEDIUM", "CURTAIN-LONG"), method="ada_slow")
    assert await entries(shop) == [("capture", 190_00)]
    assert await shop.payments.collect("A-1") == {"c1": "captured"}
    assert await shop.payments.collect("A-1") == {}
    assert await entries(shop) == [("capture", 190_00), ("capture", 24_00)]
    assert await shop.queries.charges("A-1", customer_id="ada_park") == [
        {"what": "payment", "method_id": "ada_card", "amount": 190_00, "done": True, "at": "2026-06-01T12:00:00+00:00"},
        {"what": "payment", "method_id": "ada_slow", "amount": 24_00, "done": True, "at": "2026-06-01T12:00:00+00:00"},
    ]


async def test_what_is_due_for_one_order_is_collected_whatever_else_its_method_paid_for(shop: Services) -> None:
    """Orders that the same card paid for, done or cancelled, have nothing to do with it."""
    await paid(shop, new_order("A-1", method="ada_slow", lines=CURTAIN))
    await placed(shop, new_order("A-2", lines=CURTAIN))
    await cancel(shop, "A-2")
    await replace(shop, "A-1", ("CURTAIN-MEDIUM", "CURTAIN-LONG"))
    assert await shop.payments.collect(W1002) == {}
    assert await shop.payments.collect() == {"c1": "captured"}


async def test_a_gift_card_pays_a_higher_price_at_once(shop: Services) -> None:
    await paid(shop, new_order(lines=CURTAIN))
    await replace(shop, "A-1", ("CURTAIN-MEDIUM", "CURTAIN-LONG"), method="ada_gift")
    assert await gift(shop) == 70_00 - 24_00
    assert await shop.payments.collect("A-1") == {}


@pytest.mark.parametrize(("price", "covered"), [(70_00, True), (70_01, False)])
async def test_a_gift_card_pays_up_to_its_last_cent(shop: Services, price: int, covered: bool) -> None:
    await paid(shop, new_order(method="ada_slow", lines={"LAMP-OAK": 1}))
    with shop.database.writing() as session:
        session.get_one(VariantRow, "LAMP-BRASS").price = 69_00 + price
    if not covered:
        with denies("DIFFERENCE-GIFT-COVERS"):
            await replace(shop, "A-1", ("LAMP-OAK", "LAMP-BRASS"), method="ada_gift")
        return
    await replace(shop, "A-1", ("LAMP-OAK", "LAMP-BRASS"), method="ada_gift")
    assert await gift(shop) == 0


async def test_a_lower_price_is_given_back_to_the_card_that_paid(shop: Services) -> None:
    await replace(shop, W1002, LAMP)
    assert await shop.debts.settle(W1002) == {"c1:0": "settled"}
    assert [refund.amount for refund in await repaid(shop, W1002)] == [20_00]
    assert sorted(await entries(shop, W1002)) == [("capture", 147_00), ("refund", -20_00)]


async def test_a_lower_price_is_credited_to_another_method_that_was_named(shop: Services) -> None:
    await replace(shop, W1002, LAMP, method="ada_slow")
    assert await shop.debts.settle(W1002) == {"c1:0": "settled"}
    assert await repaid(shop, W1002) == []
    assert [(credit.key, credit.amount) for credit in (await network(shop)).credits] == [("c1:0", 20_00)]


async def test_a_lower_price_is_on_a_gift_card_at_once(shop: Services) -> None:
    await replace(shop, W1002, LAMP, method="ada_gift")
    assert await gift(shop) == 90_00
    assert await shop.debts.settle(W1002) == {}


async def test_nothing_moves_for_an_equal_price(shop: Services) -> None:
    before = await entries(shop, W1002)
    await replace(shop, W1002, ("CUSHION-SAND", "CUSHION-MOSS"))
    assert await shop.payments.collect(W1002) == await shop.debts.settle(W1002) == {}
    assert await entries(shop, W1002) == before


async def test_a_parcel_waits_until_the_difference_is_paid(shop: Services) -> None:
    await paid(shop, new_order(lines=CURTAIN))
    [parcel] = await steps.plan(shop, "A-1")
    await replace(shop, "A-1", ("CURTAIN-MEDIUM", "CURTAIN-LONG"))
    with denies("PAYMENT-DUE"):
        await hand_over_parcel(shop, parcel)
    await shop.payments.collect("A-1")
    await hand_over_parcel(shop, parcel)  # under the same key: what was denied is not denied for ever
    assert (await shop.queries.get("A-1"))["status"] == "processed"


async def test_a_refund_for_goodwill_keeps_no_parcel_back(shop: Services) -> None:
    await paid(shop, new_order(lines=CURTAIN))
    [parcel] = await steps.plan(shop, "A-1")
    await refund_payment(shop, "A-1", 10_00)
    await hand_over_parcel(shop, parcel)


async def test_of_a_declined_difference_the_customer_hears_once_and_nothing_leaves(shop: Services) -> None:
    await paid(shop, new_order(lines=CURTAIN))
    [parcel] = await steps.plan(shop, "A-1")
    await replace(shop, "A-1", ("CURTAIN-MEDIUM", "CURTAIN-LONG"), method="ada_declines")
    assert await shop.payments.collect("A-1") == {"c1": "declined"}
    assert await shop.payments.collect("A-1") == {}
    [notice] = [row for row in (await dump(shop))["notices"] if row["event"] == "difference.declined"]
    assert (notice["order_id"], notice["facts"]) == ("A-1", {"rule": "PAYMENT-DECLINED", "amount": 24_00})
    with denies("PAYMENT-DUE"):
        await hand_over_parcel(shop, parcel)
    assert await steps.payment_outcome(shop, "A-1") == "captured"  # of the order's own price


async def test_a_difference_whose_answer_was_lost_is_captured_once(shop: Services) -> None:
    await paid(shop, new_order(lines=CURTAIN))
    await replace(shop, "A-1", ("CURTAIN-MEDIUM", "CURTAIN-LONG"))
    with wire(shop.providers.clients[0], response=lost):
        assert await shop.payments.collect() == {"c1": "PaymentUnknownError"}
    assert await shop.payments.collect("A-1") == {"c1": "captured"}
    assert [(charge.key, charge.amount) for charge in (await network(shop)).charges if charge.key == "c1"] == [
        ("c1", 24_00)
    ]


async def test_a_difference_waits_for_a_provider_that_is_away(shop: Services) -> None:
    await paid(shop, new_order(lines=CURTAIN))
    await replace(shop, "A-1", ("CURTAIN-MEDIUM", "CURTAIN-LONG"))
    with wire(shop.providers.clients[0], request=unreachable):
        assert await shop.payments.collect() == {"c1": "PaymentNotSentError"}
    assert await shop.payments.collect("A-1") == {"c1": "captured"}


async def test_nothing_is_changed_while_a_payment_for_a_change_is_due(shop: Services) -> None:
    await pay_by(shop, W1002, "ada_slow")
    with denies("ORDER-BUSY"):
        await replace(shop, W1002, LAMP, key="c2")
    await shop.payments.collect(W1002)
    await replace(shop, W1002, LAMP, key="c3")
