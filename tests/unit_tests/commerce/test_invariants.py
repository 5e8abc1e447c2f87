"""Whatever is asked, in whatever order, twice, at once, with a world outside that fails: nothing is made up or lost.

Every command, accepted or denied, and every step of an order's process (`life`). What must add up is in `books`.
"""

import asyncio
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import get_args

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from agent import services as composition
from agent.commerce.commands import NewOrder, Swap
from agent.commerce.lifecycle import UNDECIDED
from agent.services import Services
from agent.settings import Settings
from tests.support.clock import Clock
from tests.support.goods import W1001, W1002
from tests.support.invariants import all_adds_up, moved_by_the_table
from tests.support.ledgers import home
from tests.support.outside import sparing_the_books, with_second
from tests.support.scenes import Hook, dump, lost, new_order, unreachable, wire

from .life import Life, Step, Weather, What, cut_off

pytestmark = pytest.mark.thorough

_NOT_LOOKED_AT = ("effects", "products", "approvals", "decisions", "notices", "conversations", "quarantine")


@dataclass(frozen=True)
class Moment:
    """What happens at once, and how the way out is meanwhile."""

    steps: list[Step]
    weather: Weather


CARDS = ("ada_card", "ada_card", "ada_declines")
ORDERS = st.tuples(
    st.sampled_from(CARDS).map(lambda method: new_order("A-1", method, lines={"CANDLE-SMALL": 2, "CLOCK-OAK": 1})),
    st.sampled_from(("ada_card", "ada_gift")).map(lambda method: new_order("A-2", method, lines={"CANDLE-LARGE": 1})),
    st.sampled_from((True, True, False)).map(
        lambda partial: new_order("A-3", lines={"CLOCK-WALNUT": 2, "MUG-BLUE": 1}, allow_partial=partial)
    ),
    st.just(new_order(W1001)),  # ids that imported orders have
    st.just(new_order(W1002)),
)
PIECES = {  # of each order, with what may take their place; of walnut clocks there is one
    "A-1": ("CANDLE-SMALL CANDLE-LARGE", "CANDLE-SMALL CANDLE-MEDIUM", "CLOCK-OAK CLOCK-WALNUT", "CLOCK-OAK CLOCK-ASH"),
    "A-2": ("CANDLE-LARGE CANDLE-SMALL", "CANDLE-LARGE CANDLE-MEDIUM", "CANDLE-SMALL CANDLE-LARGE"),
    "A-3": ("CLOCK-WALNUT CLOCK-OAK", "MUG-BLUE MUG-GREEN"),
    W1001: ("LAMP-OAK LAMP-BRASS", "DESK-WALNUT DESK-OAK", "LAMP-OAK LAMP-OAK"),
    W1002: ("LAMP-BRASS LAMP-OAK", "CUSHION-SAND CUSHION-RUST", "CUSHION-SAND CUSHION-MOSS"),
}
PENDING: tuple[What, ...] = ("replace", "replace", "pay otherwise", "pay otherwise", "send elsewhere", "cancel")
DELIVERED: tuple[What, ...] = ("return", "exchange", "exchange", "receive", "receive", "refund")
BOOKED: tuple[What, ...] = ("book one", "van", "van", "no van goes there", "deliver")
GOING: tuple[What, ...] = (*("go on",) * 10, *("cancel",) * 4, *BOOKED)
OWED: tuple[What, ...] = ("settle", "settle", "people decide", "wait", "collect")
APT: dict[str, tuple[What, ...]] = {
    "A-1": (*GOING, *PENDING, *OWED),
    "A-2": (*GOING, *PENDING, *OWED, *DELIVERED),
    "A-3": (*GOING, *PENDING, *OWED),
    W1001: DELIVERED,
    W1002: (*PENDING, *DELIVERED, "deliver", "deliver"),
}
BEGUN = st.tuples(*(st.sampled_from((2, 2, 3, 4, 0)) for _ in range(3)))
"""How many steps each new order has gone when a story begins: reserved, approved, paid, booked."""

