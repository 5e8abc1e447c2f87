"""Holding stock and letting go of it: never oversold, given back exactly; cancelling by the customer's own word."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from agent.approvals.requests import Action
from agent.commerce.orders import GIVE_UPS
from agent.ledger.database import KeyReusedError, PolicyDenied
from agent.ledger.tables import TicketRow
from agent.services import Services
from tests.support.clock import Clock
from tests.support.goods import W1001, W1006, W1008
from tests.support.scenes import (
    approved,
    cancel,
    denies,
    dump,
    entries,
    new_order,
    paid,
    placed,
    reserved,
    stock,
)

LAST_CLOCK = {"CLOCK-WALNUT": 1}


async def variants(shop: Services) -> list[dict[str, Any]]:
    return (await dump(shop))["variants"]


async def reserve(shop: Services, order_id: str) -> str:
    """`held`, or the rule that says why the first line's stock could not be."""
    try:
        await shop.orders.reserve_line(order_id, 1)
    except PolicyDenied as denial:
        return denial.rule
    return "held"


async def test_a_reserved_line_holds_its_stock_once(shop: Services) -> None:
    await placed(shop, new_order())
    on_hand, before = await stock(shop, "LAMP-OAK")
    await asyncio.gather(*(shop.orders.reserve_line("A-1", 1) for _ in range(4)))
    assert await stock(shop, "LAMP-OAK") == (on_hand, before + 2)
    assert [line["reservation"] for line in (await shop.queries.get("A-1"))["lines"]] == ["held", "none"]


async def test_the_last_piece_goes_to_one_of_many(shop: Services) -> None:
    ids = [f"A-{n}" for n in range(8)]
    for order_id in ids:
        await placed(shop, new_order(order_id, lines=LAST_CLOCK))
    outcomes = await asyncio.gather(*(reserve(shop, order_id) for order_id in ids))
    assert sorted(outcomes) == ["STOCK-SHORT"] * 7 + ["held"]
    assert await stock(shop, "CLOCK-WALNUT") == (1, 1)


async def test_orders_of_several_pieces_never_take_more_than_there_is(shop: Services) -> None:
    on_hand, held = await stock(shop, "LAMP-OAK")
    ids = [f"A-{n}" for n in range(8)]
    for order_id in ids:
        await placed(shop, new_order(order_id, lines={"LAMP-OAK": 7}))
    won = (await asyncio.gather(*(reserve(shop, order_id) for order_id in ids))).count("held")
    assert won == (on_hand - held) // 7 < len(ids)
    assert await stock(shop, "LAMP-OAK") == (on_hand, held + 7 * won)


async def test_a_short_line_changes_no_stock_and_stays_short(shop: Services) -> None:
    await placed(shop, new_order(lines={"CLOCK-WALNUT": 2}))
    before = await dump(shop, "effects")
    for _ in range(2):
        with denies("STOCK-SHORT"):
            await shop.orders.reserve_line("A-1", 1)
    assert await dump(shop, "effects") == before


async def test_stock_is_held_only_for_an_order_that_was_just_placed(shop: Services) -> None:
    await placed(shop, new_order())
    await cancel(shop)
    before = await variants(shop)
    with denies("ORDER-STAGE"):
        await shop.orders.reserve_line("A-1", 1)
    assert await variants(shop) == before


async def test_an_undone_order_gives_back_exactly_what_it_held(shop: Services) -> None:
    before = await variants(shop)
    await placed(shop, new_order(lines={"LAMP-OAK": 2, "CLOCK-WALNUT": 2}))
    await shop.orders.reserve_line("A-1", 1)
    with denies("STOCK-SHORT"):
        await shop.orders.reserve_line("A-1", 2)
    order = await shop.orders.compensate("A-1", "STOCK-SHORT")
    assert (order["stage"], order["status"], order["reason"]) == ("cancelled", "cancelled", "STOCK-SHORT")
    assert [line["reservation"] for line in order["lines"]] == ["released", "none"]
    assert await variants(shop) == before


async def test_undoing_again_changes_nothing(shop: Services) -> None:
    await reserved(shop, new_order())
    first = await shop.orders.compensate("A-1", "ORDER-REJECTED")
    before = await dump(shop)
    assert await shop.orders.compensate("A-1", "CANCELLED") == first
    assert await dump(shop) == before


async def test_a_completed_order_cannot_be_undone(shop: Services) -> None:
    before = await dump(shop)
    with denies("ORDER-STAGE"):
        await shop.orders.compensate(W1001, "CANCELLED")
    assert await dump(shop) == before


