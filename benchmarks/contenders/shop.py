"""The demo shop as the contenders use it, with stock for every order."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import structlog
from pydantic import SecretStr

from agent import services as composition
from agent.ledger import schema
from agent.services import Services
from agent.settings import Settings
from benchmarks.contenders.given import CENTS, Place, new_orders, stocked


@dataclass(frozen=True)
class Shop:
    """The shop, and the SKUs that it sells from each warehouse."""

    services: Services
    east: list[str]
    west: list[str]

    def orders(self, name: str, count: int, lines: int) -> list[dict[str, Any]]:
        """New orders."""
        return new_orders(name, count, lines, self.east, self.west)


@asynccontextmanager
async def opened(place: Place, price: int = CENTS) -> AsyncIterator[Shop]:
    """The demo shop, as the services of this process; each piece at this price in cents."""
    structlog.configure(logger_factory=structlog.ReturnLoggerFactory())  # figures alone are printed
    settings = Settings(
        data_dir=place.folder,
        database_url=place.ledger_url,
        payment_url=place.payment_url,
        langgraph_api_url=place.platform_url,
        service_token=SecretStr("the platform is not the one that is measured"),
    )
    schema.upgrade(settings.ledger_url)
    services = await composition.build(settings)
    composition.replace(services)
    try:
        yield Shop(services, *stocked(settings.ledger_url, price))
    finally:
        composition.replace(None)
        await services.close()
