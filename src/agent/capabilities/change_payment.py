"""Pay an order by another method, or what was declined of it (PAYMENT-STATUS, PAYMENT-DIFFERENT)."""

from typing import Any

from agent.assistant.pattern_language import phrases
from agent.capabilities.base import Arguments, Capability, Outcome, Proposal, Question, Requester, Slots
from agent.capabilities.finding import method_in_words, the_method, the_order
from agent.commerce.commands import SwapPayment
from agent.commerce.policy import money, pending, policy_denied
from agent.commerce.types import Form, Id
from agent.services import Services


class MethodSlots(Slots):
    """Which order, and by which method, in the customer's words."""

    method: str | None = None


class MethodForm(Form):
    """Which order, and the id of which of the customer's payment methods."""

    order_id: str
    method: Id


async def _propose(shop: Services, customer_id: str, slots: MethodSlots) -> Outcome:
    order = await the_order(shop, customer_id, slots, "have paid by another method")
    if isinstance(order, Question):
        return order
    declined = await shop.queries.declined_difference(order["id"])
    if not declined and not pending(order["status"]):
        raise policy_denied("PAYMENT-STATUS", f"{order['id']} is {order['status']}")
    asked = f"By which method shall {order['id']} be paid?"
    said = slots.text if slots.method is None else slots.method
    amount, paid_by = declined or (order["total"], order["payment_method_id"])
    method = await the_method(shop, customer_id, said, asked, but=paid_by)
    if isinstance(method, Question):
        return method
    return Proposal(
        {"order_id": order["id"], "payment_method_id": method["id"], "label": method["label"]},
        f"Pay {'what was declined of ' if declined else ''}order {order['id']}, {money(amount)}, by"
        f" {method_in_words(method)}, instead of {paid_by}.",
    )


def _command(requester: Requester, arguments: Arguments) -> SwapPayment:
    order_id, method_id = arguments["order_id"], arguments["payment_method_id"]
    return SwapPayment(**requester.as_fields(), order_id=order_id, payment_method_id=method_id)


def _done(arguments: Arguments, _: dict[str, Any]) -> str:
    return f"Order {arguments['order_id']} is to be paid by {arguments['label']}; I tell you if that fails."


CHANGE_PAYMENT = Capability(
    name="change_payment",
    request_type="order_change",
    does="have an order paid by another method",
    slots=MethodSlots,
    form=MethodForm,
    wants=phrases(
        "payment/payment_method/card/gift_card/paypal",
        "pay/paid/paying by/with/using",
    ),
    propose=_propose,
    command=_command,
    done=_done,
)
