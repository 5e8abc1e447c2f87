"""Whatever is asked, in whatever order, twice, at once, with a network that fails: nothing is made up or lost.

Every command, accepted or denied, and every step of an order's process. What must add up is in `books`.
"""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AbstractContextManager, nullcontext, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Literal, get_args

from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from agent import services as composition
from agent.commerce.booking import UNDECIDED
from agent.commerce.commands import (
    CancelOrder,
    ChangeProfileAddress,
    ChangeShipTo,
    Command,
    IssueCredit,
    MarkDelivered,
    NewOrder,
    OpenTicket,
    ReceiveReturn,
    RefundPayment,
    ReplaceLines,
    RequestExchange,
    RequestReturn,
    Swap,
    SwapPayment,
)
from agent.commerce.views import OrderView
from agent.ledger.database import Denied, digest
from agent.providers.payment import PaymentError
from agent.resilience import CircuitOpenError
from agent.services import Services
from agent.settings import Settings
from tests.ledgers import home
from tests.unit_tests.acts import hand_over_parcel, place_order

from ..conftest import Clock
from .books import GOODWILL, all_adds_up
from .scenes import ELSEWHERE, ask, dump, lost, new_order, unreachable, wire

What = Literal[
    "go on",
    "place",
    "capture",
    "ship",
    "cancel",
    "undo",
    "refund",
    "settle",
    "find out",
    "park",
    "wait",
    "collect",
    "replace",
    "send elsewhere",
    "pay otherwise",
    "move house",
    "return",
    "exchange",
    "receive",
    "deliver",
    "credit",
    "complain",
]
Weather = Literal["fine", "unreachable", "lost"]

_AT_LAST: tuple[What, ...] = ("capture", "find out", "collect", "settle")
_NOT_LOOKED_AT = ("effects", "products", "approvals", "decisions")


@dataclass(frozen=True)
class Step:
    """Something that someone does to an order."""

    what: What
    order_id: str
    amount: int = 1
    method: str = "ada_card"
    pieces: tuple[Swap, ...] = ()

    @property
    def key(self) -> str:
        """The same for the same step."""
        return (
            f"{GOODWILL if self.what == 'refund' else self.what}:{digest(asdict(self) | {'pieces': str(self.pieces)})}"
        )


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
    st.just(new_order("W-1001")),  # ids that imported orders have
    st.just(new_order("W-1002")),
)
PIECES = {  # of each order, with what may take their place; of walnut clocks there is one
    "A-1": ("CANDLE-SMALL CANDLE-LARGE", "CANDLE-SMALL CANDLE-MEDIUM", "CLOCK-OAK CLOCK-WALNUT", "CLOCK-OAK CLOCK-ASH"),
    "A-2": ("CANDLE-LARGE CANDLE-SMALL", "CANDLE-LARGE CANDLE-MEDIUM", "CANDLE-SMALL CANDLE-LARGE"),
    "W-1001": ("LAMP-OAK LAMP-BRASS", "DESK-WALNUT DESK-OAK", "LAMP-OAK LAMP-OAK"),
    "W-1002": ("LAMP-BRASS LAMP-OAK", "CUSHION-SAND CUSHION-RUST", "CUSHION-SAND CUSHION-MOSS"),
}
PENDING: tuple[What, ...] = ("replace", "replace", "pay otherwise", "send elsewhere", "cancel", "deliver", "deliver")
DELIVERED: tuple[What, ...] = ("return", "exchange", "exchange", "receive", "receive", "refund")
APT: dict[str, tuple[What, ...]] = {
    "A-1": (*("go on",) * 8, *PENDING, *DELIVERED),
    "A-2": (*("go on",) * 8, *PENDING, *DELIVERED),
    "W-1001": DELIVERED,
    "W-1002": (*PENDING, *DELIVERED),
}


