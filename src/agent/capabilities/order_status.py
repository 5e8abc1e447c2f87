"""Where an order is; without a number, where the latest ones are."""

from agent.capabilities.base import Capability, Outcome, Slots
from agent.commerce.policy import money
from agent.commerce.views import OrderView
from agent.services import Services

LATEST = 5
"""Orders that are told of without a number."""


async def _propose(shop: Services, customer_id: str, slots: Slots) -> Outcome:
    if slots.order_id:
        return order_line(await shop.queries.get(slots.order_id, customer_id=customer_id))
    orders = await shop.queries.of_customer(customer_id, limit=LATEST)
    if not orders:
        return "You have no orders with us."
    return "Your latest orders:\n" + "\n".join(f"- {order_line(order)}" for order in orders)


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
