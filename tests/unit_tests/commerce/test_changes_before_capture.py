"""Before the money is taken a change moves none: it alters reservations and total, and has the order asked anew."""

from typing import Any

import pytest

from agent.services import Services
from tests.support import steps
from tests.support.scenes import (
    Scene,
    approved,
    awaiting,
    charges,
    denies,
    dump,
    entries,
    new_order,
    parked,
    pay_by,
    placed,
    replace,
    reserved,
    send_to,
)


@pytest.mark.parametrize("scene", [placed, approved, parked])
async def test_an_order_that_is_being_worked_on_is_not_changed(shop: Services, scene: Scene) -> None:
    await scene(shop, new_order())
    before = await dump(shop, "effects")
    for change in (
        replace(shop, "A-1", ("LAMP-OAK", "LAMP-BRASS"), key="c1"),
        send_to(shop, "A-1", key="c2"),
        pay_by(shop, "A-1", "ada_slow", key="c3"),
    ):
        with denies("ORDER-BUSY"):
            await change
    assert await dump(shop, "effects") == before


@pytest.mark.parametrize("scene", [reserved, awaiting])
async def test_before_the_money_is_taken_a_change_moves_none(shop: Services, scene: Scene) -> None:
    await scene(shop, new_order())
    order = await replace(shop, "A-1", ("LAMP-OAK", "LAMP-BRASS"), method="ada_gift")
    assert (order["total"], order["stage"]) == (69_00 + 89_00 + 95_00, "reserved")
    assert [(line["sku"], line["reservation"]) for line in order["lines"]] == [
        ("LAMP-OAK", "held"),
        ("CLOCK-OAK", "held"),
        ("LAMP-BRASS", "held"),
    ]
    assert await shop.payments.collect() == await shop.debts.settle() == {}
    assert await charges(shop) == []
    await steps.move(shop, "A-1", "approved")
    await shop.payments.capture("A-1")
    assert await entries(shop) == [("capture", order["total"])]


@pytest.mark.parametrize(
    "change",
    [
        lambda shop: replace(shop, "A-1", ("LAMP-OAK", "LAMP-BRASS")),
        lambda shop: send_to(shop, "A-1"),
        lambda shop: pay_by(shop, "A-1", "ada_slow"),
    ],
    ids=["items", "address", "payment"],
)
async def test_what_was_asked_of_people_about_the_old_order_is_void(shop: Services, change: Any) -> None:
    await awaiting(shop, new_order())
    await change(shop)
    assert (await shop.queries.get("A-1"))["stage"] == "reserved"
    [request] = await shop.approvals.of_order("A-1")
    assert request["status"] == "void"
    assert [row["thread_told"] for row in (await dump(shop))["approvals"]] == [False]  # its thread is to be woken


async def test_before_the_money_is_taken_only_the_method_changes(shop: Services) -> None:
    await reserved(shop, new_order())
    await pay_by(shop, "A-1", "ada_slow")
    assert await shop.payments.collect() == await shop.debts.settle() == {}
    await steps.move(shop, "A-1", "approved")
    await shop.payments.capture("A-1")
    assert [row["method_id"] for row in (await dump(shop))["payments"] if row["order_id"] == "A-1"] == ["ada_slow"]
