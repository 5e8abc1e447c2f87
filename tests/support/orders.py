"""Orders of the demo shop's customers, and what became of them in the ledger and at the card network.

Each order has the thread that everyone would find it on.
"""

from typing import Any

from sqlalchemy import select

from agent.approvals.chains import LARGE_ORDER
from agent.identity import Caller
from agent.ledger.tables import VariantRow
from agent.order_processing.graph import graph
from agent.platform import order_thread
from agent.services import Services
from tests.support.threads import SERVICE, Thread

ADA = Caller("ada_park", "customer")
STOREFRONT = Caller("storefront", "channel")

SMALL = {"MUG-BLUE": 2, "CLOCK-OAK": 1}  # 123.00, from both warehouses
LARGE = {"SOFA-WOOL": 1}  # 1,399.00
VERY_LARGE = {"SOFA-WOOL": 4}  # 5,596.00
BELOW = {"RUG-SAND": (LARGE_ORDER - 1) // 329_00}
"""The most rugs at 329.00 that need nobody's yes; two such orders do."""


def order(basket: dict[str, int], *, order_id: str = "N-1", method: str = "ada_card", **more: Any) -> dict[str, Any]:
    """An order as it comes in, with this many pieces of each SKU."""
    lines = [{"sku": sku, "quantity": quantity} for sku, quantity in basket.items()]
    given = {"order_id": order_id, "customer_id": "ada_park", "payment_method_id": method, "lines": lines}
    return {"order": given | more}


def thread_of(order_id: str = "N-1") -> Thread:
    """A new thread for the order, with the id that everyone knows."""
    return Thread(graph, order_thread(order_id, "customer:ada_park"))


async def place(basket: dict[str, int], **more: Any) -> tuple[Thread, dict[str, Any]]:
    """Ada places an order; the thread that it runs on, and the values that the run ended with."""
    thread = thread_of(more.get("order_id", "N-1"))
    return thread, await thread.run(order(basket, **more), ADA)


async def redrive_order(thread: Thread, order_id: str = "N-1") -> Any:
    """What the reconciler does: the service account names the order."""
    return await thread.run({"order": {"order_id": order_id}}, SERVICE)


async def charges(shop: Services) -> list[dict[str, Any]]:
    """What the card network captured, by its own books."""
    told = (await shop.providers.clients[0].get("/charges")).json()["charges"]
    return [charge for charge in told if charge["status"] == "captured" and charge["key"].startswith("N-")]


async def stock(shop: Services) -> dict[str, tuple[int, int]]:
    """Pieces on hand and reserved, by SKU."""
    with shop.database.reading() as session:
        rows = session.execute(select(VariantRow.sku, VariantRow.on_hand, VariantRow.reserved))
        return {row.sku: (row.on_hand, row.reserved) for row in rows}
