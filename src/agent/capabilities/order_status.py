"""Where an order is; without a number, where the latest ones are."""

import asyncio

from agent.capabilities.base import Capability, Outcome, Slots
from agent.commerce.policy import money
from agent.commerce.views import OrderView
from agent.providers.carrier import CarrierError
from agent.resilience import CircuitOpenError
from agent.services import Services

LATEST = 5
"""Orders that are told of without a number."""
CARRIER_SECONDS = 2.0
"""How long a customer's question waits for the carrier's word."""


async def _propose(shop: Services, customer_id: str, slots: Slots) -> Outcome:
    if slots.order_id:
        order = await shop.queries.get(slots.order_id, customer_id=customer_id)
        return order_line(order) + await _by_the_carrier(shop, order)
    orders = await shop.queries.of_customer(customer_id, limit=LATEST)
    if not orders:
        return "You have no orders with us."
    return "Your latest orders:\n" + "\n".join(f"- {order_line(order)}" for order in orders)


async def _by_the_carrier(shop: Services, order: OrderView) -> str:
    """What has arrived by the carrier's word, of which the ledger has not heard; nothing when it can't be asked."""
    under_way = [parcel["id"] for parcel in order["parcels"] if parcel["state"] == "handed_over"]
    arrived = []
    try:
        async with asyncio.timeout(CARRIER_SECONDS):
            for parcel_id in under_way:
                shipment = await shop.providers.carrier.track(parcel_id)
                if shipment and shipment.state == "delivered":
                    arrived.append(shipment.tracking_id)
    except (CarrierError, CircuitOpenError, TimeoutError):
        pass  # the ledger's answer stands by itself
    return f" The carrier says that it has delivered {', '.join(arrived)}." if arrived else ""


def order_line(order: OrderView) -> str:
    """An order on one line: what it is, what it costs, how far it is."""
    tracking = ", ".join(parcel["tracking_id"] for parcel in order["parcels"] if parcel["tracking_id"])
    what = f"{order['id']} ({items(order)}, {money(order['total'])}): {order['status']}"
    return what + (f", parcels {tracking}" if tracking else "") + "."


def items(order: OrderView) -> str:
    """What an order is of."""
    return ", ".join(f"{line['quantity']} × {line['name']}" for line in order["lines"])


ORDER_STATUS = Capability(
    name="order_status",
    request_type="order_status",
    does="tell you where an order is",
    propose=_propose,
    reach="claimed",
)
