"""What the tests of real databases ask of a ledger: products in, products out, each once; and waiting for it."""

import asyncio
import time
from collections.abc import Awaitable, Callable

from sqlalchemy import select
from sqlalchemy.orm import Session

from agent.ledger.database import Act, Database, Effect, Json
from agent.ledger.tables import ProductRow


def adding(product: str) -> Act:
    """An effect: a product more."""

    def act(session: Session) -> Json:
        session.add(ProductRow(id=product, name="Lamp"))
        session.flush()
        return {"added": product}

    return act


async def add(ledger: Database, product: str) -> Json:
    """Add a product, once."""
    return await ledger.once(Effect(f"add:{product}", "Add", "ada", "ada_park"), adding(product))


def all_products(session: Session) -> list[str]:
    """The ids of all products, as one session sees them."""
    return list(session.scalars(select(ProductRow.id).order_by(ProductRow.id)))


async def products(ledger: Database) -> list[str]:
    """The ids of all products now."""
    return await ledger.read(all_products)


async def eventually(holds: Callable[[], Awaitable[bool]], seconds: float = 30) -> None:
    """Wait until it holds. Raises AssertionError when it does not in time."""
    end = time.monotonic() + seconds
    while not await holds():
        assert time.monotonic() < end
        await asyncio.sleep(0.02)
