"""The specialists: each looks into one kind of topic. They read the ledger and never write; changes are proposed."""

from typing import Final

from agent.assistant.entities import SHOP_CURRENCY, other_currency
from agent.assistant.models import Topic
from agent.commerce.policy import CANCEL_REASONS, cancel_denied, denied, money
from agent.commerce.views import OrderView, change_unpaid
from agent.customer_service.changes import check_proposed
from agent.customer_service.state import Finding, PlannedAction, TopicTask
from agent.customer_service.words import NOT_HERE
from agent.services import Services

PERSONAL: Final = frozenset(
    ("order_status", "order_cancel", "billing_issue", "order_change", "order_return", "account")
)
"""Topics about which nothing is told or changed before the customer is identified (CUSTOMER-IDENTIFIED)."""


async def look_into(shop: Services, task: TopicTask) -> Finding:
    """What a specialist finds on the topic. Raises `Denied` with the rule in the way."""
    topic, customer_id = Topic.model_validate(task["topic"]), task["customer_id"]
    if customer_id is None or topic.request_type not in PERSONAL:
        return _from_article(topic, task["article"])
    match topic.request_type:
        case "order_status":
            return await _status(shop, topic, customer_id)
        case "order_cancel":
            return await _cancel(shop, topic, customer_id)
        case "billing_issue" if topic.amount or topic.order_id:
            return await _refund(shop, topic, customer_id)
        case _:
            return _from_article(topic, task["article"])


def _from_article(topic: Topic, article: dict[str, str]) -> Finding:
    """The shop's own words on a question, or that there are none."""
    parts = [NOT_HERE.get(topic.request_type, "")]
    parts.append(f"{article['title']}: {article['text']}" if article else "")
    return _say(" ".join(part for part in parts if part) or "I have no article on that, I'm afraid.")


async def _status(shop: Services, topic: Topic, customer_id: str) -> Finding:
    """Where an order is; without an id, the latest ones."""
    if topic.order_id:
        return _say(_order_line(await shop.reads.get(topic.order_id, customer_id=customer_id)))
    orders = await shop.reads.of_customer(customer_id, limit=5)
    if not orders:
        return _say("You have no orders with us.")
    return _say("Your latest orders:\n" + "\n".join(f"- {_order_line(order)}" for order in orders))


async def _cancel(shop: Services, topic: Topic, customer_id: str) -> Finding:
    """Propose a cancellation, or ask for what is missing."""
    if not topic.order_id:
        return _ask(topic, "Which order shall I cancel? Please tell me its number.")
    order = await shop.reads.get(topic.order_id, customer_id=customer_id)
    if cancel_denied(order["status"], CANCEL_REASONS[0], change_unpaid=change_unpaid(order)):
        raise denied("CANCEL-STATUS", f"{order['id']} is {order['status']}")
    if topic.reason not in CANCEL_REASONS:
        return _ask(topic, f"Why would you like to cancel {order['id']}: {' or '.join(CANCEL_REASONS)}?")
    back = await shop.reads.refundable(order["id"])
    method = f", and refund {money(back)} to {order['payment_method_id']}" if back else ""
    return Finding(
        text="",
        action=PlannedAction(
            name="cancel_order",
            arguments={"order_id": order["id"], "reason": topic.reason},
            sentence=f"Cancel order {order['id']} ({_items(order)}), reason: {topic.reason}{method}.",
        ),
        unfinished=None,
    )


async def _refund(shop: Services, topic: Topic, customer_id: str) -> Finding:
    """Propose a refund, or ask for what is missing. Whether people must agree is policy's to say, later."""
    if not topic.order_id:
        return _ask(topic, "Which order is the refund for? Please tell me its number.")
    order = await shop.reads.get(topic.order_id, customer_id=customer_id)
    if other := other_currency(topic.text):
        return _ask(
            topic, f"{other} is not our currency: we reckon in {SHOP_CURRENCY}. How much of order {order['id']} is it?"
        )
    if topic.amount is None:
        return _ask(topic, f"How much of order {order['id']} should be refunded?")
    await check_proposed(shop, customer_id, order["id"], topic.amount)
    return Finding(
        text="",
        action=PlannedAction(
            name="refund_payment",
            arguments={
                "order_id": order["id"],
                "amount": topic.amount,
                "reason": topic.reason or topic.text[:200],
            },
            sentence=f"Refund {money(topic.amount)} of order {order['id']} to {order['payment_method_id']}.",
        ),
        unfinished=None,
    )


def _order_line(order: OrderView) -> str:
    tracking = ", ".join(parcel["tracking_id"] for parcel in order["parcels"] if parcel["tracking_id"])
    return (
        f"{order['id']} ({_items(order)}, {money(order['total'], order['currency'])}): {order['status']}"
        + (f", parcels {tracking}" if tracking else "")
        + "."
    )


def _items(order: OrderView) -> str:
    return ", ".join(f"{line['quantity']} × {line['name']}" for line in order["lines"])


def _say(text: str) -> Finding:
    return Finding(text=text, action=None, unfinished=None)


def _ask(topic: Topic, question: str) -> Finding:
    return Finding(text=question, action=None, unfinished=topic.model_dump())
