"""Where tests of the shop begin: orders on their way, a failing network, and a look at everything at once."""

from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import pytest
from sqlalchemy import Table, select

from agent.commerce.commands import NewLine, NewOrder
from agent.commerce.views import OrderView
from agent.ledger.database import Denied
from agent.ledger.tables import Base, PaymentMethodRow
from agent.providers.sandbox_server import ChargeAnswer, Ledger, RefundAnswer
from agent.services import Services
from tests.unit_tests.acts import cancel_order, place_order

LINES = {"LAMP-OAK": 2, "CLOCK-OAK": 1}
"""One line from each warehouse."""

TOTAL = 2 * 69_00 + 95_00

Dump = dict[str, list[dict[str, Any]]]
Hook = Callable[[Any], Awaitable[None]]
Scene = Callable[[Services, NewOrder], Awaitable[OrderView]]


def new_order(
    order_id: str = "A-1",
    method: str = "ada_card",
    customer: str = "ada_park",
    lines: dict[str, int] = LINES,
) -> NewOrder:
    """An order as the storefront sends it."""
    return NewOrder(
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
    return await shop.orders.move(order.order_id, "reserved")


async def approved(shop: Services, order: NewOrder) -> OrderView:
    """The order, ready to be charged."""
    await reserved(shop, order)
    return await shop.orders.move(order.order_id, "approved")


async def paid(shop: Services, order: NewOrder) -> OrderView:
    """The order with its money taken."""
    await approved(shop, order)
    assert await shop.payments.capture(order.order_id) == "captured"
    return await shop.reads.get(order.order_id)


async def cancel(
    shop: Services,
    order_id: str = "A-1",
    reason: str | None = "no longer needed",
    subject: str = "ada_park",
    key: str = "k1",
) -> OrderView:
    """The order, cancelled by its customer's own word."""
    return await cancel_order(shop, order_id, reason=reason, subject=subject, key=key)


async def dump(shop: Services, *without: str) -> Dump:
    """Every row of every table of the ledger, but those named."""
    async with shop.database.read() as session:
        return {
            table.name: [dict(row) for row in (await session.execute(_all(table))).mappings()]
            for table in Base.metadata.sorted_tables
            if table.name not in without
        }


def _all(table: Table) -> Any:
    return select(table).order_by(*table.primary_key.columns)


async def stock(shop: Services, sku: str) -> tuple[int, int]:
    """Pieces (on hand, reserved)."""
    [row] = [row for row in (await dump(shop))["variants"] if row["sku"] == sku]
    return row["on_hand"], row["reserved"]


async def entries(shop: Services, order_id: str = "A-1") -> list[tuple[str, int]]:
    """The movements of an order's money: (kind, amount), in the order of their keys."""
    return [(row["kind"], row["amount"]) for row in (await dump(shop))["money_entries"] if row["order_id"] == order_id]


async def network(shop: Services) -> Ledger:
    """All that the card network did, in its own words."""
    return Ledger.model_validate_json((await shop.payment_client.get("/charges")).content)


async def charges(shop: Services, order_id: str = "A-1") -> list[ChargeAnswer]:
    """The charges of one order at the card network."""
    return [charge for charge in (await network(shop)).charges if charge.key.startswith(f"{order_id}:")]


async def repaid(shop: Services, order_id: str = "A-1") -> list[RefundAnswer]:
    """The refunds of one order at the card network."""
    ids = {charge.id for charge in await charges(shop, order_id)}
    return [refund for refund in (await network(shop)).refunds if refund.charge_id in ids]


async def recard(shop: Services, method_id: str, token: str) -> None:
    """From now on the network treats this method's card like `token`."""
    async with shop.database.write() as session:
        (await session.get_one(PaymentMethodRow, method_id)).token = token


def denies(rule: str) -> pytest.RaisesExc[Denied]:
    """Expects a denial by this rule."""
    return pytest.raises(Denied, check=lambda denial: denial.rule == rule)


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
