"""What may happen to orders, step by step: what customers ask, what their process does, what the world does to it.

Each step may be refused by a rule or fail on its way out; nothing here says what must come of it.
"""

from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import asdict, dataclass
from typing import Any, Final, Literal

import httpx

from agent.commerce.commands import (
    CancelOrder,
    ChangeProfileAddress,
    ChangeShipTo,
    Command,
    LineQuantity,
    MarkDelivered,
    NewOrder,
    ReceiveReturn,
    RefundPayment,
    ReplaceLines,
    RequestExchange,
    RequestReturn,
    Swap,
    SwapPayment,
    UndoChange,
    WithdrawReturn,
)
from agent.commerce.debt_outcomes import ATTEMPTS
from agent.commerce.lifecycle import AT_REST
from agent.commerce.ticket_commands import OpenTicket
from agent.commerce.views import OrderView
from agent.ledger.database import PolicyDenied, digest
from agent.ledger.tables import DebtRow
from agent.providers.carrier import CarrierError
from agent.providers.payment import PaymentError
from agent.resilience import CircuitOpenError
from agent.services import Services
from tests.support import steps
from tests.support.clock import Clock
from tests.support.commands import hand_over_parcel, place_order
from tests.support.invariants import GOODWILL, given_back
from tests.support.outside import NEVER_TAKEN, readdress, the_van_comes
from tests.support.scenes import ELSEWHERE, ask, dump, recard

What = Literal[
    "go on",
    "capture",
    "book one",
    "van",
    "no van goes there",
    "cancel",
    "undo",
    "refund",
    "settle",
    "people decide",
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
    "receive some",
    "withdraw",
    "undo change",
    "clock",
    "card",
    "deliver",
    "complain",
]

Weather = Literal["fine", "unreachable", "cut off", "lost", "all away"]

CARDS: Final = ("tok_approve", "tok_decline", "tok_gone", "tok_down", "tok_refund_pends")
"""What a card may turn into."""

ROUNDS: Final = 12
"""Times that the reconciler comes round at most before every order must be at rest."""


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


async def cut_off(request: httpx.Request) -> None:
    """For `wire(request=…)`: nothing was done, and nobody can tell."""
    raise httpx.ReadError("the connection broke", request=request)


