"""Whatever is asked, in whatever order, twice, at once, with a network that fails: nothing is made up or lost.

Stock: what was there is there, or was shipped; what is reserved is what lines hold. Money: an order's entries are
its captures less its refunds, never below nothing; and what we took is what the card network took.
"""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from contextlib import AbstractContextManager, nullcontext, suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Literal, get_args

from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from agent import services as composition
from agent.commerce.booking import UNDECIDED
from agent.commerce.commands import NewOrder
from agent.commerce.views import OrderView
from agent.ledger.database import Denied
from agent.providers.payment import PaymentError
from agent.resilience import CircuitOpenError
from agent.services import Services
from agent.settings import Settings
from tests.ledgers import home
from tests.unit_tests.acts import hand_over_parcel, place_order, refund_payment

from ..conftest import Clock
from .scenes import Dump, cancel, dump, lost, network, new_order, unreachable, wire

What = Literal["go on", "place", "capture", "ship", "cancel", "undo", "refund", "settle", "find out", "park", "wait"]
Weather = Literal["fine", "unreachable", "lost"]

_AT_LAST: tuple[What, ...] = ("capture", "find out", "settle")
_MONEY = ("payments", "debts", "money_entries")
_NOT_LOOKED_AT = ("effects", "products", "customers", "approvals", "decisions", "parcels")


@dataclass(frozen=True)
class Step:
    """Something that someone does to an order."""

    what: What
    order_id: str
    amount: int


@dataclass(frozen=True)
class Moment:
    """What happens at once, and how the way to the card network is meanwhile."""

    steps: list[Step]
    weather: Weather


ORDERS = st.tuples(
    st.sampled_from(("ada_card", "ada_card", "ada_declines")).map(
        lambda method: new_order("A-1", method, lines={"CANDLE-SMALL": 2, "CLOCK-OAK": 1})
    ),
    st.sampled_from(("ada_card", "ada_gift")).map(lambda method: new_order("A-2", method, lines={"CANDLE-LARGE": 1})),
    st.just(new_order("W-1002")),  # an id that an imported order has
)
AMOUNTS = st.integers(1, 150_00)
ON = st.builds(Step, what=st.just("go on"), order_id=st.sampled_from(("A-1", "A-2")), amount=AMOUNTS)
ANY = st.builds(
    Step, what=st.sampled_from(get_args(What)), order_id=st.sampled_from(("A-1", "A-2", "W-1002")), amount=AMOUNTS
)
STEPS = st.one_of(ON, ANY)
MOMENTS = st.builds(
    Moment,
    steps=st.one_of(st.lists(STEPS, min_size=1, max_size=2), STEPS.map(lambda step: [step, step])),
    weather=st.sampled_from(("fine",) * 3 + get_args(Weather)),
)


class Desk:
    """The shop with its steps."""

    def __init__(self, shop: Services, clock: Clock, orders: tuple[NewOrder, ...]) -> None:
        self.shop = shop
        self.clock = clock
        self.orders = {order.order_id: order for order in orders}

    async def live(self, moment: Moment) -> None:
        """All the steps of a moment at once."""
        weather: dict[Weather, AbstractContextManager[None]] = {
            "fine": nullcontext(),
            "unreachable": wire(self.shop.payment_client, request=unreachable),
            "lost": wire(self.shop.payment_client, response=lost),
        }
        with weather[moment.weather]:
            await asyncio.gather(*(self.take(step) for step in moment.steps))

    async def take(self, step: Step) -> None:
        """One step; a rule or the network may be against it."""
        shop, order_id, me = self.shop, step.order_id, "ada_park"
        ways: dict[What, Callable[[], Awaitable[object]]] = {
            "go on": lambda: self._go_on(order_id),
            "place": lambda: place_order(shop, self.orders[order_id], actor=me),
            "capture": lambda: shop.payments.capture(order_id),
            "ship": lambda: self._ship(order_id),
            "cancel": lambda: cancel(shop, order_id, key=f"cancel:{order_id}"),
            "undo": lambda: shop.orders.undo(order_id, "CANCELLED"),
            "refund": lambda: refund_payment(
                shop, order_id, step.amount, subject=me, key=f"refund:{order_id}:{step.amount}"
            ),
            "settle": shop.refunds.settle,
            "find out": lambda: self._find_out(order_id),
            "park": lambda: shop.payments.park(order_id),
            "wait": self._wait,
        }
        with suppress(Denied, PaymentError, CircuitOpenError):
            await ways[step.what]()

    async def _wait(self) -> None:
        self.clock.advance(minutes=2)

    async def _ship(self, order_id: str) -> None:
        for parcel in (await self.shop.fulfilment.plan(order_id))[:1]:
            await hand_over_parcel(self.shop, parcel)
        await self.shop.fulfilment.complete(order_id)

    async def _find_out(self, order_id: str) -> None:
        """Of an order that is being undone only, as `compensate` does it."""
        if (known := await self._find(order_id)) and known["stage"] == "cancelling":
            await self.shop.payments.find_out(order_id)
            await self.shop.orders.undo(order_id, "CANCELLED")

    async def _go_on(self, order_id: str) -> None:
        """The next steps of an order that nothing happens to, up to the next one that others may see."""
        orders, known = self.shop.orders, await self._find(order_id)
        match known["stage"] if known else None:
            case None | "placed":
                for line in (await place_order(self.shop, self.orders[order_id], actor="ada_park"))["lines"]:
                    await orders.reserve_line(order_id, line["number"])
                await orders.move(order_id, "reserved")
                await orders.move(order_id, "approved")
            case "approved" | "parked":
                await self.shop.payments.capture(order_id)
            case "paid":
                await self._ship(order_id)
            case "cancelling":
                await self._find_out(order_id)

    async def _find(self, order_id: str) -> OrderView | None:
        mine = await self.shop.reads.of_customer("ada_park")
        return next((order for order in mine if order["id"] == order_id), None)

    async def calm_down(self) -> None:
        """The network is well again, time passes, and the reconciler has been round."""
        self.shop.breakers["payment"].reset()
        self.clock.advance(hours=1)
        for order_id in self.orders:
            for what in _AT_LAST:
                await self.take(Step(what, order_id, 0))


