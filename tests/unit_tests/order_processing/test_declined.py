"""Orders whose payment was declined: they wait for another method, not too often and not too long."""

import pytest

from agent.services import Services
from tests.support.clock import Clock
from tests.support.orders import LARGE, SMALL, charges, place, redrive_order, stock
from tests.support.scenes import pay_by, recard
from tests.support.threads import APPROVE, seen

from .standing import MANAGER


async def unfinished(shop: Services) -> list[str]:
    return [order["id"] for order in await shop.queries.unfinished(stale_seconds=120)]


async def test_another_method_takes_the_declined_ones_place_and_is_charged_once(shop: Services) -> None:
    thread, _ = await place(SMALL, method="ada_declines")
    await pay_by(shop, "N-1", "ada_card")

    ended = await redrive_order(thread)

    assert (ended["processing_stage"], ended["payment_status"], ended["denial"]) == ("completed", "captured", None)
    assert [(charge["key"], charge["amount"]) for charge in await charges(shop)] == [("N-1:pay:2", 123_00)]


async def test_a_gift_card_that_does_not_cover_it_gives_way_to_a_card(shop: Services) -> None:
    thread, ended = await place({"RUG-SAND": 1}, method="ada_gift")
    assert ended["denial"]["rule"] == "PAYMENT-GIFT-COVERS"
    await pay_by(shop, "N-1", "ada_card")

    assert (await redrive_order(thread))["processing_stage"] == "completed"
    assert len(await charges(shop)) == 1


async def test_a_large_order_is_approved_anew_with_its_new_method(shop: Services) -> None:
    thread, _ = await place(LARGE, method="ada_declines")
    first = await thread.waits_for()
    declined = await thread.answer(APPROVE, MANAGER)
    assert declined["processing_stage"] == "declined"
    await pay_by(shop, "N-1", "ada_card")

    await redrive_order(thread)

    second = await thread.waits_for()
    assert first
    assert second
    assert second["request_id"] != first["request_id"]
    assert await charges(shop) == []
    assert (await thread.answer(seen(second, APPROVE), MANAGER))["processing_stage"] == "completed"
    assert len(await charges(shop)) == 1


async def test_the_third_decline_undoes_the_order(shop: Services) -> None:
    before = await stock(shop)
    await recard(shop, "ada_card", "tok_decline")
    await recard(shop, "ada_slow", "tok_decline")
    thread, _ = await place(SMALL, method="ada_declines")
    await pay_by(shop, "N-1", "ada_card", key="c1")
    assert (await redrive_order(thread))["processing_stage"] == "declined"
    await pay_by(shop, "N-1", "ada_slow", key="c2")

    ended = await redrive_order(thread)

    assert (ended["processing_stage"], ended["payment_status"]) == ("cancelled", "declined")
    assert ended["denial"]["rule"] == "PAYMENT-DECLINED"
    assert await stock(shop) == before
    assert await charges(shop) == []


async def test_it_is_undone_when_the_time_is_up_and_not_before(shop: Services, clock: Clock) -> None:
    before = await stock(shop)
    thread, _ = await place(SMALL, method="ada_declines")
    clock.advance(hours=23, minutes=59)
    assert await unfinished(shop) == []
    assert (await redrive_order(thread))["processing_stage"] == "declined"
    clock.advance(minutes=2)
    assert await unfinished(shop) == ["N-1"]

    ended = await redrive_order(thread)

    assert (ended["processing_stage"], ended["denial"]["rule"]) == ("cancelled", "PAYMENT-DECLINED")
    assert await stock(shop) == before


@pytest.mark.parametrize("times", [1, 3])
async def test_driving_a_declined_order_on_asks_the_network_nothing(shop: Services, times: int) -> None:
    thread, _ = await place(SMALL, method="ada_declines")
    asked = (await shop.providers.clients[0].get("/charges")).json()

    for _ in range(times):
        await redrive_order(thread)

    assert (await shop.providers.clients[0].get("/charges")).json() == asked
