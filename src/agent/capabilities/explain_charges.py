"""What was charged and refunded for an order, and what for: its invoice, from the ledger."""

from agent.assistant.pattern_language import phrases
from agent.capabilities.base import Capability, Outcome, Question, Slots
from agent.capabilities.finding import the_order
from agent.commerce.policy import money
from agent.services import Services


async def _propose(shop: Services, customer_id: str, slots: Slots) -> Outcome:
    order = await the_order(shop, customer_id, slots, "explain the charges of")
    if isinstance(order, Question):
        return order
    bought = [
        f"- {line['quantity']} × {line['name']} at {money(line['unit_price'])}:"
        f" {money(line['quantity'] * line['unit_price'])}"
        for line in order["lines"]
    ]
    moved = [
        f"- {charge['at'][:10]}: {charge['what']} of {money(charge['amount'])}, {charge['method_id']}"
        + ("" if charge["done"] else ", not made yet")
        for charge in await shop.queries.charges(order["id"], customer_id=customer_id)
    ]
    total = f"Order {order['id']} costs {money(order['total'])}:"
    return "\n".join([total, *bought, "Paid and refunded:" if moved else "Nothing was charged for it.", *moved])


EXPLAIN_CHARGES = Capability(
    name="explain_charges",
    request_type="billing_issue",
    does="explain what was charged and refunded for an order",
    wants=phrases(
        "invoice*/receipt*/bill/bills/billed/overcharged/double-charged/debited/deducted",
        "what/why/how_much/which/when … charge*/paid/pay/cost/costs/price",
        "charged/paid twice/double/too_much/more_than/again",
        "explain/show/list … charge*/payment*/cost*",
        "where/when/status/track/check/still/hasn't … refund/money/reimbursement",
        "refund … hasn't/has_not/never/still/late/missing/status",
    ),
    propose=_propose,
)