METHODS = ("ada_card", "ada_card", "ada_gift", "ada_slow", "ada_declines", "ben_card")


@st.composite
def steps(draw: st.DrawFn) -> Step:
    """Something that makes sense for an order some day, or anything."""
    order_id = draw(st.sampled_from(("A-1", "A-1", "A-2", "A-2", "A-3", "A-3", W1001, W1002)))
    pairs = draw(st.lists(st.sampled_from(PIECES[order_id]), min_size=1, max_size=2, unique=True))
    return Step(
        what=draw(st.sampled_from(APT[order_id] * 3 + get_args(What))),
        order_id=order_id,
        amount=draw(st.integers(1, 150_00)),
        method=draw(st.sampled_from(METHODS)),
        pieces=tuple(Swap(old=old, new=new) for old, new in map(str.split, pairs)),
    )


STEPS = steps()
MOMENTS = st.builds(
    Moment,
    steps=st.one_of(st.lists(STEPS, min_size=1, max_size=2), STEPS.map(lambda step: [step, step])),
    weather=st.sampled_from(("fine", "fine", *get_args(Weather))),
)
FIRST = st.builds(
    Moment,
    steps=st.just([Step("go on", order_id) for order_id in ("A-1", "A-2", "A-3")]),
    weather=st.sampled_from(get_args(Weather)),
)
"""Most orders are about to be paid, or booked: in any weather."""


def outside(shop: Services, weather: Weather) -> ExitStack:
    """The world outside in this weather: the first network and the carrier, and the second network."""
    hooks: dict[Weather, tuple[dict[str, Hook], ...]] = {
        "fine": (),
        "unreachable": ({"request": unreachable},),
        "cut off": ({"request": cut_off},),
        "lost": ({"response": lost}, {"response": lost}),
        "all away": ({"request": unreachable}, {"request": unreachable}),
    }
    stack = ExitStack()
    for client, hook in zip(shop.providers.clients, hooks[weather], strict=False):
        stack.enter_context(wire(client, **{when: sparing_the_books(act) for when, act in hook.items()}))
    return stack


@settings(max_examples=10, deadline=None, phases=(Phase.reuse, Phase.generate))  # a story is short: no shrinking
@given(orders=ORDERS, begun=BEGUN, first=FIRST, moments=st.lists(MOMENTS, min_size=5, max_size=11))
def test_nothing_is_made_up_or_lost(
    imported: Settings, orders: tuple[NewOrder, ...], begun: tuple[int, ...], first: Moment, moments: list[Moment]
) -> None:
    calm = {"payment_timeout_seconds": 30, "payment_breaker_minimum_calls": 20, "carrier_hand_over_seconds": 3600}
    with TemporaryDirectory() as folder, home(Path(folder), imported, **calm) as config:
        asyncio.run(story(config, orders, begun, [first, *moments]))


async def story(config: Settings, orders: tuple[NewOrder, ...], begun: tuple[int, ...], moments: list[Moment]) -> None:
    clock = Clock()
    shop = with_second(await composition.build(config, clock))
    try:
        before = await dump(shop, *_NOT_LOOKED_AT)
        life = Life(shop, clock, orders)
        for order, gone in zip(orders, begun, strict=False):
            for _ in range(gone):
                await life.take(Step("go on", order.order_id))
        last = await dump(shop, *_NOT_LOOKED_AT)
        for moment in moments:
            with outside(shop, moment.weather):
                await asyncio.gather(*(life.take(step) for step in moment.steps))
            now = await dump(shop, *_NOT_LOOKED_AT)
            await all_adds_up(shop, before, now)
            moved_by_the_table(last, now)
            last = now
        assert await life.end() == []
        now = await dump(shop, *_NOT_LOOKED_AT)
        await all_adds_up(shop, before, now)
        moved_by_the_table(last, now)
        assert not [row for row in now["payments"] if row["outcome"] in ("due", *UNDECIDED)]
        assert all(row["settled"] for row in now["debts"])
    finally:
        await shop.close()