@st.composite
def steps(draw: st.DrawFn) -> Step:
    """Something that makes sense for an order some day, or anything."""
    order_id = draw(st.sampled_from(sorted(APT)))
    pairs = draw(st.lists(st.sampled_from(PIECES[order_id]), min_size=1, max_size=2, unique=True))
    return Step(
        what=draw(st.sampled_from(APT[order_id]) | st.sampled_from(APT[order_id]) | st.sampled_from(get_args(What))),
        order_id=order_id,
        amount=draw(st.integers(1, 150_00)),
        method=draw(st.sampled_from(("ada_card", "ada_card", "ada_gift", "ada_slow", "ada_declines", "ben_card"))),
        pieces=tuple(Swap(old=old, new=new) for old, new in map(str.split, pairs)),
    )


STEPS = steps()
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
            "unreachable": wire(self.shop.world.clients[0], request=unreachable),
            "lost": wire(self.shop.world.clients[0], response=lost),
        }
        with weather[moment.weather]:
            await asyncio.gather(*(self.take(step) for step in moment.steps))

    async def take(self, step: Step) -> None:
        """One step; a rule or the network may be against it."""
        shop, order_id = self.shop, step.order_id
        about = {"order_id": order_id}
        paying = about | {"payment_method_id": step.method}
        old = tuple(piece.old for piece in step.pieces)
        ways: dict[What, Callable[[], Awaitable[object]]] = {
            "go on": lambda: self._go_on(order_id),
            "place": lambda: place_order(shop, self.orders[order_id], actor="ada_park"),
            "capture": lambda: shop.payments.capture(order_id),
            "ship": lambda: self._ship(order_id),
            "cancel": lambda: self._ask(step, CancelOrder, **about, reason="no longer needed"),
            "undo": lambda: shop.orders.undo(order_id, "CANCELLED"),
            "refund": lambda: self._ask(step, RefundPayment, **about, amount=step.amount),
            "settle": shop.debts.settle,
            "find out": lambda: self._find_out(order_id),
            "park": lambda: shop.payments.park(order_id),
            "wait": self._wait,
            "collect": shop.payments.collect,
            "replace": lambda: self._ask(step, ReplaceLines, **paying, swaps=step.pieces),
            "send elsewhere": lambda: self._ask(step, ChangeShipTo, **about, ship_to=ELSEWHERE),
            "pay otherwise": lambda: self._ask(step, SwapPayment, **paying),
            "move house": lambda: self._ask(step, ChangeProfileAddress, address=ELSEWHERE),
            "return": lambda: self._ask(step, RequestReturn, **paying, skus=old),
            "exchange": lambda: self._ask(step, RequestExchange, **paying, swaps=step.pieces),
            "receive": lambda: self._ask(step, ReceiveReturn, **about),
            "deliver": lambda: self._deliver(order_id),
            "credit": lambda: self._ask(
                step, IssueCredit, payment_method_id=step.method, amount=step.amount, reason="late"
            ),
            "complain": lambda: self._ask(step, OpenTicket, **about, topic="order", text="It is late."),
        }
        with suppress(Denied, PaymentError, CircuitOpenError):
            await ways[step.what]()

    async def _ask(self, step: Step, form: type[Command], **arguments: Any) -> None:
        await ask(self.shop, form, key=step.key, **arguments)

    async def _deliver(self, order_id: str) -> None:
        """What has left arrives; of an imported order it leaves now."""
        for parcel in (await self.shop.reads.get(order_id))["parcels"]:
            if parcel["state"] == "planned" and order_id.startswith("W"):
                await hand_over_parcel(self.shop, parcel["id"])
            await ask(self.shop, MarkDelivered, key=f"delivered:{parcel['id']}", parcel_id=parcel["id"])

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
            case "reserved":
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
                await self.take(Step(what, order_id))


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
            await all_adds_up(shop, before, await dump(shop, *_NOT_LOOKED_AT))
        await desk.calm_down()
        now = await dump(shop, *_NOT_LOOKED_AT)
        await all_adds_up(shop, before, now)
        assert not [row for row in now["payments"] if row["outcome"] in ("due", *UNDECIDED)]
        assert all(row["settled"] for row in now["debts"])
    finally:
        await shop.close()
