"""The demo shop as the contenders use it: with stock for every order, and a clean bill of orders to place."""

import argparse
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import structlog
from sqlalchemy import create_engine, make_url, text

from agent import services as composition
from agent.ledger import schema
from agent.services import Services
from agent.settings import Settings

_CUSTOMERS: Final = (
    "ada_park", "ben_ortiz", "chloe_meyer", "dev_shah", "ella_novak", "finn_walsh",
    "grace_okafor", "hugo_lindqvist", "iris_tanaka", "jonas_weber", "kira_petrov", "liam_byrne",
)  # fmt: skip
_CENTS: Final = 9_00
"""What each piece costs at most: an order of 100 lines asks nobody's yes."""


@dataclass(frozen=True)
class Place:
    """Where a contender keeps its things. Without URLs: in SQLite files in the folder."""

    folder: Path
    ledger_url: str
    checkpoints_url: str

    @classmethod
    def of_arguments(cls) -> "Place":
        """What the command line says."""
        parser = argparse.ArgumentParser()
        parser.add_argument("--folder", type=Path, required=True)
        parser.add_argument("--ledger-url", default="")
        parser.add_argument("--checkpoints-url", default="")
        return cls(**vars(parser.parse_args()))

    @property
    def settings(self) -> Settings:
        """Settings of a shop there, whatever the environment says."""
        return Settings(data_dir=self.folder, database_url=self.ledger_url)


@dataclass(frozen=True)
class Shop:
    """The shop, and what it sells by warehouse."""

    services: Services
    east: list[str]
    west: list[str]

    def orders(self, name: str, count: int, lines: int) -> Iterator[dict[str, Any]]:
        """New orders of twelve customers in turn; lines from both warehouses in turn, so of two parcels."""
        for number in range(count):
            customer = _CUSTOMERS[number % len(_CUSTOMERS)]
            yield {
                "order_id": f"{name}-{number}",
                "customer_id": customer,
                "payment_method_id": f"{customer.partition('_')[0]}_card",
                "lines": [{"sku": self._sku(number, line), "quantity": 1} for line in range(lines)],
            }

    def _sku(self, number: int, line: int) -> str:
        room = self.west if line % 2 else self.east
        return room[(number * 5 + line // 2) % len(room)]


@asynccontextmanager
async def opened(place: Place) -> AsyncIterator[Shop]:
    """The demo shop, as the services of this process."""
    structlog.configure(logger_factory=structlog.ReturnLoggerFactory())  # figures alone are printed
    settings = place.settings
    schema.upgrade(settings.ledger_url)
    services = await composition.build(settings)
    composition.replace(services)
    try:
        yield Shop(services, *_stocked(settings.ledger_url))
    finally:
        composition.replace(None)
        await services.close()


def _stocked(url: str) -> tuple[list[str], list[str]]:
    """Have plenty of everything, cheaply; the SKUs of each warehouse."""
    made = make_url(url)
    driver = {"sqlite": "sqlite", "postgresql": "postgresql+psycopg"}[made.get_backend_name()]
    engine = create_engine(made.set(drivername=driver))
    with engine.begin() as ledger:
        ledger.execute(text("UPDATE variants SET on_hand = 100000000"))
        ledger.execute(text("UPDATE variants SET price = :most WHERE price > :most"), {"most": _CENTS})
        rows = ledger.execute(text("SELECT warehouse, sku FROM variants ORDER BY sku")).all()
    engine.dispose()
    return [sku for room, sku in rows if room == "east"], [sku for room, sku in rows if room == "west"]
