"""Give back what was delivered; it is refunded when it is here (RETURN-STATUS, RETURN-REFUND-TO)."""

from typing import Any

from pydantic import Field

from agent.capabilities.base import Arguments, Capability, Outcome, Proposal, Question, Requester, Slots
from agent.capabilities.finding import take, the_line, the_order, the_quantity
from agent.commerce.commands import LineQuantity, RequestReturn
from agent.commerce.policy import money, policy_denied
from agent.commerce.types import Form, Id
from agent.commerce.views import LineView, OrderView
from agent.services import Services


class Piece(Form):
    """Pieces of one item."""

    sku: Id
    quantity: int = Field(default=1, ge=1, le=1000)


class ReturnSlots(Slots):
    """Which order, which item of it, and how many pieces; in the customer's words."""

    item: str | None = None
    quantity: str | None = None
    pieces: tuple[Piece, ...] = ()
    payment_method_id: str | None = None


class ReturnForm(Form):
    """Which order, which pieces of it, and where the money goes: how it was paid, or a gift card of the customer's."""

    order_id: str
    pieces: tuple[Piece, ...] = Field(min_length=1, max_length=20)
    payment_method_id: Id | None = None


async def _propose(shop: Services, customer_id: str, slots: ReturnSlots) -> Outcome:
    order = await the_order(shop, customer_id, slots, "take back")
    if isinstance(order, Question):
        return order
    if order["status"] not in ("delivered", "returned"):
        raise policy_denied("RETURN-STATUS", f"{order['id']} is {order['status']}")
    method = slots.payment_method_id or order["payment_method_id"]
    if slots.pieces:
        left = await shop.queries.left_to_return(order["id"])
        taken = [take(order["lines"], left, piece.sku, piece.quantity) for piece in slots.pieces]
        return _proposal(order, [line for lines in taken for line in lines], method)
    line = the_line(order, slots.item or slots.text, "take back")
    if isinstance(line, Question):
        return line
    quantity = the_quantity(line, slots.quantity, "take back")
    return quantity if isinstance(quantity, Question) else _proposal(order, [(line, quantity)], method)


def _proposal(order: OrderView, lines: list[tuple[LineView, int]], method: str) -> Proposal:
    back = money(sum(quantity * line["unit_price"] for line, quantity in lines))
    named = ", ".join(f"{quantity} × {line['name']} ({line['sku']})" for line, quantity in lines)
    return Proposal(
        {
            "order_id": order["id"],
            "lines": [{"line": line["number"], "quantity": quantity} for line, quantity in lines],
            "payment_method_id": method,
        },
        f"Take back {named} of order {order['id']}, and refund {back} to {method} when it is here.",
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
    form=ReturnForm,
    propose=_propose,
    command=_command,
    done=_done,
)
