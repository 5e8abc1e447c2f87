"""What is faulty is replaced once, and never beside its money."""

from typing import Any

import pytest

from agent.commerce.commands import (
    Denial,
    LineQuantity,
    ReceiveReturn,
    RefundPayment,
    RequestReplacement,
    RequestReturn,
    WithdrawReturn,
)
from agent.services import Services
from tests.support.goods import W1012

pytestmark = pytest.mark.usefixtures("shop")

WHO = {"actor": "grace_okafor", "subject": "grace_okafor"}
ORDER = W1012  # 2 pendants at 149.00, on their way; delivered in the fixture below


@pytest.fixture
async def delivered(shop: Services) -> str:
    [parcel] = (await shop.queries.get(ORDER))["parcels"]
    assert not isinstance(await shop.commerce.delivered(parcel["id"], "grace_okafor", "carrier"), Denial)
    return ORDER


async def ask(shop: Services, form: Any, key: str, **arguments: Any) -> Any:
    return await shop.commerce.run(form(key=key, **WHO, order_id=ORDER, **arguments))


async def stock(shop: Services) -> tuple[int, int]:
    [row] = [each for each in await rows(shop) if each[0] == "PENDANT-GLASS"]
    return row[1], row[2]


async def rows(shop: Services) -> list[tuple[str, int, int]]:
    from sqlalchemy import select

    from agent.ledger.tables import VariantRow

    def read(session: Any) -> list[tuple[str, int, int]]:
        return [(each.sku, each.on_hand, each.reserved) for each in session.scalars(select(VariantRow))]

    return await shop.database.read(read)


async def test_a_new_piece_is_held_and_leaves_when_the_faulty_one_is_back(shop: Services, delivered: str) -> None:
    on_hand, reserved = await stock(shop)
    await ask(shop, RequestReplacement, "r1", line=1, quantity=1)
    assert await stock(shop) == (on_hand, reserved + 1)
    await ask(shop, ReceiveReturn, "r2")
    assert await stock(shop) == (on_hand - 1, reserved)  # what is faulty is not sold again
    assert (await shop.queries.get(delivered))["status"] == "delivered"


async def test_a_piece_that_was_replaced_can_be_returned_and_replaced_again(shop: Services, delivered: str) -> None:
    await ask(shop, RequestReplacement, "r1", line=1, quantity=2)
    await ask(shop, ReceiveReturn, "r2")
    assert not isinstance(await ask(shop, RequestReplacement, "r3", line=1, quantity=1), Denial)
    await ask(shop, WithdrawReturn, "r4")
    pieces = (LineQuantity(line=1, quantity=2),)
    returned = await ask(shop, RequestReturn, "r5", lines=pieces, payment_method_id="grace_card")
    assert returned["status"] == "return requested"


async def test_nobody_has_the_money_and_the_new_piece(shop: Services, delivered: str) -> None:
    await ask(shop, RequestReplacement, "r1", line=1, quantity=1)
    beyond = await ask(shop, RefundPayment, "f1", amount=149_01)
    assert isinstance(beyond, Denial)
    assert beyond.rule == "REFUND-AMOUNT"
    assert not isinstance(await ask(shop, RefundPayment, "f2", amount=149_00), Denial)
    await ask(shop, WithdrawReturn, "r2")
    again = await ask(shop, RequestReplacement, "r3", line=1, quantity=2)
    assert isinstance(again, Denial)
    assert again.rule == "REFUND-AMOUNT"


async def test_a_replaced_piece_that_is_back_for_its_money_is_in_nobodys_way(shop: Services, delivered: str) -> None:
    await ask(shop, RequestReplacement, "r1", line=1, quantity=1)
    await ask(shop, ReceiveReturn, "r2")
    pieces = (LineQuantity(line=1, quantity=1),)
    await ask(shop, RequestReturn, "r3", lines=pieces, payment_method_id="grace_card")
    await ask(shop, ReceiveReturn, "r4")
    assert not isinstance(await ask(shop, RefundPayment, "f1", amount=149_00), Denial)  # of the one that is kept


async def test_what_is_not_there_any_more_is_not_replaced(shop: Services) -> None:
    undelivered = await ask(shop, RequestReplacement, "r1", line=1, quantity=1)
    assert isinstance(undelivered, Denial)
    assert undelivered.rule == "RETURN-STATUS"
