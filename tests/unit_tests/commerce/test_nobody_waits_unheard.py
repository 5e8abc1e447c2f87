"""Whatever befalls orders, and whoever is away or never answers: in the end nothing waits of which nobody was told."""

import asyncio
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, get_args

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from agent import services as composition
from agent.commerce.commands import Swap
from agent.commerce.lifecycle import AT_REST, UNDECIDED
from agent.commerce.policy import RETURN_LIMIT
from agent.commerce.ways_out import ways_out
from agent.ledger.database import PolicyDenied
from agent.notifications.notify import CustomerEvent
from agent.services import Services
from agent.settings import Settings
from tests.support.clock import Clock
from tests.support.invariants import all_adds_up
from tests.support.ledgers import home
from tests.support.outside import the_van_comes
from tests.support.scenes import Dump, Hook, cut_off_by, dump, new_order, unreachable, wire

from .life import Life, Step, Weather, What

pytestmark = pytest.mark.thorough

DAYS, ROUND = 120, 5
"""How long nobody answers, and how often the reconciler comes round: days. It could come far more often."""

UNHEARD: frozenset[str] = frozenset(("parcel.shipped", "approval.decided"))
"""Notifications that tell of no waiting."""

ORDERS = (
    new_order("A-1", "ada_card", lines={"CURTAIN-MEDIUM": 3, "CLOCK-OAK": 1}),
    new_order("A-2", "ada_slow", lines={"CURTAIN-MEDIUM": 2}),
)
DEARER, CHEAPER = Swap(old="CURTAIN-MEDIUM", new="CURTAIN-LONG"), Swap(old="CURTAIN-MEDIUM", new="CURTAIN-SHORT")

WHAT: tuple[What, ...] = (
    "go on", "go on", "go on", "deliver", "deliver", "cancel", "refund", "replace", "replace", "pay otherwise",
    "return", "exchange", "exchange", "receive", "receive some", "withdraw", "undo change", "collect",
    "settle", "clock", "card", "card",
)  # fmt: skip
STEPS = st.builds(
    Step,
    what=st.sampled_from(WHAT),
    order_id=st.sampled_from([order.order_id for order in ORDERS]),
    amount=st.integers(1, 40_00),
    method=st.sampled_from(("ada_card", "ada_slow", "ada_declines", "ada_gift")),
    pieces=st.sampled_from(((DEARER,), (CHEAPER,), (DEARER, DEARER), (DEARER, CHEAPER))),
)
WEATHER: st.SearchStrategy[Weather] = st.sampled_from(("fine", "fine", "unreachable", "lost"))


@settings(max_examples=8, deadline=None, phases=(Phase.reuse, Phase.generate))
@given(begun=st.integers(0, 6), steps=st.lists(STEPS, min_size=6, max_size=16), weather=WEATHER)
def test_after_120_days_nothing_waits_of_which_nobody_was_told(
    imported: Settings, begun: int, steps: list[Step], weather: Weather
) -> None:
    calm = {"payment_timeout_seconds": 30, "payment_breaker_minimum_calls": 10**6, "carrier_hand_over_seconds": 3600}
    with TemporaryDirectory() as folder, home(Path(folder), imported, **calm) as config:
        asyncio.run(story(config, begun, steps, weather))


async def story(config: Settings, begun: int, steps: list[Step], weather: Weather) -> None:
    clock = Clock()
    shop = await composition.build(config, clock)
    life = Life(shop, clock, ORDERS)
    try:
        before = await dump(shop)
        for order in ORDERS:
            for _ in range(begun):
                await life.take(Step("go on", order.order_id))
            if begun == 6:
                await the_van_comes(shop)
                await life.take(Step("go on", order.order_id))
                await life.take(Step("deliver", order.order_id))
        for step in steps:
            await life.take(step)
            clock.advance(hours=1)
        weathers: dict[Weather, dict[str, Hook]] = {
            "unreachable": {"request": unreachable},
            "lost": {"response": cut_off_by("POST")},
        }
        outside = weathers.get(weather, {})
        with wire(shop.providers.clients[0], **outside):
            await nobody_answers(life, clock)
        now = await dump(shop)
        await all_adds_up(shop, before, now)
        assert waits_unheard(now, {debt.order_id for debt in await shop.debts.past_limit()}) == []
        assert [row["id"] for row in now["returns"] if is_late(row, clock)] == []
    finally:
        await shop.close()


async def nobody_answers(life: Life, clock: Clock) -> None:
    """Days go by, and on some of them the reconciler comes round; no customer, no approver and no colleague does."""
    for _ in range(0, DAYS, ROUND):
        clock.advance(days=ROUND)
        for order in ORDERS:
            await life.take(Step("go on", order.order_id))
        with suppress(PolicyDenied):
            await life.shop.expiry.enforce_deadlines()
        await life.shop.payments.collect()
        await life.shop.debts.settle()


def is_late(row: dict[str, Any], clock: Clock) -> bool:
    """Whether a return is open past its end."""
    return bool(row["state"] == "open" and clock() - row["at"] > RETURN_LIMIT + timedelta(days=ROUND))


def waits_unheard(now: Dump, asked: set[str]) -> list[str]:
    """Orders that wait, and of which nobody was told; people are `asked` about some debts."""
    told = {row["order_id"] for row in now["tickets"]} | asked
    told |= {row["order_id"] for row in now["notices"] if row["event"] not in UNHEARD}
    return sorted({order for order in waiting(now) if order in {each.order_id for each in ORDERS}} - told)


def waiting(now: Dump) -> set[str]:
    """Orders of which something is held, owed or waited for."""
    order_of = {row["id"]: row["order_id"] for row in now["returns"]}
    found = {row["id"] for row in now["orders"] if row["stage"] not in AT_REST}
    found |= {row["order_id"] for row in now["debts"] if not row["settled"]}
    found |= {row["order_id"] for row in now["payments"] if row["outcome"] in ("due", *UNDECIDED)}
    found |= {row["order_id"] for row in now["order_lines"] if row["reservation"] == "held"}
    found |= {row["order_id"] for row in now["changed_pieces"]}
    return found | {order_of[row["return_id"]] for row in now["return_lines"] if row["held"]}


async def test_an_order_that_nobody_moves_is_told_to_people_once_in_each_stage(shop: Services, clock: Clock) -> None:
    life = Life(shop, clock, ORDERS)
    for _ in range(2):
        await life.take(Step("go on", "A-1"))
    clock.advance(days=3)
    assert (await shop.expiry.enforce_deadlines())["A-1"] == "handed to people"
    assert "A-1" not in await shop.expiry.enforce_deadlines()
    assert [row["topic"] for row in (await dump(shop))["tickets"] if row["order_id"] == "A-1"] == ["order"]


def test_every_notice_that_a_way_out_speaks_of_is_one_that_can_be_sent() -> None:
    assert set(get_args(CustomerEvent)) >= UNHEARD


def test_every_state_has_somebody_who_can_move_it_on_and_an_end() -> None:
    assert all(way.notified and way.end for way in ways_out())
    assert {way.state for way in ways_out() if way.what == "order" and way.by == "–"} == {"completed", "cancelled"}