class Life:
    """A shop, its orders, and all that may befall them."""

    def __init__(self, shop: Services, clock: Clock, orders: tuple[NewOrder, ...]) -> None:
        self.shop = shop
        self.clock = clock
        self.orders = {order.order_id: order for order in orders}

    async def take(self, step: Step) -> None:
        """One step; a rule, the network or the carrier may be against it."""
        shop, order_id = self.shop, step.order_id
        about = {"order_id": order_id}
        paying = about | {"payment_method_id": step.method}
        old = tuple(piece.old for piece in step.pieces)
        ways: dict[What, Callable[[], Awaitable[object]]] = {
            "go on": lambda: self._go_on(order_id),
            "capture": lambda: shop.payments.capture(order_id),
            "book one": lambda: self._book(order_id, at_most=1),
            "van": lambda: the_van_comes(shop),
            "no van goes there": lambda: self._no_van_goes_there(order_id),
            "cancel": lambda: self._ask(step, CancelOrder, **about, reason="no longer needed"),
            "undo": lambda: shop.orders.compensate(order_id, "CANCELLED"),
            "refund": lambda: self._ask(step, RefundPayment, **about, amount=step.amount),
            "settle": shop.debts.settle,
            "people decide": lambda: self._people_decide(by_hand=step.amount % 2 == 0),
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
            "receive some": lambda: self._ask(step, ReceiveReturn, **about, lines=(LineQuantity(line=1, quantity=1),)),
            "withdraw": lambda: self._ask(step, WithdrawReturn, **about),
            "undo change": lambda: self._ask(step, UndoChange, **about),
            "clock": shop.expiry.enforce_deadlines,
            "card": lambda: recard(shop, step.method, CARDS[step.amount % len(CARDS)]),
            "deliver": lambda: self._deliver(order_id),
            "complain": lambda: self._ask(step, OpenTicket, **about, topic="order", text="It is late."),
        }
        with suppress(PolicyDenied, PaymentError, CarrierError, CircuitOpenError):
            await ways[step.what]()

    async def end(self) -> list[str]:
        """All is well outside, time passes, and the reconciler comes round; ids of orders that are not at rest then."""
        for breaker in self.shop.breakers.values():
            breaker.reset()
        busy = list(self.orders)
        for _ in range(ROUNDS):
            self.clock.advance(days=2)
            await the_van_comes(self.shop)
            for order_id in busy:
                await self.take(Step("go on", order_id))
            for debt in await self.shop.debts.past_limit():
                await steps.decide_debt(self.shop, debt.key, by_hand=False)
            await self.shop.payments.collect()
            await self.shop.expiry.enforce_deadlines()
            await self.shop.debts.settle()
            known = [await self.shop.queries.get(order_id) for order_id in busy]
            busy = [order["id"] for order in known if order["stage"] not in AT_REST]
            if not busy:
                break
        return busy

    async def _ask(self, step: Step, form: type[Command], **arguments: Any) -> None:
        await ask(self.shop, form, key=step.key, **arguments)

    async def _go_on(self, order_id: str) -> None:
        """The next steps of an order that nothing happens to, up to the next one that others may see."""
        shop, known = self.shop, await self._find(order_id)
        match known["stage"] if known else None:
            case None | "placed":
                await self._reserve(order_id)
            case "reserved":
                await steps.move(shop, order_id, "approved")
            case "approved" | "parked":
                await shop.payments.capture(order_id)
            case "declined":
                if not (await shop.payments.declined(order_id))[1]:
                    await shop.orders.compensate(order_id, (await shop.payments.declined(order_id))[0])
            case "paid":
                await self._book(order_id)
            case "cancelling":
                await shop.orders.compensate(order_id, "CANCELLED")
                await shop.debts.settle(order_id)

    async def _reserve(self, order_id: str) -> None:
        short: list[int] = []
        for line in (await place_order(self.shop, self.orders[order_id], actor="ada_park"))["lines"]:
            try:
                await self.shop.orders.reserve_line(order_id, line["number"])
            except PolicyDenied as denial:
                if denial.rule != "STOCK-SHORT":
                    raise
                short.append(line["number"])
        try:
            await steps.reserved(self.shop, order_id, short=short)
        except PolicyDenied as denial:
            if denial.rule == "STOCK-SHORT":
                await self.shop.orders.compensate(order_id, denial.rule)

    async def _book(self, order_id: str, at_most: int | None = None) -> None:
        """Parcels are planned of what is paid, and of nothing before."""
        order = await self._find(order_id)
        if order is None or order["stage"] not in ("paid", "completed"):
            return
        for parcel in (await steps.plan(self.shop, order_id))[:at_most]:
            await self.shop.fulfilment.book(parcel)
        if await self.shop.fulfilment.join(order_id) == "refused":
            await self.shop.orders.compensate(order_id, "SHIPPING-REFUSED")

    async def _no_van_goes_there(self, order_id: str) -> None:
        """The address turns out to be one that no carrier goes to; not of an order that one has promised to take."""
        order = await self._find(order_id)
        if order and not [parcel for parcel in order["parcels"] if parcel["state"] == "booked"]:
            await readdress(self.shop, order_id, NEVER_TAKEN)

    async def _people_decide(self, *, by_hand: bool) -> None:
        """What is owed failed often: people have it tried again, or give back by hand what nobody gave back."""
        given = await given_back(self.shop)
        for debt in (await dump(self.shop))["debts"]:
            if not debt["settled"]:
                with self.shop.database.writing() as session:
                    session.get_one(DebtRow, debt["key"]).attempts = ATTEMPTS * (debt["asked"] + 1)
                by_hand = by_hand and debt["kind"] == "refund" and debt["key"] not in given
                await steps.decide_debt(self.shop, debt["key"], by_hand=by_hand)

    async def _wait(self) -> None:
        self.clock.advance(minutes=40)

    async def _deliver(self, order_id: str) -> None:
        """What has left arrives; of an imported order it leaves now."""
        for parcel in (await self.shop.queries.get(order_id))["parcels"]:
            if parcel["state"] == "planned" and order_id.startswith("W"):
                await hand_over_parcel(self.shop, parcel["id"])
            await ask(self.shop, MarkDelivered, key=f"delivered:{parcel['id']}", parcel_id=parcel["id"])

    async def _find(self, order_id: str) -> OrderView | None:
        try:
            return await self.shop.queries.get(order_id, customer_id="ada_park")
        except PolicyDenied:
            return None