async def test_undoing_voids_what_people_are_asked_about_the_order_and_nothing_else(shop: Services) -> None:
    await reserved(shop, new_order())
    about = {"subject": "ada_park", "thread_id": "t", "asked_by": "ada_park"}
    action = Action("approve_order", {}, "")
    large = await shop.approvals.open(action, "large_order", key="1", order_id="A-1", **about)
    refund = await shop.approvals.open(action, "billing", key="2", order_id="A-1", **about)
    other = await shop.approvals.open(action, "large_order", key="3", order_id="A-2", **about)
    await shop.orders.compensate("A-1", "CANCELLED")
    ids = [view["request_id"] for view in (large, refund, other)]
    assert [(await shop.approvals.get(each))["status"] for each in ids] == ["void", "open", "open"]
    assert [told.request_id for told in await shop.deadlines.threads_to_wake()] == [large["request_id"]]


async def test_a_customer_cancels_an_order_that_holds_stock(shop: Services) -> None:
    before = await variants(shop)
    await reserved(shop, new_order())
    assert (await cancel(shop))["stage"] == "cancelled"
    order = await shop.queries.get("A-1")
    assert (order["status"], order["reason"]) == ("cancelled", "CUSTOMER-CANCELLED")
    assert await variants(shop) == before


async def test_a_cancelled_order_gives_back_the_money_with_the_stock(shop: Services) -> None:
    before = await variants(shop)
    total = (await paid(shop, new_order()))["total"]
    assert (await cancel(shop))["stage"] == "cancelled"
    assert [(debt["amount"], debt["settled"]) for debt in (await dump(shop))["debts"]] == [(total, False)]
    assert await variants(shop) == before


@pytest.mark.parametrize(
    ("order_id", "customer", "status"),
    [
        (W1001, "ada_park", "delivered"),
        (W1006, "chloe_meyer", "processed"),
        (W1008, "dev_shah", "cancelled"),
    ],
)
async def test_only_a_pending_order_can_be_cancelled(shop: Services, order_id: str, customer: str, status: str) -> None:
    assert (await shop.queries.get(order_id))["status"] == status
    before = await dump(shop, "effects")
    with denies("CANCEL-STATUS"):
        await cancel(shop, order_id, subject=customer)
    assert await dump(shop, "effects") == before


@pytest.mark.parametrize("reason", [None, "too expensive"])
async def test_an_order_is_cancelled_for_a_known_reason_only(shop: Services, reason: str | None) -> None:
    await approved(shop, new_order())
    before = await dump(shop, "effects")
    with denies("CANCEL-REASON"):
        await cancel(shop, reason=reason)
    assert await dump(shop, "effects") == before


async def test_anothers_order_is_like_none_at_all(shop: Services) -> None:
    await placed(shop, new_order())
    before = await dump(shop, "effects")
    with denies("ORDER-EXISTS") as anothers:
        await cancel(shop, subject="ben_ortiz", key="k1")
    with denies("ORDER-EXISTS") as none:
        await cancel(shop, "A-404", subject="ben_ortiz", key="k2")
    assert anothers.value.sentence.replace("A-1", "A-404") == none.value.sentence
    assert await dump(shop, "effects") == before


async def test_the_same_cancel_again_is_the_same_cancel(shop: Services) -> None:
    await paid(shop, new_order())
    views = await asyncio.gather(*(cancel(shop) for _ in range(3)))
    assert [view["stage"] for view in views] == ["cancelled"] * 3
    assert len((await dump(shop))["debts"]) == 1
    assert await entries(shop) == [("capture", 233_00)]


async def test_a_second_cancel_under_another_key_is_too_late(shop: Services) -> None:
    await placed(shop, new_order())
    await cancel(shop)
    with denies("CANCEL-STATUS"):
        await cancel(shop, key="k2")


async def test_the_key_of_a_cancel_is_good_for_that_cancel_only(shop: Services) -> None:
    await placed(shop, new_order())
    await cancel(shop)
    with pytest.raises(KeyReusedError):
        await cancel(shop, reason="ordered by mistake")


async def test_each_thread_of_an_order_is_given_up_later_than_the_one_before(shop: Services, clock: Clock) -> None:
    await placed(shop, new_order())
    wait, given_up = timedelta(minutes=2), list[int]()
    for minute in range(64):
        if await shop.orders.give_up_thread("A-1", wait):
            given_up.append(minute)
        clock.advance(minutes=1)
    assert given_up == [0, 2, 6, 14, 30, 62]


async def test_an_order_whose_threads_keep_failing_is_a_case_for_a_person_once(shop: Services, clock: Clock) -> None:
    await placed(shop, new_order())
    for _ in range(GIVE_UPS + 2):
        assert await shop.orders.give_up_thread("A-1", timedelta(0))
    with shop.database.reading() as session:
        tickets = session.scalars(select(TicketRow).where(TicketRow.order_id == "A-1")).all()
    assert [(ticket.topic, ticket.customer_id) for ticket in tickets] == [("order", "ada_park")]
