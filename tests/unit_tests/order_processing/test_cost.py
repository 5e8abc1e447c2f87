"""What an order costs the ledger: counts of statements and transactions, which no machine makes faster or slower."""

import asyncio
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from typing import Any, Final

import pytest
from sqlalchemy import Connection, event

from agent.services import Services
from agent.settings import Settings
from tests.support.orders import SMALL, charges, place, stock
from tests.support.threads import events

OF_TWENTY_LINES: Final = dict.fromkeys(
    (
        "MUG-WHITE", "MUG-BLUE", "MUG-GREEN", "CUSHION-SAND", "CUSHION-MOSS", "CUSHION-RUST", "CANDLE-SMALL",
        "CANDLE-MEDIUM", "CANDLE-LARGE", "VASE-SMALL", "VASE-MEDIUM", "VASE-LARGE", "PLATES-WHITE", "PLATES-BLUE",
        "PLATES-GREEN", "PAN-SMALL", "THROW-SAND", "CURTAIN-SHORT", "CLOCK-ASH", "STOOL-ASH",
    ),
    1,
)  # fmt: skip
"""From both warehouses."""

OF_A_TRANSACTION: Final = ("BEGIN", "SAVEPOINT", "RELEASE")


@dataclass
class Cost:
    """What was asked of the ledger."""

    statements: int = 0
    transactions: int = 0


@contextmanager
def counted(shop: Services) -> Iterator[Cost]:
    """The cost of what happens meanwhile."""
    cost, engine = Cost(), shop.database._engine

    def on_statement(_: Connection, __: Any, statement: str, *___: Any) -> None:
        cost.statements += not statement.startswith(OF_A_TRANSACTION)

    def on_begin(_: Connection) -> None:
        cost.transactions += 1

    event.listen(engine, "before_cursor_execute", on_statement)
    event.listen(engine, "begin", on_begin)
    yield cost
    event.remove(engine, "before_cursor_execute", on_statement)
    event.remove(engine, "begin", on_begin)


@pytest.fixture
def config(config: Settings) -> Settings:
    """There is enough of everything, and 25 orders of one customer's ask for nobody's yes."""
    with closing(sqlite3.connect(config.data_dir / "ledger.db")) as ledger, ledger:
        ledger.execute("UPDATE variants SET on_hand = on_hand + 1000, price = 60")
    return config


async def cost_of(shop: Services, basket: dict[str, int], order_id: str) -> Cost:
    """The cost of an order that nothing comes in the way of."""
    with counted(shop) as cost:
        _, ended = await place(basket, order_id=order_id)
    assert ended["processing_stage"] == "completed"
    return cost


async def test_an_order_of_two_lines_from_two_warehouses_stays_below_its_price(shop: Services) -> None:
    cost = await cost_of(shop, SMALL, "N-1")
    assert 0 < cost.statements <= 45
    assert 0 < cost.transactions <= 12


async def test_twenty_lines_cost_no_more_transactions_than_two(shop: Services) -> None:
    two, twenty = await cost_of(shop, SMALL, "N-1"), await cost_of(shop, OF_TWENTY_LINES, "N-2")
    assert len(OF_TWENTY_LINES) == 20
    assert twenty.transactions <= two.transactions


async def test_25_orders_of_20_lines_at_once_are_completed_and_none_is_parked(shop: Services) -> None:
    parked, before = events("order.parked"), await stock(shop)

    placed = await asyncio.gather(*(place(OF_TWENTY_LINES, order_id=f"N-{n}") for n in range(1, 26)))

    assert [ended["processing_stage"] for _, ended in placed] == ["completed"] * 25
    assert events("order.parked") == parked
    assert len(await charges(shop)) == 25
    left = await stock(shop)
    assert {before[sku][0] - left[sku][0] for sku in OF_TWENTY_LINES} == {25}
