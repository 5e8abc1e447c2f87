"""Where tests of the shop begin: orders on their way, a failing network, and a look at everything at once.

What is done here is done by commands, as any door would do it.
"""

from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import pytest
from sqlalchemy import Table, select
from sqlalchemy.orm import Session

from agent.approvals.requests import Action
from agent.commerce.booking import gift_balance
from agent.commerce.commands import ChangeShipTo, Command, NewLine, NewOrder, ReplaceLines, Swap, SwapPayment
from agent.commerce.types import Address
from agent.commerce.views import OrderView
from agent.ledger.base import Base
from agent.ledger.database import PolicyDenied
from agent.ledger.tables import PaymentMethodRow
from agent.services import Services
from sandbox.card_forms import ChargeAnswer, Ledger, RefundAnswer
from tests.support.commands import cancel_order, done, place_order

LINES = {"LAMP-OAK": 2, "CLOCK-OAK": 1}
"""One line from each warehouse."""

TOTAL = 2 * 69_00 + 95_00

ELSEWHERE = Address(line1="1 Main Street", city="Salem", postcode="97301", country="US")

Dump = dict[str, list[dict[str, Any]]]
Hook = Callable[[Any], Awaitable[None]]
Scene = Callable[[Services, NewOrder], Awaitable[OrderView]]


def new_order(
    order_id: str = "A-1",
    method: str = "ada_card",
    customer: str = "ada_park",
    lines: dict[str, int] = LINES,
    *,
    allow_partial: bool = False,
) -> NewOrder:
    """An order as the storefront sends it."""
    return NewOrder(
        allow_partial=allow_partial,
        order_id=order_id,
        customer_id=customer,
        lines=[NewLine(sku=sku, quantity=quantity) for sku, quantity in lines.items()],
        payment_method_id=method,
    )


async def placed(shop: Services, order: NewOrder) -> OrderView:
    """The order in the ledger; nothing is held yet."""
    return await place_order(shop, order)


async def reserved(shop: Services, order: NewOrder) -> OrderView:
    """The order with the stock of all its lines held."""
    for line in (await placed(shop, order))["lines"]:
        await shop.orders.reserve_line(order.order_id, line["number"])
    return await shop.orders.reserved(order.order_id, short=[])


async def approved(shop: Services, order: NewOrder) -> OrderView:
    """The order, ready to be charged."""
    await reserved(shop, order)
    return await shop.orders.move(order.order_id, "approved")


async def parked(shop: Services, order: NewOrder) -> OrderView:
    """The order, whose money could not be taken yet."""
    await approved(shop, order)
    await shop.payments.park(order.order_id)
    return await shop.queries.get(order.order_id)


async def awaiting(shop: Services, order: NewOrder) -> OrderView:
    """The order while people are asked whether it may be."""
    await reserved(shop, order)
    await shop.approvals.open(
        Action("approve_order", {}, ""),
        "large_order",
        key=f"order:{order.order_id}",
        subject=order.customer_id,
        order_id=order.order_id,
        thread_id="t",
        asked_by="storefront",
    )
    return await shop.orders.move(order.order_id, "awaiting_approval")


async def paid(shop: Services, order: NewOrder) -> OrderView:
    """The order with its money taken."""
    await approved(shop, order)
    assert (await shop.payments.capture(order.order_id)).outcome == "captured"
    return await shop.queries.get(order.order_id)


async def booked(shop: Services, order: NewOrder) -> OrderView:
    """The paid order with all its parcels booked; the van has yet to come (see `outside`)."""
    await paid(shop, order)
    for parcel in await shop.fulfilment.plan(order.order_id):
        assert (await shop.fulfilment.book(parcel)).outcome == "booked"
    return await shop.queries.get(order.order_id)


async def cancel(
    shop: Services,
    order_id: str = "A-1",
    reason: str | None = "no longer needed",
    subject: str = "ada_park",
    key: str = "k1",
) -> OrderView:
    """The order, cancelled by its customer's own word."""
    return await cancel_order(shop, order_id, reason=reason, subject=subject, key=key)


async def ask(
    shop: Services, form: type[Command], *, key: str = "c1", subject: str = "ada_park", **arguments: Any
) -> dict[str, Any]:
    """What a command of the customer's changed."""
    return await done(shop, form(key=key, actor=subject, subject=subject, **arguments))


