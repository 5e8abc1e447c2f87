"""How an order is shown: on its thread, to its approvers, in a line of progress."""

from typing import Any

from agent.approvals.requests import Action
from agent.commerce.commands import Denial
from agent.commerce.policy import money
from agent.commerce.views import OrderView
from agent.ledger.database import Denied
from agent.order_processing.state import DenialView


def shown(order: OrderView) -> dict[str, Any]:
    """What the thread shows of an order."""
    return {
        "order_id": order["id"],
        "customer_id": order["customer_id"],
        "order_amount": order["total"],
        "processing_stage": order["stage"],
        "lines": [line["number"] for line in order["lines"]],
        "parcels": [],
    }


def approval_action(order: OrderView, risk: int) -> Action:
    """What people are asked to agree to: this order, exactly."""
    total = money(order["total"], order["currency"])
    items = "\n".join(f"- {line['quantity']} × {line['name']} ({line['sku']})" for line in order["lines"])
    return Action(
        name="approve_order",
        arguments={
            "order_id": order["id"],
            "revision": order["revision"],
            "total": order["total"],
            "currency": order["currency"],
            "risk": risk,
            "lines": [[line["sku"], line["quantity"], line["unit_price"]] for line in order["lines"]],
            "ship_to": order["ship_to"],
        },
        description=f"**{total}**, order {order['id']}, risk {risk}\n\n{items}",
    )


def denial_view(denial: Denied | Denial) -> DenialView:
    """A refusal as the thread shows it."""
    return DenialView(rule=denial.rule, sentence=denial.sentence)


def counted(lines: int) -> str:
    """A number of lines, in words."""
    return "1 line" if lines == 1 else f"{lines} lines"