def pieces_of(ledger: Dump, reservation: str) -> Counter[str]:
    pieces = Counter[str]()
    for line in ledger["order_lines"]:
        if line["reservation"] == reservation:
            pieces[line["sku"]] += line["quantity"]
    return pieces


def stock_is_conserved(before: Dump, now: Dump) -> None:
    shipped = pieces_of(now, "shipped") - pieces_of(before, "shipped")
    held = pieces_of(now, "held")
    assert {row["sku"]: row["on_hand"] + shipped[row["sku"]] for row in now["variants"]} == {
        row["sku"]: row["on_hand"] for row in before["variants"]
    }
    assert {row["sku"]: row["reserved"] for row in now["variants"]} == {
        row["sku"]: held[row["sku"]] for row in now["variants"]
    }
    undone = {order["id"] for order in now["orders"] if order["status"] == "cancelled"}
    assert not [line for line in now["order_lines"] if line["reservation"] == "held" and line["order_id"] in undone]


def money_is_conserved(now: Dump) -> None:
    for order in now["orders"]:
        mine = {name: [row for row in now[name] if row["order_id"] == order["id"]] for name in now if name in _MONEY}
        captured = sum(row["amount"] for row in mine["payments"] if row["outcome"] == "captured")
        repaid = sum(row["amount"] for row in mine["debts"] if row["settled"])
        owed = sum(row["amount"] for row in mine["debts"] if not row["settled"])
        assert sum(row["amount"] for row in mine["money_entries"]) == captured - repaid
        assert captured in (0, order["total"])
        assert captured - repaid - owed >= 0
        if order["status"] == "cancelled":
            assert captured == repaid + owed
    cards = {row["id"] for row in now["payment_methods"] if row["kind"] == "gift_card"}
    for card in cards:
        assert sum(row["amount"] for row in now["money_entries"] if row["method_id"] == card) <= 0


async def both_sides_agree(shop: Services, now: Dump) -> None:
    """What we booked, the network did; what it did and we did not book yet, we know to be unknown or owed."""
    there = await network(shop)
    taken = {charge.key: charge.amount for charge in there.charges if charge.status == "captured"}
    given = {refund.key: refund.amount for refund in there.refunds}
    booked = {row["key"]: row["amount"] for row in now["money_entries"]}
    captures = {row["key"]: booked[row["key"]] for row in now["money_entries"] if row["kind"] == "capture"}
    refunds = {row["key"]: -booked[row["key"]] for row in now["money_entries"] if row["kind"] == "refund"}
    open_payments = {row["key"] for row in now["payments"] if row["outcome"] in UNDECIDED}
    open_debts = {row["key"] for row in now["debts"] if not row["settled"]}
    assert captures.items() <= taken.items()
    assert refunds.items() <= given.items()
    assert taken.keys() - captures.keys() <= open_payments
    assert given.keys() - refunds.keys() <= open_debts


@settings(max_examples=12, deadline=None, phases=(Phase.reuse, Phase.generate))  # a story is short: no shrinking
@given(orders=ORDERS, moments=st.lists(MOMENTS, min_size=6, max_size=12))
def test_nothing_is_made_up_or_lost(imported: Settings, orders: tuple[NewOrder, ...], moments: list[Moment]) -> None:
    calm = {"payment_timeout_seconds": 30, "payment_breaker_minimum_calls": 20}
    with TemporaryDirectory() as folder, home(Path(folder), imported, **calm) as config:
        asyncio.run(story(config, orders, moments))


async def story(config: Settings, orders: tuple[NewOrder, ...], moments: list[Moment]) -> None:
    clock = Clock()
    shop = await composition.build(config, clock)
    try:
        before = await dump(shop, *_NOT_LOOKED_AT)
        desk = Desk(shop, clock, orders)
        for moment in moments:
            await desk.live(moment)
            await all_adds_up(shop, before)
        await desk.calm_down()
        now = await all_adds_up(shop, before)
        assert not [row for row in now["payments"] if row["outcome"] in UNDECIDED]
        assert all(row["settled"] for row in now["debts"])
    finally:
        await shop.close()


async def all_adds_up(shop: Services, before: Dump) -> Dump:
    now = await dump(shop, *_NOT_LOOKED_AT)
    stock_is_conserved(before, now)
    money_is_conserved(now)
    await both_sides_agree(shop, now)
    return now