async def replace(
    shop: Services, order_id: str, *swaps: tuple[str, str], method: str = "ada_card", **how: str
) -> dict[str, Any]:
    """The order with pieces (old, new) of it changed."""
    pieces = tuple(Swap(old=old, new=new) for old, new in swaps)
    return await ask(shop, ReplaceLines, order_id=order_id, swaps=pieces, payment_method_id=method, **how)


async def send_to(shop: Services, order_id: str, **how: str) -> dict[str, Any]:
    """The order with another address."""
    return await ask(shop, ChangeShipTo, order_id=order_id, ship_to=ELSEWHERE, **how)


async def pay_by(shop: Services, order_id: str, method: str, **how: str) -> dict[str, Any]:
    """The order with another payment method."""
    return await ask(shop, SwapPayment, order_id=order_id, payment_method_id=method, **how)


async def gift(shop: Services, method_id: str = "ada_gift") -> int:
    """What is left on a gift card, in minor units."""
    with shop.database.reading() as session:
        return gift_balance(session, method_id)


async def dump(shop: Services, *without: str) -> Dump:
    """Every row of every table of the ledger, but those named."""
    tables = [table for table in Base.metadata.sorted_tables if table.name not in without]
    with shop.database.reading() as session:
        return {table.name: _rows(session, table) for table in tables}


def _rows(session: Session, table: Table) -> list[dict[str, Any]]:
    rows = session.execute(select(table).order_by(*table.primary_key.columns))
    names = list(rows.keys())
    return [dict(zip(names, row, strict=True)) for row in rows]


async def stock(shop: Services, sku: str) -> tuple[int, int]:
    """Pieces (on hand, reserved)."""
    [row] = [row for row in (await dump(shop))["variants"] if row["sku"] == sku]
    return row["on_hand"], row["reserved"]


async def entries(shop: Services, order_id: str = "A-1") -> list[tuple[str, int]]:
    """The movements of an order's money: (kind, amount), in the order of their keys."""
    return [(row["kind"], row["amount"]) for row in (await dump(shop))["money_entries"] if row["order_id"] == order_id]


async def network(shop: Services, which: int = 0) -> Ledger:
    """All that the card network did, in its own words; `which` of them, where there are two."""
    return Ledger.model_validate_json((await shop.providers.clients[which].get("/charges")).content)


async def charges(shop: Services, order_id: str = "A-1") -> list[ChargeAnswer]:
    """The charges of one order at the card network."""
    return [charge for charge in (await network(shop)).charges if charge.key.startswith(f"{order_id}:")]


async def repaid(shop: Services, order_id: str = "A-1") -> list[RefundAnswer]:
    """The refunds of one order at the card network."""
    ids = {charge.id for charge in await charges(shop, order_id)}
    return [refund for refund in (await network(shop)).refunds if refund.charge_id in ids]


async def recard(shop: Services, method_id: str, token: str) -> None:
    """From now on the network treats this method's card like `token`."""
    with shop.database.writing() as session:
        method = session.get_one(PaymentMethodRow, method_id)
        method.token, method.tokens = token, method.tokens and dict.fromkeys(method.tokens, token)


def denies(rule: str, saying: str = "") -> pytest.RaisesExc[PolicyDenied]:
    """Expects a denial by this rule, with these words in its sentence."""
    return pytest.raises(PolicyDenied, check=lambda denial: denial.rule == rule and saying in denial.sentence)


def cut_off_by(method: str) -> Hook:
    """For `wire(response=…)`: what is done by this method is done, and nobody hears of it."""

    async def perhaps(response: httpx.Response) -> None:
        if response.request.method == method:
            await lost(response)

    return perhaps


@contextmanager
def wire(client: httpx.AsyncClient, *, request: Hook | None = None, response: Hook | None = None) -> Iterator[None]:
    """Something happens to each request before it is sent, or to each response before it arrives."""
    before = client.event_hooks
    client.event_hooks = {"request": [request] if request else [], "response": [response] if response else []}
    try:
        yield
    finally:
        client.event_hooks = before


async def unreachable(request: httpx.Request) -> None:
    """For `wire(request=…)`: no connection."""
    raise httpx.ConnectError("no route", request=request)


async def lost(response: httpx.Response) -> None:
    """For `wire(response=…)`: it was done, and nobody hears of it."""
    raise httpx.ReadError("the connection broke", request=response.request)
