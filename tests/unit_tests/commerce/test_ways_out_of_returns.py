"""Returns go by line and quantity, end by themselves, and can be withdrawn; an exchange leaves when it is paid."""

from typing import Any

import pytest

from agent.commerce.commands import (
    LineQuantity,
    ReceiveReturn,
    RequestExchange,
    RequestReturn,
    Swap,
    WithdrawReturn,
)
from agent.ledger.tables import VariantRow
from agent.services import Services
from tests.support.clock import Clock
from tests.support.commands import refund_payment
from tests.support.invariants import all_adds_up
from tests.support.scenes import ask, denies, dump, entries, new_order, paid, pay_by, recard, stock

from .test_returns import deliver

CURTAIN = "CURTAIN-MEDIUM"
DEARER, PRICE = "CURTAIN-LONG", 95_00
"""24.00 dearer."""

Pieces = dict[int, int]


def by_line(pieces: Pieces) -> tuple[LineQuantity, ...]:
    return tuple(LineQuantity(line=line, quantity=quantity) for line, quantity in pieces.items())


async def delivered(shop: Services, **lines: int) -> None:
    """The customer has it all."""
    named = {name.replace("_", "-"): quantity for name, quantity in lines.items()}
    await paid(shop, new_order(lines=named or {CURTAIN: 3}))
    await deliver(shop, "A-1")


async def send_back(shop: Services, pieces: Pieces, key: str = "r1", method: str = "ada_card") -> dict[str, Any]:
    return await ask(shop, RequestReturn, key=key, order_id="A-1", lines=by_line(pieces), payment_method_id=method)


async def arrive(shop: Services, pieces: Pieces | None = None, key: str = "b1") -> dict[str, Any]:
    return await ask(shop, ReceiveReturn, key=key, order_id="A-1", lines=by_line(pieces or {}))


async def exchange(shop: Services, quantity: int = 1, method: str = "ada_card", key: str = "e1") -> dict[str, Any]:
    swaps = (Swap(old=CURTAIN, new=DEARER, quantity=quantity),)
    return await ask(shop, RequestExchange, key=key, order_id="A-1", swaps=swaps, payment_method_id=method)


async def withdraw(shop: Services, key: str = "w1") -> dict[str, Any]:
    return await ask(shop, WithdrawReturn, key=key, order_id="A-1")


async def told(shop: Services, event: str) -> list[dict[str, Any]]:
    """The facts of all notifications of this event."""
    return [row["facts"] for row in (await dump(shop))["notices"] if row["event"] == event]


async def refunded(shop: Services) -> int:
    return -sum(amount for kind, amount in await entries(shop) if kind in ("refund", "gift_credit"))


async def test_only_what_arrives_is_refunded_and_sold_again(shop: Services) -> None:
    before = await dump(shop)
    await delivered(shop)
    on_hand, held = await stock(shop, CURTAIN)
    await send_back(shop, {1: 2})
    assert (await arrive(shop, {1: 1}))["status"] == "return requested"
    assert await stock(shop, CURTAIN) == (on_hand + 1, held)
    await shop.debts.settle()
    assert await refunded(shop) == PRICE
    assert (await arrive(shop, {1: 1}, key="b2"))["status"] == "returned"
    await shop.debts.settle()
    assert await refunded(shop) == 2 * PRICE
    await all_adds_up(shop, before, await dump(shop))


async def test_more_than_is_expected_is_not_taken_in(shop: Services) -> None:
    await delivered(shop)
    await send_back(shop, {1: 2})
    before = await dump(shop)
    for pieces in ({1: 3}, {2: 1}, {1: 1, 7: 1}):
        with denies("RETURN-RECEIVED"):
            await arrive(shop, pieces)
    assert await dump(shop) == before


