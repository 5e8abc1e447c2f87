"""Cancel a pending order (CANCEL-STATUS, CANCEL-REASON)."""

from typing import Any

from agent.capabilities.base import Arguments, Capability, Outcome, Proposal, Question, Requester, Slots
from agent.capabilities.finding import the_order
from agent.capabilities.order_status import items
from agent.commerce.commands import CancelOrder
from agent.commerce.policy import CANCEL_REASONS, CancelReason, cancel_denied, money, policy_denied
from agent.commerce.types import Form
from agent.commerce.views import change_unpaid
from agent.services import Services


class CancelSlots(Slots):
    """Which order, and why."""

    reason: str | None = None


class CancelForm(Form):
    """Which order, and why."""

    order_id: str
    reason: CancelReason


async def _propose(shop: Services, customer_id: str, slots: CancelSlots) -> Outcome:
    order = await the_order(shop, customer_id, slots, "cancel")
    if isinstance(order, Question):
        return order
    if cancel_denied(order["status"], CANCEL_REASONS[0], change_unpaid=change_unpaid(order)):
        raise policy_denied("CANCEL-STATUS", f"{order['id']} is {order['status']}")
    if slots.reason not in CANCEL_REASONS:
        return Question("reason", f"Why would you like to cancel {order['id']}: {' or '.join(CANCEL_REASONS)}?")
    back = await shop.queries.refundable(order["id"])
    method = f", and refund {money(back)} to {order['payment_method_id']}" if back else ""
    return Proposal(
        {"order_id": order["id"], "reason": slots.reason},
        f"Cancel order {order['id']} ({items(order)}), reason: {slots.reason}{method}.",
    )


def _command(requester: Requester, arguments: Arguments) -> CancelOrder:
    return CancelOrder(**requester.as_fields(), order_id=arguments["order_id"], reason=arguments["reason"])


def _done(arguments: Arguments, answer: dict[str, Any]) -> str:
    being = "being " if answer.get("stage") == "cancelling" else ""
    return f"Order {arguments['order_id']} is {being}cancelled."


CANCEL_ORDER = Capability(
    name="cancel_order",
    request_type="order_cancel",
    does="cancel an order that has not left yet",
    slots=CancelSlots,
    form=CancelForm,
    propose=_propose,
    command=_command,
    done=_done,
)
