"""What a contender is given: where to keep its things, a shop with stock for every order, and orders to place."""

import argparse
from dataclasses import dataclass
from inspect import signature
from pathlib import Path
from typing import Any, Final
from uuid import NAMESPACE_URL, uuid5

from sqlalchemy import create_engine, make_url, text

from agent.platform import order_thread

_CUSTOMERS: Final = (
    "ada_park", "ben_ortiz", "chloe_meyer", "dev_shah", "ella_novak", "finn_walsh",
    "grace_okafor", "hugo_lindqvist", "iris_tanaka", "jonas_weber", "kira_petrov", "liam_byrne",
)  # fmt: skip

CENTS: Final = 1
"""What a piece costs: all that a customer orders in a run together asks nobody's yes."""


@dataclass(frozen=True)
class Place:
    """Where a contender keeps its things. Without URLs: in SQLite files in the folder."""

    folder: Path
    ledger_url: str
    checkpoints_url: str
    platform_url: str
    payment_url: str
    """The card network and carrier; empty: in process."""

    @classmethod
    def of_arguments(cls) -> "Place":
        """What the command line says."""
        parser = argparse.ArgumentParser()
        parser.add_argument("--folder", type=Path, required=True)
        parser.add_argument("--ledger-url", default="")
        parser.add_argument("--checkpoints-url", default="")
        parser.add_argument("--platform-url", default="http://127.0.0.1:2024")
        parser.add_argument("--payment-url", default="")
        return cls(**vars(parser.parse_args()))


def thread_of(order: dict[str, Any], owner: str) -> str:
    """The thread of an order, as the build at hand makes it: the one before did not ask who placed it."""
    whose = ":" + owner if "owner" in signature(order_thread).parameters else ""
    return str(uuid5(NAMESPACE_URL, f"order{whose}:{order['order_id']}:0"))


def new_orders(name: str, count: int, lines: int, east: list[str], west: list[str]) -> list[dict[str, Any]]:
    """Orders of twelve customers in turn, with lines from the two warehouses in turn: of two parcels each."""

    def order(number: int) -> dict[str, Any]:
        customer = _CUSTOMERS[number % len(_CUSTOMERS)]
        return {
            "order_id": f"{name}-{number}",
            "customer_id": customer,
            "payment_method_id": f"{customer.partition('_')[0]}_card",
            "lines": [{"sku": sku(number, line), "quantity": 1} for line in range(lines)],
        }

    def sku(number: int, line: int) -> str:
        warehouse = west if line % 2 else east
        return warehouse[(number * 5 + line // 2) % len(warehouse)]

    return [order(number) for number in range(count)]


def stocked(url: str, price: int = CENTS) -> tuple[list[str], list[str]]:
    """Have plenty of everything in a ledger, at this price in cents; the SKUs of its two warehouses, east and west."""
    made = make_url(url)
    driver = {"sqlite": "sqlite", "postgresql": "postgresql+psycopg"}[made.get_backend_name()]
    engine = create_engine(made.set(drivername=driver))
    with engine.begin() as ledger:
        ledger.execute(text("UPDATE variants SET on_hand = 100000000"))
        ledger.execute(text("UPDATE variants SET price = :price"), {"price": price})
        rows = ledger.execute(text("SELECT warehouse, sku FROM variants ORDER BY sku")).all()
    engine.dispose()
    return [sku for room, sku in rows if room == "east"], [sku for room, sku in rows if room == "west"]