async def test_what_does_not_come_is_reminded_of_and_then_closed(shop: Services, clock: Clock) -> None:
    before = await dump(shop)
    await delivered(shop)
    await send_back(shop, {1: 2})
    await arrive(shop, {1: 1})
    clock.advance(days=29)
    assert "A-1/r1" not in await shop.expiry.enforce_deadlines()
    clock.advance(days=1)
    assert await shop.expiry.enforce_deadlines() == {"A-1/r1": "reminded of"}
    assert await shop.expiry.enforce_deadlines() == {}
    assert await told(shop, "return.reminder") == [{"pieces": 1}]
    clock.advance(days=15)
    assert await shop.expiry.enforce_deadlines() == {"A-1/r1": "closed"}
    assert await told(shop, "return.closed") == [{"pieces": 1}]
    assert (await shop.queries.get("A-1"))["status"] == "returned"
    with denies("RETURN-RECEIVED"):
        await arrive(shop, key="b2")
    await send_back(shop, {1: 2}, key="r2")  # what the customer has kept
    await all_adds_up(shop, before, await dump(shop))


async def test_the_rest_goes_back_when_the_first_return_is_over(shop: Services) -> None:
    await delivered(shop)
    await send_back(shop, {1: 1})
    with denies("RETURN-STATUS"):
        await send_back(shop, {1: 1}, key="r2")
    await arrive(shop)
    with denies("LINES-OWNED"):
        await send_back(shop, {1: 3}, key="r3")
    await send_back(shop, {1: 2}, key="r4")
    assert (await arrive(shop, key="b2"))["status"] == "returned"
    with denies("LINES-OWNED"):
        await send_back(shop, {1: 1}, key="r5")


async def test_150_pieces_go_back_at_once(shop: Services) -> None:
    with shop.database.writing() as session:
        session.get_one(VariantRow, CURTAIN).on_hand = 400
    await delivered(shop, CURTAIN_MEDIUM=150)
    await send_back(shop, {1: 150})
    await arrive(shop)
    assert await stock(shop, CURTAIN) == (400, 0)


async def test_a_line_is_named_once_or_more_but_never_for_more_than_it_has(shop: Services) -> None:
    await delivered(shop)
    twice = (LineQuantity(line=1, quantity=2), LineQuantity(line=1, quantity=2))
    with denies("LINES-OWNED"):
        await ask(shop, RequestReturn, order_id="A-1", lines=twice, payment_method_id="ada_card")


async def test_the_customer_is_told_what_is_paid_and_why_it_is_less(shop: Services) -> None:
    await paid(shop, new_order(lines={"LAMP-OAK": 1, "CLOCK-OAK": 1}))
    await deliver(shop, "A-1")
    await refund_payment(shop, "A-1", 100_00, key="goodwill")
    await send_back(shop, {2: 1})
    await arrive(shop)
    await shop.debts.settle()
    assert await refunded(shop) == 164_00
    assert await told(shop, "return.received") == [{"amount": 64_00, "value": 95_00}]


async def test_a_return_is_withdrawn_while_nothing_has_come(shop: Services) -> None:
    await delivered(shop)
    with denies("REQUEST-WITHDRAW"):
        await withdraw(shop, key="w0")
    await send_back(shop, {1: 2})
    assert (await withdraw(shop))["status"] == "delivered"
    await send_back(shop, {1: 3}, key="r2")
    await arrive(shop, {1: 1})
    with denies("REQUEST-WITHDRAW"):
        await withdraw(shop, key="w2")


async def test_what_was_returned_before_stays_returned_when_the_next_one_is_withdrawn(shop: Services) -> None:
    await delivered(shop)
    await send_back(shop, {1: 1})
    await arrive(shop)
    await send_back(shop, {1: 1}, key="r2")
    assert (await withdraw(shop))["status"] == "returned"


async def test_an_exchange_is_withdrawn_and_its_hold_released(shop: Services) -> None:
    before = await stock(shop, DEARER)
    await delivered(shop)
    await exchange(shop)
    assert await stock(shop, DEARER) == (before[0], before[1] + 1)
    await withdraw(shop)
    assert await stock(shop, DEARER) == before
    await exchange(shop, key="e2")  # nothing came of the first


async def test_the_hold_of_an_exchange_expires_with_it(shop: Services, clock: Clock) -> None:
    before = await stock(shop, DEARER)
    await delivered(shop)
    await exchange(shop)
    clock.advance(days=30)
    await shop.expiry.enforce_deadlines()
    clock.advance(days=15)
    await shop.expiry.enforce_deadlines()
    assert await stock(shop, DEARER) == before
    assert (await shop.queries.get("A-1"))["status"] == "delivered"
    with denies("EXCHANGE-STATUS"):
        await exchange(shop, key="e2")


