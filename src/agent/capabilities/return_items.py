"""Give back what was delivered; it is refunded when it is here (RETURN-STATUS, RETURN-REFUND-TO)."""

from typing import Any

from agent.capabilities.base import Arguments, Capability, Outcome, Proposal, Question, Requester, Slots
from agent.capabilities.finding import the_line, the_order, the_quantity
from agent.commerce.commands import LineQuantity, RequestReturn
from agent.commerce.policy import money, policy_denied
from agent.commerce.views import LineView, OrderView
from agent.services import Services


class ReturnSlots(Slots):
    """Which order, which item of it, and how many pieces; in the customer's words."""

    item: str | None = None
    quantity: str | None = None


async def _propose(shop: Services, customer_id: str, slots: ReturnSlots) -> Outcome:
    order = await the_order(shop, customer_id, slots, "take back")
    if isinstance(order, Question):
        return order
    if order["status"] not in ("delivered", "returned"):
        raise policy_denied("RETURN-STATUS", f"{order['id']} is {order['status']}")
    line = the_line(order, slots.item or slots.text, "take back")
    if isinstance(line, Question):
        return line
    quantity = the_quantity(line, slots.quantity, "take back")
    return quantity if isinstance(quantity, Question) else _proposal(order, line, quantity)


def _proposal(order: OrderView, line: LineView, quantity: int) -> Proposal:
    back = money(quantity * line["unit_price"])
    return Proposal(
        {
            "order_id": order["id"],
            "lines": [{"line": line["number"], "quantity": quantity}],
            "payment_method_id": order["payment_method_id"],
        },
        f"Take back {quantity} × {line['name']} ({line['sku']}) of order {order['id']}, and refund {back} to"
        f" {order['payment_method_id']} when it is here.",
    )


def _command(requester: Requester, arguments: Arguments) -> RequestReturn:
    lines = tuple(LineQuantity(**line) for line in arguments["lines"])
    return RequestReturn(
        **requester.as_fields(),
        order_id=arguments["order_id"],
        lines=lines,
        payment_method_id=arguments["payment_method_id"],
    )


def _done(arguments: Arguments, _: dict[str, Any]) -> str:
    return f"Please send it back: order {arguments['order_id']} is refunded for what arrives."


RETURN_ITEMS = Capability(
    name="return_items",
    request_type="order_return",
    does="take back what was delivered",
    slots=ReturnSlots,
    propose=_propose,
    command=_command,
    done=_done,
)