async def test_the_new_piece_stays_until_the_difference_is_captured(shop: Services) -> None:
    before = await dump(shop)
    await delivered(shop)
    on_hand, held = await stock(shop, DEARER)
    await exchange(shop, method="ada_declines")
    assert (await arrive(shop))["status"] == "exchange requested"
    assert await shop.payments.collect("A-1") == {"b1": "declined"}
    assert await stock(shop, DEARER) == (on_hand, held + 1)
    await pay_by(shop, "A-1", "ada_slow", key="p2")
    assert await stock(shop, DEARER) == (on_hand, held + 1)
    assert await shop.payments.collect("A-1") == {"p2": "captured"}
    assert await stock(shop, DEARER) == (on_hand - 1, held)
    assert (await shop.queries.get("A-1"))["status"] == "returned"
    await all_adds_up(shop, before, await dump(shop))


async def test_an_exchange_that_nobody_pays_becomes_a_return(shop: Services, clock: Clock) -> None:
    before = await stock(shop, DEARER)
    await delivered(shop)
    await exchange(shop, method="ada_declines")
    await arrive(shop)
    await shop.payments.collect("A-1")
    clock.advance(days=1)
    assert await shop.expiry.enforce_deadlines() == {"b1": "undone"}
    assert await stock(shop, DEARER) == before
    await shop.debts.settle()
    assert await told(shop, "exchange.refunded") == [{"amount": PRICE}]
    assert (await shop.queries.get("A-1"))["status"] == "returned"
    assert sum(amount for _, amount in await entries(shop)) == 2 * PRICE


async def test_of_an_exchange_that_comes_in_parts_each_leaves_for_its_own(shop: Services, clock: Clock) -> None:
    before = await stock(shop, DEARER)
    await delivered(shop)
    await exchange(shop, quantity=3, method="ada_slow")
    await arrive(shop, {1: 1})
    assert await shop.payments.collect("A-1") == {"b1": "captured"}
    assert await stock(shop, DEARER) == (before[0] - 1, before[1] + 2)
    await recard(shop, "ada_slow", "tok_decline")
    await arrive(shop, {1: 1}, key="b2")
    await shop.payments.collect("A-1")
    clock.advance(days=1)
    await shop.expiry.enforce_deadlines()  # the second one is refunded
    assert await stock(shop, DEARER) == (before[0] - 1, before[1] + 1)
    clock.advance(days=44)
    await shop.expiry.enforce_deadlines()  # the third one never comes
    assert await stock(shop, DEARER) == (before[0] - 1, before[1])
    assert await told(shop, "return.closed") == [{"pieces": 1}]


@pytest.mark.parametrize("arguments", [{}, {"lines": by_line({1: 1}), "skus": (CURTAIN,)}])
def test_a_return_names_its_pieces_one_way(arguments: dict[str, Any]) -> None:
    who: dict[str, Any] = {"key": "k", "actor": "ada_park", "subject": "ada_park"}
    with pytest.raises(ValueError, match="by lines, or by skus"):
        RequestReturn(**who, order_id="A-1", payment_method_id="ada_card", **arguments)


def test_commands_that_were_sent_before_are_the_same_when_they_are_sent_again() -> None:
    who: dict[str, Any] = {"key": "k", "actor": "ada_park", "subject": "ada_park", "order_id": "A-1"}
    assert ReceiveReturn(**who).arguments() == {"order_id": "A-1"}
    swaps = (Swap(old="A", new="B"),)
    exchanged = RequestExchange(**who, swaps=swaps, payment_method_id="ada_card")
    assert exchanged.arguments()["swaps"] == [{"old": "A", "new": "B"}]
    returned = RequestReturn(**who, skus=("A",), payment_method_id="ada_card")
    assert returned.arguments() == {"order_id": "A-1", "skus": ["A"], "payment_method_id": "ada_card"}
